package token_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/vectors"
	"github.com/stytchkit/m2m/stytch/token"
)

type vector struct {
	Name        string            `json:"name"`
	Status      int               `json:"status"`
	ContentType string            `json:"content_type"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"`
	Expect      string            `json:"expect"`
}

var repeated = regexp.MustCompile(`\{(.)\*(\d+)\}`)

func (v vector) respond(int, url.Values) *http.Response {
	body := repeated.ReplaceAllStringFunc(v.Body, func(s string) string {
		parts := repeated.FindStringSubmatch(s)
		n, _ := strconv.Atoi(parts[2])
		return strings.Repeat(parts[1], n)
	})
	r := reply(v.Status, body)
	r.Header.Set("Content-Type", v.ContentType)
	for name, value := range v.Headers {
		r.Header.Set(name, value)
	}
	return r
}

func TestResponseVectors(t *testing.T) {
	var file struct{ Cases []vector }
	vectors.Read(t, "token_responses.json", &file)
	if len(file.Cases) != 35 {
		t.Errorf("%d cases, want 35", len(file.Cases))
	}
	for _, v := range file.Cases {
		t.Run(v.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { v.check(t) })
		})
	}
}

// check is about one need for a token, and a second one a minute later.
func (v vector) check(t *testing.T) {
	e := &endpoint{respond: v.respond}
	s := newSource(t, e)
	got, err := s.Token(t.Context())
	var detail *token.Error
	if err != nil && (!errors.As(err, &detail) || detail.StatusCode != v.Status || strings.Contains(err.Error(), "EVIL")) {
		t.Errorf("the error does not say the status, or says too much: %v", err)
	}
	for _, r := range e.sent { // a redirect leads nowhere
		if r.URL.String() != "https://test.stytch.com/v1/public/"+project+"/oauth2/token" {
			t.Error("a request went elsewhere")
		}
	}
	asked := e.count()
	time.Sleep(2 * time.Second)
	retries := e.count() - asked
	again, _ := s.Token(t.Context())
	cached := err == nil && e.count() == asked
	if cached && again.Value.Reveal() != got.Value.Reveal() {
		t.Error("another token from memory")
	}
	life := time.Until(got.Expiry) + 2*time.Second
	switch v.Expect {
	case "token, cached about an hour", "token", "token or error":
		if !cached || life != time.Hour || got.Value.Reveal() != "AT" {
			t.Errorf("%v, cached: %t, life %v", err, cached, life)
		}
	case "error", "error; the other host gets no request", "error, not retried":
		if err == nil || retries != 0 || asked != 1 {
			t.Errorf("%v, %d requests, %d more by itself", err, asked, retries)
		}
	case "token, not cached", "token, not cached or short cache", "error or not cached":
		if err != nil || cached || got.Value.Reveal() != "AT" {
			t.Errorf("%v, cached: %t", err, cached)
		}
	case "error or capped":
		if !cached || life != 24*time.Hour {
			t.Errorf("%v, cached: %t, life %v", err, cached, life)
		}
	case "error with type and request id":
		if detail == nil || detail.Type != "project_not_found" || detail.RequestID != "r" || detail.Message != "m" {
			t.Errorf("%v", err)
		}
	case "retried":
		if err == nil || retries == 0 {
			t.Errorf("%v, %d more requests", err, retries)
		}
	default:
		t.Errorf("what is %q?", v.Expect)
	}
	if v.Name == "invalid_client 400" && !errors.Is(err, token.ErrInvalidClient) {
		t.Error(err)
	}
}

// The life of a token is the shortest of what the response says, what the token says, and a day.
func TestLife(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix() // where the clock of synctest begins
	in := func(seconds int64) string { return strconv.FormatInt(now+seconds, 10) }
	const unknown = -time.Hour
	for _, c := range []struct {
		name, payload, expiresIn string
		date                     int64
		want                     time.Duration
	}{
		{"the response's", `{}`, "600", 0, 10 * time.Minute},
		{"fractional", `{}`, "600.5", 0, 600500 * time.Millisecond},
		{"with exponent", `{}`, "6e2", 0, 10 * time.Minute},
		{"a day at most", `{}`, "90000", 0, 24 * time.Hour},
		{"the token's", `{"exp":` + in(300) + `}`, "3600", 0, 5 * time.Minute},
		{"the token's alone", `{"exp":` + in(300) + `}`, "null", 0, 5 * time.Minute},
		{"the token's is longer", `{"exp":` + in(7200) + `}`, "3600", 0, time.Hour},
		{"the token's is fractional", `{"exp":` + in(300) + `.25}`, "3600", 0, 300250 * time.Millisecond},
		{"the token has ended", `{"exp":` + in(-300) + `}`, "3600", 0, 0},
		{"the token ends in 1e300", `{"exp":1e300}`, "3600", 0, time.Hour},
		{"the token ended in -1e300", `{"exp":-1e300}`, "3600", 0, 0},
		{"the token's time has no bounds", `{"exp":1e999}`, "3600", 0, time.Hour},
		{"exp is a string", `{"exp":"` + in(300) + `"}`, "3600", 0, time.Hour},
		{"exp is there twice", `{"exp":` + in(300) + `,"exp":` + in(200) + `}`, "3600", 0, time.Hour},
		{"exp is not exp", `{"EXP":` + in(300) + `}`, "3600", 0, time.Hour},
		{"nothing is said", `{}`, "null", 0, unknown},
		// Clocks that are wrong, here or there, must not make every call buy a token.
		{"our clock is 2 h fast", `{"exp":` + in(-3600) + `,"iat":` + in(-7200) + `}`, "3600", -7200, time.Hour},
		{"our clock is 2 h slow", `{"exp":` + in(10800) + `,"iat":` + in(7200) + `}`, "null", 7200, time.Hour},
		{"our clock is 2 h slow, and no Date", `{"exp":` + in(10800) + `,"iat":` + in(7200) + `}`, "null", 0, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t, &endpoint{respond: func(int, url.Values) *http.Response {
					r := reply(200, fmt.Sprintf(`{"access_token":%q,"expires_in":%s,"token_type":"Bearer"}`, jwt(c.payload), c.expiresIn))
					if c.date != 0 {
						r.Header.Set("Date", time.Unix(now+c.date, 0).UTC().Format(http.TimeFormat))
					}
					return r
				}}, token.WithMinLife(0))
				got, err := s.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if c.want == unknown {
					if !got.Expiry.IsZero() {
						t.Errorf("ends at %v", got.Expiry)
					}
					return
				}
				if life := time.Until(got.Expiry); (life - c.want).Abs() > time.Millisecond {
					t.Errorf("lives for %v, want %v", life, c.want)
				}
			})
		})
	}
}

// A token that claims to end at once is worth nothing beside one that still lives, and asking again
// and again would cost.
func TestUselessTokenDoesNotReplaceAGoodOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		s := newSource(t, e)
		mustToken(t, s)
		e.set(0, issueFor(time.Second))
		time.Sleep(50 * time.Minute)
		for range 50 {
			if mustToken(t, s) != "token-1" {
				t.Fatal("another token")
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		if e.count() != 3 { // at once and after 30 s
			t.Errorf("%d requests, want 3", e.count())
		}
		// The one in memory being dropped, a short one is better than none.
		first, _ := s.Token(t.Context())
		s.Invalidate(first)
		if got := mustToken(t, s); got != "token-4" {
			t.Errorf("%q instead of a new token", got)
		}
	})
}

func TestGrantedScopes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, want := range map[string]string{
			`"access_token":"AT","scope":"b a"`:                                "b a",
			`"access_token":"AT"`:                                              "asked",
			`"access_token":"AT","scope":null`:                                 "asked",
			`"access_token":"` + jwt(`{"scope":"own"}`) + `"`:                  "own",
			`"access_token":"` + jwt(`{"scope":["own"]}`) + `"`:                "asked",
			`"access_token":"` + jwt(`{"scope":"own"}`) + `","scope":"stated"`: "stated",
		} {
			s := newSource(t, &endpoint{respond: status(200, `{`+body+`,"token_type":"bearer","expires_in":3600}`)}, token.WithScopes("asked"))
			got, err := s.Token(t.Context())
			if err != nil || strings.Join(got.Scopes, " ") != want {
				t.Errorf("%s: %q, %v", body, got.Scopes, err)
			}
		}
	})
}

// Whatever Stytch or a proxy says, a text that comes out repeats no secret, and stays on its line.
func TestErrorTexts(t *testing.T) {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	for _, c := range []struct {
		name    string
		respond func(int, url.Values) *http.Response
		want    string
	}{
		{"secret in the description", status(400, `{"error":"invalid_request","error_description":`+quote("got "+canarySecret)+`}`), "[REDACTED]"},
		{"secret as it was sent", status(400, `{"error":"invalid_request","error_description":`+quote("got "+url.QueryEscape(canarySecret))+`}`), "[REDACTED]"},
		{"secret as the error", status(400, `{"error":`+quote(canarySecret)+`}`), "[REDACTED]"},
		{"token beside the error", status(500, `{"error":"x","access_token":"the-token","error_description":"issued the-token"}`), "issued [REDACTED]"},
		{"line break", status(500, `{"error_type":"x","error_message":"a\nb\u2028c\u202ed"}`), "a b c d"},
		{"a book", status(500, `{"error_type":"x","error_message":"`+strings.Repeat("ä", 20_000)+`"}`), "…"},
		{"no connection", func(int, url.Values) *http.Response { return nil }, "connection refused"},
		{"a page", func(int, url.Values) *http.Response { return reply(502, "<html>"+canarySecret) }, "502"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := noToken(t, newSource(t, &endpoint{respond: c.respond})).Error()
				if !strings.Contains(text, c.want) || strings.ContainsAny(text, "\r\n\u2028\u202e") || strings.Contains(text, "the-token") || len(text) > 2000 {
					t.Errorf("%.2000q", text)
				}
			})
		})
	}
}

// A cause stays reachable, unless it repeats what was sent.
func TestCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := errors.New("connection reset")
		s := newSource(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, &url.Error{Op: "Post", URL: "x", Err: reset} }))
		if err := noToken(t, s); !errors.Is(err, reset) || !errors.Is(err, token.ErrUnavailable) {
			t.Error(err)
		}
		s = newSource(t, &endpoint{respond: func(int, url.Values) *http.Response { return nil }})
		err := noToken(t, s)
		if cause := errors.Unwrap(err); cause == nil || strings.Contains(cause.Error(), url.QueryEscape(canarySecret)[:20]) || !errors.Is(err, token.ErrUnavailable) {
			t.Error("there is no cause, or it quotes the form")
		}
		s = newSource(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil }))
		if err := noToken(t, s); !errors.Is(err, token.ErrUnavailable) {
			t.Error(err)
		}
	})
}

// A token beside any other status than a success is none.
func TestOtherStatusWithToken(t *testing.T) {
	for _, code := range []int{300, 302, 307, 308, 400, 418} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{respond: status(code, `{"access_token":"AT","expires_in":3600,"token_type":"bearer"}`)}
			if err := noToken(t, newSource(t, e)); !errors.Is(err, token.ErrInvalidResponse) || e.count() != 1 {
				t.Errorf("%d: %v, %d requests", code, err, e.count())
			}
		})
	}
}

// A token that was paid for is used, however odd its response is.
func TestPaidTokenIsUsed(t *testing.T) {
	const hour = `"access_token":"AT","token_type":"bearer","expires_in":3600`
	for _, c := range []struct {
		name, contentType, body string
		code                    int
		cached                  bool
	}{
		{"201", "application/json", `{` + hour + `}`, 201, true},
		{"202", "application/json", `{` + hour + `}`, 202, true},
		{"299", "application/json", `{` + hour + `}`, 299, true},
		{"no content type", "", `{` + hour + `}`, 200, true},
		{"another content type", "text/html; charset=utf-8", `{` + hour + `}`, 200, true},
		{"byte order mark", "application/json", "\ufeff{" + hour + `}`, 200, true},
		{"scope is a list", "application/json", `{` + hour + `,"scope":["a"]}`, 200, true},
		{"no token type", "application/json", `{"access_token":"AT","expires_in":3600}`, 200, true},
		{"life as text", "application/json", `{"access_token":"AT","token_type":"bearer","expires_in":"3600"}`, 200, true},
		{"life 0", "application/json", `{"access_token":"AT","token_type":"bearer","expires_in":0}`, 200, false},
		{"negative life", "application/json", `{"access_token":"AT","token_type":"bearer","expires_in":-1}`, 200, false},
		{"no life", "application/json", `{"access_token":"AT","token_type":"bearer"}`, 200, false},
		{"life null", "application/json", `{"access_token":"AT","token_type":"bearer","expires_in":null}`, 200, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{latency: time.Second, respond: func(int, url.Values) *http.Response {
					r := reply(c.code, c.body)
					r.Header.Set("Content-Type", c.contentType)
					return r
				}}
				s := newSource(t, e)
				var callers sync.WaitGroup
				for range 3 { // who waited for it gets it
					callers.Go(func() {
						if mustToken(t, s) != "AT" {
							t.Error("another token")
						}
					})
				}
				callers.Wait()
				if got := s.Stats(); e.count() != 1 || got.Minted != 1 || got.Failures != 0 {
					t.Errorf("%d requests, %+v", e.count(), got)
				}
				if mustToken(t, s); (e.count() == 1) != c.cached {
					t.Errorf("%d requests, want it cached: %t", e.count(), c.cached)
				}
			})
		})
	}
}

// The response is read to 64 KiB and no further.
func TestEndlessAnswer(t *testing.T) {
	for _, code := range []int{200, 500} {
		synctest.Test(t, func(t *testing.T) {
			read := &endless{}
			s := newSource(t, &endpoint{respond: func(int, url.Values) *http.Response {
				r := reply(code, "")
				r.Body, r.ContentLength = read, math.MaxInt64
				return r
			}})
			err := noToken(t, s)
			if !errors.Is(err, token.ErrInvalidResponse) || !read.closed || read.n > 128<<10 {
				t.Errorf("%v, closed: %t, read %d bytes", err, read.closed, read.n)
			}
		})
	}
}

type endless struct {
	n      int
	closed bool
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.n += len(p)
	return len(p), nil
}
func (e *endless) Close() error { e.closed = true; return nil }
