package token_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stytchkit/m2m/internal/dump"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// printers are the ways in which values end up where people read them.
func printers() map[string]func(any) string {
	all := map[string]func(any) string{}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%60v"} {
		all[format] = func(v any) string { return fmt.Sprintf(format, v) }
	}
	logged := func(handler func(*bytes.Buffer) slog.Handler) func(any) string {
		return func(v any) string {
			var b bytes.Buffer
			l := slog.New(handler(&b))
			l.Info("direct", "value", v)
			l.With("bound", v).WithGroup("group").Info("grouped", slog.Group("inner", slog.Any("value", v)))
			return b.String()
		}
	}
	all["slog text"] = logged(func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) })
	all["slog JSON"] = logged(func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) })
	all["log"] = func(v any) string {
		var b bytes.Buffer
		log.New(&b, "", 0).Println("got", v)
		return b.String()
	}
	all["encoding/json"] = func(v any) string { b, err := json.Marshal(v); return fmt.Sprint(string(b), err) }
	all["encoding/xml"] = func(v any) string { b, err := xml.Marshal(v); return fmt.Sprint(string(b), err) }
	all["panic"] = func(v any) (text string) {
		defer func() { text = fmt.Sprint(recover()) }()
		panic(v)
	}
	all["reflection"] = dump.Text
	return all
}

// leaks reports whether a text holds 12 characters in a row, plain or in an encoding that printers
// use.
func leaks(text, canary string) bool {
	part := canary[4:16]
	decimal := strings.Trim(fmt.Sprint([]byte(part)), "[]")
	for _, trace := range []string{part, hex.EncodeToString([]byte(part)), strings.ToUpper(hex.EncodeToString([]byte(part))), decimal} {
		if strings.Contains(text, trace) {
			return true
		}
	}
	for shift := range 3 {
		if strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(canary[shift:]))[4:20]) {
			return true
		}
	}
	return false
}

// open is the control: what a secret would be as a string.
type open struct{ Plain string }

func TestNothingLeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clientSecret, next, issued, storeKey := rand.Text(), rand.Text(), rand.Text(), rand.Text()+rand.Text()
		e, seen := &endpoint{}, &events{}
		e.set(0, func(n int, form url.Values) *http.Response {
			if n%2 == 0 {
				return reply(400, `{"error":"invalid_request","error_description":"`+clientSecret+` and `+next+`","access_token":"`+issued+`"}`)
			}
			return reply(200, `{"access_token":"`+issued+`","expires_in":3600,"token_type":"bearer"}`)
		})
		// The second secret is the one in use, so that both are known to the texts that clean
		// themselves.
		credentials := token.Static(client, secret.New(clientSecret), secret.New(clientSecret))
		s := newSourceOf(t, credentials, roundTripper(e.RoundTrip), seen.observer()) // a function, because e keeps what it is sent
		held, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, failure := s.TokenFor(t.Context(), token.Request{Scopes: []string{"a"}})
		if failure == nil {
			t.Fatal("no failure")
		}
		synctest.Wait()
		unused, err := token.New(project, credentials, token.WithStore(deafStore{}, secret.New(storeKey)))
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]any{
			"Token": held, "*Token": &held, "[]Token": []token.Token{held}, "map": map[string]token.Token{"a": held},
			"nested": struct{ inner struct{ t *token.Token } }{struct{ t *token.Token }{&held}},
			"Source": s, "field of Source": struct{ s *token.Source }{s}, "Source with store": unused,
			"Credential": token.Credential{ClientID: client, Secret: secret.New(clientSecret), Next: secret.New(next)}, "Static": credentials,
			"Error": failure, "Stats": s.Stats(), "Event": seen.of(token.RefreshFailed)[0], "Events": seen.of(token.Refreshed),
			"Transport": s.Transport(nil, "api.example.com"),
		}
		for printer, print := range printers() {
			if text := print(open{clientSecret}); printer != "%d" && printer != "%o" && !leaks(text, clientSecret) {
				t.Errorf("%s does not see an open secret: this test proves nothing", printer)
			}
			for name, value := range values {
				text := print(value)
				for what, canary := range map[string]string{"the secret": clientSecret, "the token": issued, "the key": storeKey} {
					if leaks(text, canary) {
						t.Errorf("%s of %s shows %s", printer, name, what)
					}
				}
			}
		}
	})
}

// The buffers of a connection keep what went through them last. A value that was used, over a real
// connection that is now idle, shows none of it.
func TestUsedValuesLeakNothing(t *testing.T) {
	if !dump.Used {
		t.Skip("the race detector reports looks at values in use")
	}
	clientSecret, issued := rand.Text()+rand.Text(), rand.Text()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/oauth2/token") {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"access_token":"`+issued+`","expires_in":3600,"token_type":"bearer"}`)
		}
	}))
	defer server.Close()
	given := &http.Transport{}
	defer given.CloseIdleConnections()
	credentials := token.Static(client, secret.New(clientSecret))
	values := map[string]any{}
	for name, options := range map[string][]token.Option{"own": nil, "given": {token.WithHTTPClient(&http.Client{Transport: given})}} {
		s, err := token.New(project, credentials, append(options, token.WithBaseURL(server.URL))...)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		transport := s.Transport(given, strings.TrimPrefix(server.URL, "http://"))
		resp, err := get(t, transport, server.URL)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		values["Source, "+name] = s
		values["Transport, "+name] = transport
		values["http.Client, "+name] = &http.Client{Transport: transport}
	}
	for what, canary := range map[string]string{"the secret": clientSecret, "the token": issued} {
		if !leaks(dump.Text(given), canary) {
			t.Errorf("a used transport does not show %s: this test proves nothing", what)
		}
		for name, value := range values {
			if leaks(dump.Text(value), canary) {
				t.Errorf("%s shows %s", name, what)
			}
		}
	}
}
