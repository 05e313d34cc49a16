package token

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzResponse: a response that is accepted has a token with a sane life, and no error repeats the
// body.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"AT","expires_in":3600,"token_type":"bearer"}`,
		`{"access_token":"a.eyJleHAiOjF9.c","expires_in":1e3,"token_type":"Bearer","scope":"a b"}`,
		`{"access_token":"AT","access_token":"EVIL","expires_in":3600,"token_type":"bearer"}`,
		`{"access_token":"AT","expires_in":-1,"token_type":"bearer"}x`,
		`{"access_token":"A T","expires_in":{},"token_type":1}`, `[]`, ``, `{"error":null}`, `{`, "\xff",
	} {
		f.Add([]byte(seed), "application/json", "Sat, 01 Jan 2000 00:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType, date string) {
		asked := time.Now()
		header := http.Header{"Content-Type": {contentType}, "Date": {date}}
		d, err := parseToken(header, body, asked, []string{"asked"})
		if err != nil {
			if !d.Value.IsZero() || len(err.Error()) > 100 {
				t.Error("a token beside the error, or a text that is not fixed")
			}
			return
		}
		value := d.Value.Reveal()
		if value == "" || strings.ContainsAny(value, " \r\n\x00\"") || !utf8.ValidString(value) || !utf8.Valid(body) {
			t.Errorf("not fit for a header: %q", value)
		}
		if !d.Expiry.IsZero() && (d.Expiry.Before(asked) || d.Expiry.After(asked.Add(maxLife))) {
			t.Errorf("ends after %v", d.Expiry.Sub(asked))
		}
		if r := newCached(d, time.Minute, 0.8); r != nil && (r.refreshAt.Before(asked) || r.refreshAt.After(r.usableUntil)) {
			t.Errorf("refreshed %v after it can be used", r.refreshAt.Sub(r.usableUntil))
		}
		if f, err := parseObject(bytes.TrimPrefix(body, []byte("\ufeff"))); err != nil || len(f) < 1 {
			t.Error("not one object")
		}
	})
}

// FuzzChallenge: no header makes the reader run on, and only a Bearer challenge with that very
// error counts.
func FuzzChallenge(f *testing.F) {
	for _, seed := range []string{`Bearer error="invalid_token"`, `Basic abc==, Bearer error=invalid_token`, `Bearer realm="a\"b`, `,,=,`, `"`, `Bearer error="\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if rejectsToken(http.Header{"Www-Authenticate": {line}}) {
			lower := strings.ToLower(line)
			if !strings.Contains(lower, "bearer") || !strings.Contains(lower, "error") {
				t.Errorf("%q", line)
			}
		}
	})
}

func TestChallenge(t *testing.T) {
	for line, want := range map[string]bool{
		`Bearer error="invalid_token"`:                                        true,
		`bearer Error=invalid_token`:                                          true,
		`Bearer realm="a, b", error = "invalid_token", error_description="x"`: true,
		`Basic realm="x", Bearer realm="y",error="invalid_token"`:             true,
		`Basic abc==, Bearer error="invalid_token"`:                           true,
		`Bearer error="inv\alid_token"`:                                       true,
		`DPoP algs="ES256", Bearer scope="a" , error="invalid_token"`:         true,
		``:                                             false,
		`Bearer`:                                       false,
		`Bearer realm="x"`:                             false,
		`Bearer error="invalid_request"`:               false,
		`Bearer error="insufficient_scope"`:            false,
		`Bearer error="invalid_token2"`:                false,
		`Basic error="invalid_token"`:                  false,
		`Bearer realm="error=\"invalid_token\""`:       false,
		`Bearer realm="Bearer error=invalid_token"`:    false,
		`Bearer error_description="invalid_token"`:     false,
		`Bearer realm="x", DPoP error="invalid_token"`: false,
		`Bearer error="invalid_token`:                  false,
	} {
		if got := rejectsToken(http.Header{"Www-Authenticate": {line}}); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
	if !rejectsToken(http.Header{"Www-Authenticate": {"Basic", `Bearer error="invalid_token"`}}) {
		t.Error("the second header is not read")
	}
}
