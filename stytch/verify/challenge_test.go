package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestBearerToken(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []string
		want   string
		err    error
	}{
		{"no header", nil, "", ErrNoToken},
		{"empty header", []string{""}, "", ErrNoToken},
		{"token", []string{"Bearer abc.def.ghi"}, "abc.def.ghi", nil},
		{"every character and padding", []string{"Bearer AZaz09-._~+/=="}, "AZaz09-._~+/==", nil},
		{"lower case", []string{"bearer abc"}, "abc", nil},
		{"upper case", []string{"BEARER abc"}, "abc", nil},
		{"several spaces", []string{"Bearer   abc"}, "abc", nil},
		{"Basic", []string{"Basic dXNlcjpwYXNz"}, "", ErrNoToken},
		{"DPoP", []string{"DPoP abc"}, "", ErrNoToken},
		{"every sign in a scheme", []string{"!#$%&'*+-.^_`|~0aZ abc"}, "", ErrNoToken},
		{"scheme alone", []string{"Negotiate"}, "", ErrNoToken},
		{"scheme that begins alike", []string{"BearerX abc"}, "", ErrNoToken},
		{"Bearer alone", []string{"Bearer"}, "", ErrInvalidRequest},
		{"Bearer and a space", []string{"Bearer "}, "", ErrInvalidRequest},
		{"space in front", []string{" Bearer abc"}, "", ErrInvalidRequest},
		{"space behind", []string{"Bearer abc "}, "", ErrInvalidRequest},
		{"two tokens", []string{"Bearer abc def"}, "", ErrInvalidRequest},
		{"list", []string{"Bearer abc, Basic def"}, "", ErrInvalidRequest},
		{"parameter", []string{`Bearer token="abc"`}, "", ErrInvalidRequest},
		{"padding alone", []string{"Bearer =="}, "", ErrInvalidRequest},
		{"padding inside", []string{"Bearer a=b"}, "", ErrInvalidRequest},
		{"tab", []string{"Bearer\tabc"}, "", ErrInvalidRequest},
		{"line break", []string{"Bearer abc\r\nX: y"}, "", ErrInvalidRequest},
		{"not ASCII", []string{"Bearer äbc"}, "", ErrInvalidRequest},
		{"scheme that is none", []string{"Be@rer abc"}, "", ErrInvalidRequest},
		{"Kelvin sign is no k", []string{"Bea\u212Aer abc"}, "", ErrInvalidRequest},
		{"two headers", []string{"Bearer abc", "Bearer abc"}, "", ErrInvalidRequest},
		{"a second one that is empty", []string{"Bearer abc", ""}, "", ErrInvalidRequest},
		{"one of each scheme", []string{"Basic abc", "Bearer abc"}, "", ErrInvalidRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := BearerToken(test.values)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("BearerToken(%q) = %q, %v; want %q, %v", test.values, got, err, test.want, test.err)
			}
		})
	}
}

func TestChallenge(t *testing.T) {
	for _, test := range []struct {
		challenge
		want string
	}{
		{challenge{}, `Bearer`},
		{challenge{realm: "api"}, `Bearer realm="api"`},
		{challenge{realm: `a "b" \c`}, `Bearer realm="a \"b\" \\c"`},
		{challenge{"api", "insufficient_scope", "Why.", "read:a write:b", "https://x.test/y"},
			`Bearer realm="api", error="insufficient_scope", error_description="Why.", scope="read:a write:b", resource_metadata="https://x.test/y"`},
		{challenge{realm: "a\r\nSet-Cookie: b=c\x00\x7f\xff"}, `Bearer realm="a??Set-Cookie: b=c???"`},
	} {
		if got := test.challenge.String(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// Every sentinel of the package has a response, and what could not be decided is never blamed on
// the token.
func TestResponseTo(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		code   string
	}{
		{ErrNoToken, 401, ""},
		{ErrInvalidRequest, 400, "invalid_request"},
		{ErrMalformed, 401, "invalid_token"},
		{ErrAlgorithm, 401, ""},
		{ErrUnknownKey, 401, "invalid_token"},
		{ErrSignature, 401, "invalid_token"},
		{ErrExpired, 401, "invalid_token"},
		{ErrNotYetValid, 401, ""},
		{ErrTooOld, 401, "invalid_token"},
		{ErrIssuer, 401, ""},
		{ErrAudience, 401, ""},
		{ErrKind, 401, ""},
		{ErrInactive, 401, ""},
		{ErrScope, 403, "insufficient_scope"},
		{ErrLifetime, 401, ""},
		{ErrKeysUnavailable, 503, "temporarily_unavailable"},
		{ErrCheckUnavailable, 503, "temporarily_unavailable"},
		{context.Canceled, 503, "temporarily_unavailable"},
		{fmt.Errorf("%w: %w", ErrKeysUnavailable, context.DeadlineExceeded), 503, "temporarily_unavailable"},
		{errors.New("a check's own"), 403, "insufficient_scope"},
		{&requestError{errors.New("why")}, 400, "invalid_request"},
		{&requestError{ErrNoToken}, 401, ""},
		{&requestError{ErrExpired}, 400, "invalid_request"},
	} {
		got := responseTo(test.err)
		if got.status != test.status || got.code != test.code {
			t.Errorf("%v: %d %q, want %d %q", test.err, got.status, got.code, test.status, test.code)
		}
		if got.description == "" || strings.ContainsAny(got.description, `"\`) {
			t.Errorf("%v: the description %q is not one of RFC 6750", test.err, got.description)
		}
	}
}

// parseChallenge is a strict reader of what RFC 9110, section 11.6.1, lets a challenge of one
// scheme be.
func parseChallenge(header string) (scheme string, parameters map[string]string, ok bool) {
	scheme, rest, more := strings.Cut(header, " ")
	parameters = map[string]string{}
	for more {
		name, quoted, found := strings.Cut(rest, `="`)
		if !found || !isToken(name) {
			return "", nil, false
		}
		if _, twice := parameters[name]; twice {
			return "", nil, false
		}
		var value strings.Builder
		i := 0
		for ; i < len(quoted) && quoted[i] != '"'; i++ {
			if quoted[i] == '\\' {
				i++
			}
			if i == len(quoted) || quoted[i] < ' ' || quoted[i] > '~' {
				return "", nil, false
			}
			value.WriteByte(quoted[i])
		}
		if i == len(quoted) {
			return "", nil, false
		}
		parameters[name] = value.String()
		if rest = quoted[i+1:]; rest == "" {
			return scheme, parameters, isToken(scheme)
		}
		if rest, found = strings.CutPrefix(rest, ", "); !found {
			return "", nil, false
		}
	}
	return scheme, parameters, isToken(scheme)
}

func printableOnly(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// Whatever is put into a challenge comes out of a strict reader again, and never ends the header.
func FuzzChallenge(f *testing.F) {
	f.Add("api", "invalid_token", "Why.", "read:users write:users", "https://x.test/.well-known/oauth-protected-resource")
	f.Add(`"`, `\`, `\"`, ", error=\"", "\r\nSet-Cookie: a=b")
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, realm, code, description, scope, metadata string) {
		header := challenge{realm, code, description, scope, metadata}.String()
		if strings.ContainsAny(header, "\r\n\x00") {
			t.Fatalf("the header %q holds control characters", header)
		}
		scheme, got, ok := parseChallenge(header)
		if !ok || scheme != "Bearer" {
			t.Fatalf("the header %q does not parse", header)
		}
		want := map[string]string{"realm": realm, "error": code, "error_description": description, "scope": scope, "resource_metadata": metadata}
		maps.DeleteFunc(want, func(_, value string) bool { return value == "" })
		for name, value := range want {
			want[name] = printableOnly(value)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%q reads as %q, want %q", header, got, want)
		}
	})
}

// A token that is found is in the header as it is, behind the scheme, and is nothing but a token;
// it is found however the scheme is written.
func FuzzAuthorization(f *testing.F) {
	f.Add("Bearer abc.def.ghi", "", false)
	f.Add("bEARER  a==", "Bearer b", true)
	f.Add("Basic dXNlcjpwYXNz", "", true)
	f.Fuzz(func(t *testing.T, first, second string, both bool) {
		values := []string{first}
		if both {
			values = append(values, second)
		}
		token, err := BearerToken(values)
		if (token == "") != (err != nil) {
			t.Fatalf("%q: a token of %d bytes and %v", values, len(token), err)
		}
		if err != nil {
			if !errors.Is(err, ErrNoToken) && !errors.Is(err, ErrInvalidRequest) {
				t.Fatalf("%q: %v", values, err)
			}
			return
		}
		if both || !isToken68(token) {
			t.Fatalf("%q: the token %q", values, token)
		}
		scheme := strings.TrimRight(strings.TrimSuffix(first, token), " ")
		if !strings.EqualFold(scheme, "bearer") || len(scheme) != len("bearer") {
			t.Fatalf("%q: the scheme %q", values, scheme)
		}
	})
}
