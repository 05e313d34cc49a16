package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

// step is what becomes of one request.
type step func(r *http.Request) (*http.Response, error)

// script gives the nth request the nth step, and the last one to all further ones.
func script(steps ...step) *wire {
	return &wire{respond: func(n int, r *http.Request) (*http.Response, error) { return steps[min(n, len(steps))-1](r) }}
}

func statusOf(code int) step {
	return func(*http.Request) (*http.Response, error) { return replyJSON(code, errorJSON(code, "an_error")), nil }
}

// works responds with the operation's success.
func works(r *http.Request) (*http.Response, error) {
	op, _ := operation.Match(r.Method, r.URL.EscapedPath())
	return replyJSON(200, success(op)), nil
}

// fails is a transport that knows nothing of httptrace.
func fails(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// noConnection is a transport that asked for a connection in vain.
func noConnection(err error) step {
	return func(r *http.Request) (*http.Response, error) {
		httptrace.ContextClientTrace(r.Context()).GetConn("host:443")
		return nil, err
	}
}

// afterConnecting is a transport that had a connection.
func afterConnecting(then step) step {
	return func(r *http.Request) (*http.Response, error) {
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
			trace.GetConn("host:443")
			trace.GotConn(httptrace.GotConnInfo{})
		}
		return then(r)
	}
}

// hangs until the attempt ends.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// hangsInTheBody begins a response and never ends it.
func hangsInTheBody(status int) step {
	return func(r *http.Request) (*http.Response, error) {
		resp := replyJSON(status, "")
		resp.ContentLength = -1
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"request_id":"`+requestIDText+`",`), blocked{r.Context(), context.Cause}))
		return resp, nil
	}
}

// blocked reads nothing until the context ends, and then fails with its cause, or comes to an end.
type blocked struct {
	ctx   context.Context
	cause func(context.Context) error
}

func (b blocked) Read([]byte) (int, error) {
	<-b.ctx.Done()
	if b.cause == nil {
		return 0, io.EOF
	}
	return 0, b.cause(b.ctx)
}

func breaksOff(*http.Request) (*http.Response, error) {
	resp := replyJSON(200, "")
	resp.ContentLength = -1
	resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"request_id":"x"`), iotest.ErrReader(io.ErrUnexpectedEOF)))
	return resp, nil
}

var refused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

// traced says whether an operation is watched by httptrace; only those are of which it matters
// whether they were sent.
func traced(op *operation.Operation) bool { return op.Safety == operation.ShownOnce }

// row is a failure and how often it is met.
type row struct {
	name            string
	step            step
	once, otherwise int // requests of a shown-once operation, and of any other
	unknown         bool
}

func attemptRows() []row {
	rows := []row{
		{"dial", fails(refused), 3, 3, false},
		{"name server down", fails(&net.DNSError{Err: "server misbehaving"}), 3, 3, false},
		{"no such name", fails(&net.DNSError{Err: "no such host", IsNotFound: true}), 1, 1, false},
		{"lost, without httptrace", fails(io.EOF), 1, 3, true},
		{"reset, without httptrace", fails(syscall.ECONNRESET), 1, 3, true},
		{"lost after connecting", afterConnecting(fails(io.EOF)), 1, 3, true},
		{"dial again after connecting", afterConnecting(fails(refused)), 3, 3, false},
		{"hangs", hangs, 1, 3, true},
		{"hangs after connecting", afterConnecting(hangs), 1, 3, true},
		{"hangs in the body", hangsInTheBody(200), 1, 3, true},
		{"body breaks off", breaksOff, 1, 3, true},
	}
	for _, code := range []int{408, 500, 502, 503, 504} {
		rows = append(rows, row{fmt.Sprint(code), statusOf(code), 1, 3, true})
	}
	for _, code := range []int{425, 429} {
		rows = append(rows, row{fmt.Sprint(code), statusOf(code), 3, 3, false})
	}
	for _, code := range []int{202, 204, 505, 520} {
		rows = append(rows, row{fmt.Sprint(code), statusOf(code), 1, 1, true})
	}
	for _, code := range []int{302, 307, 400, 401, 403, 404, 409, 422, 501} {
		rows = append(rows, row{fmt.Sprint(code), statusOf(code), 1, 1, false})
	}
	return rows
}

func TestAttempts(t *testing.T) {
	rows := attemptRows()
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		synctest.Test(t, func(t *testing.T) {
			list := rows
			if traced(e.op) {
				list = append(list, row{"no connection", noConnection(errors.New("TLS handshake timeout")), 3, 3, false})
			}
			for _, row := range list {
				w := script(row.step)
				numbers := []int{}
				err := call(t.Context(), clientOn(t, w, stytch.WithObserver(func(_ context.Context, a stytch.Attempt) { numbers = append(numbers, a.Number) })), "a")
				want := row.otherwise
				if e.op.Safety == operation.ShownOnce {
					want = row.once
				}
				if got := len(w.requests()); got != want || !reflect.DeepEqual(numbers, []int{1, 2, 3}[:want]) {
					t.Errorf("%s: %d requests, seen %v, want %d", row.name, got, numbers, want)
				}
				if err == nil {
					t.Fatalf("%s: no error", row.name)
				}
				if unknown := row.unknown && e.op.Safety == operation.ShownOnce; errors.Is(err, stytch.ErrOutcomeUnknown) != unknown {
					t.Errorf("%s: outcome unknown should be %t: %v", row.name, unknown, err)
				}
				var failure *stytch.Error
				if errors.As(err, &failure) && failure.Attempts != want {
					t.Errorf("%s: the error counts %d attempts", row.name, failure.Attempts)
				}
				checkText(t, err)
			}
		})
	})
}

// A call that works in the end is the same request each time.
func TestRetriesSendTheSame(t *testing.T) {
	for _, failure := range []step{statusOf(429), fails(refused)} {
		eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
			synctest.Test(t, func(t *testing.T) {
				w := script(failure, failure, works)
				if err := call(t.Context(), clientOn(t, w), "a"); err != nil {
					t.Fatal(err)
				}
				sent := w.requests()
				if len(sent) != 3 || !reflect.DeepEqual(sent[0], sent[1]) || !reflect.DeepEqual(sent[0], sent[2]) {
					t.Errorf("%d requests, or not the same", len(sent))
				}
				if hasBody := e.op.Method == "POST" || e.op.Method == "PUT"; hasBody != (sent[2].body != "") {
					t.Errorf("body %q", sent[2].body)
				}
			})
		})
	}
}

// Once bytes may have left, a shown-once call is not sent again, whatever came before, and says
// what to do.
func TestShownOnce(t *testing.T) {
	advice := map[string]string{
		"CreateM2MClient": "search for the client by name", "CreateConnectedApp": "search for the app", "RegisterConnectedApp": "register again with the same metadata",
		"StartM2MClientSecretRotation": "call Cancel, then Start again", "StartConnectedAppSecretRotation": "call Cancel, then Start again",
		"CompleteM2MClientSecretRotation": "Secrets.LastFour", "CompleteConnectedAppSecretRotation": "Secrets.LastFour",
		"CancelM2MClientSecretRotation": "Secrets.LastFour", "CancelConnectedAppSecretRotation": "Secrets.LastFour",
	}
	var list []endpoint
	for _, e := range endpoints {
		if e.op.Safety == operation.ShownOnce {
			list = append(list, e)
		}
	}
	if len(list) != len(advice) {
		t.Errorf("%d operations are shown once, want %d", len(list), len(advice))
	}
	eachWayOf(t, list, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		synctest.Test(t, func(t *testing.T) {
			for _, c := range []struct {
				name     string
				steps    []step
				options  []stytch.Option
				requests int
				works    bool
			}{
				{"dial, works", []step{fails(refused), works}, nil, 2, true},
				{"429, works", []step{statusOf(429), works}, nil, 2, true},
				{"no connection, 429, works", []step{noConnection(io.EOF), statusOf(429), works}, nil, 3, true},
				{"429, distrusted", []step{statusOf(429), works}, []stytch.Option{stytch.WithRetry(stytch.Retry{RateLimitMayProcess: true})}, 1, false},
				{"429, lost", []step{statusOf(429), fails(io.EOF), works}, nil, 2, false},
				{"dial, 503", []step{fails(refused), statusOf(503), works}, nil, 2, false},
				{"dial, lost after connecting", []step{noConnection(io.EOF), afterConnecting(fails(io.EOF)), works}, nil, 2, false},
				{"503", []step{statusOf(503), works}, nil, 1, false},
				{"lost", []step{fails(io.EOF), works}, nil, 1, false},
				{"hangs", []step{hangs, works}, nil, 1, false},
				{"html", []step{func(*http.Request) (*http.Response, error) { return reply(200, "text/html", "<p>"), nil }, works}, nil, 1, false},
			} {
				w := script(c.steps...)
				err := call(t.Context(), clientOn(t, w, c.options...), "a")
				if n := len(w.requests()); n != c.requests || (err == nil) != c.works {
					t.Errorf("%s: %d requests, want %d: %v", c.name, n, c.requests, err)
				}
				if err == nil {
					continue
				}
				if !errors.Is(err, stytch.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "outcome unknown: ") || !strings.Contains(err.Error(), advice[e.op.ID]) {
					t.Errorf("%s: no advice in %q", c.name, err)
				}
			}
		})
	})
}

// A delete that may have worked and then finds nothing did work.
func TestDeleteTwice(t *testing.T) {
	notFound := map[*operation.Operation]string{operation.DeleteM2MClient: "m2m_client_not_found", operation.DeleteConnectedApp: "connected_app_not_found"}
	for _, e := range endpoints {
		kind, ok := notFound[e.op]
		if !ok {
			continue
		}
		gone := func(*http.Request) (*http.Response, error) { return replyJSON(404, errorJSON(404, kind)), nil }
		page := func(*http.Request) (*http.Response, error) { return reply(404, "text/html", "no such page"), nil }
		noRoute := func(*http.Request) (*http.Response, error) {
			return replyJSON(404, errorJSON(404, "route_not_found")), nil
		}
		for name, c := range map[string]struct {
			steps []step
			want  error
		}{
			"404":                    {[]step{gone}, stytch.ErrNotFound},
			"503, 404":               {[]step{statusOf(503), gone}, nil},
			"lost, 404":              {[]step{fails(io.EOF), gone}, nil},
			"cut off, 404":           {[]step{breaksOff, gone}, nil},
			"timeout, 404":           {[]step{hangs, gone}, nil},
			"503, 429, 404":          {[]step{statusOf(503), statusOf(429), gone}, nil},
			"503, dial, 404":         {[]step{statusOf(503), fails(refused), gone}, nil},
			"429, 404":               {[]step{statusOf(429), gone}, stytch.ErrNotFound},
			"dial, 404":              {[]step{fails(refused), gone}, stytch.ErrNotFound},
			"503, a page":            {[]step{statusOf(503), page}, stytch.ErrInvalidResponse},
			"503, no route":          {[]step{statusOf(503), noRoute}, stytch.ErrInvalidRequest},
			"503, works":             {[]step{statusOf(503), works}, nil},
			"503, 503, 503, not 404": {[]step{statusOf(503)}, stytch.ErrUnavailable},
		} {
			t.Run(e.op.ID+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if err := e.wrapper(t.Context(), clientOn(t, script(c.steps...)), "a"); !errors.Is(err, c.want) {
						t.Errorf("%v, want %v", err, c.want)
					}
				})
			})
		}
	}
}

// A body that cannot be read again is sent once, unless nothing failed.
func TestBodiesThatCannotBeReplayed(t *testing.T) {
	for _, c := range []struct {
		name     string
		body     func() io.Reader
		requests int
	}{
		{"replayable", func() io.Reader { return strings.NewReader(`{"client_name":"n"}`) }, 3},
		{"not replayable", func() io.Reader { return io.MultiReader(strings.NewReader(`{"client_name":"n"}`)) }, 1},
	} {
		for _, failure := range []step{statusOf(503), statusOf(429), fails(refused)} {
			synctest.Test(t, func(t *testing.T) {
				w := script(failure)
				_, err := rawOn(t, clientOn(t, w)).UpdateM2MClientWithBody(t.Context(), "a", "application/json", c.body())
				if n := len(w.requests()); n != c.requests || err == nil {
					t.Errorf("%s: %d requests, want %d: %v", c.name, n, c.requests, err)
				}
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		c := clientOn(t, script(statusOf(503), works))
		req, err := http.NewRequestWithContext(t.Context(), "PUT", c.BaseURL()+"/v1/m2m/clients/a", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		lost := errors.New("the body is gone")
		req.GetBody = func() (io.ReadCloser, error) { return nil, lost }
		if _, err := c.Do(req); !errors.Is(err, lost) {
			t.Errorf("%v", err)
		}
	})
}

type contextKey struct{}

// The observer sees each attempt in order, and may keep its error, which does not change.
func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []stytch.Attempt
		var requests []int
		ctx := context.WithValue(t.Context(), contextKey{}, "of the call")
		w := script(slow(2*time.Second, 503), fails(syscall.ECONNRESET), works)
		c := clientOn(t, w, stytch.WithObserver(func(ctx context.Context, a stytch.Attempt) {
			if ctx.Value(contextKey{}) != "of the call" {
				t.Error("another context")
			}
			seen = append(seen, a)
			requests = append(requests, len(w.sent))
		}))
		if _, err := c.M2M.Get(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(requests, []int{1, 2, 3}) {
			t.Fatalf("called after %v requests", requests)
		}
		for i, want := range []stytch.Attempt{
			{Operation: "GetM2MClient", Number: 1, StatusCode: 503, RequestID: requestIDText, Duration: 2 * time.Second},
			{Operation: "GetM2MClient", Number: 2},
			{Operation: "GetM2MClient", Number: 3, StatusCode: 200, RequestID: requestIDText},
		} {
			got := seen[i]
			err := got.Err
			got.Err = nil
			if got != want || (err == nil) != (i == 2) {
				t.Errorf("attempt %d: %+v, %v", i+1, got, err)
			}
		}
		var failure *stytch.Error
		if !errors.As(seen[0].Err, &failure) || failure.Attempts != 1 || !errors.Is(seen[1].Err, syscall.ECONNRESET) {
			t.Errorf("%v, %v", seen[0].Err, seen[1].Err)
		}

		// It sees the whole error, and a call that is canceled later does not change it.
		seen = nil
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		w.respond = script(limited(429, "5")).respond
		_, err := c.M2M.Get(ctx, "a")
		if !errors.Is(err, context.Canceled) || len(seen) != 1 || errors.Is(seen[0].Err, context.Canceled) {
			t.Errorf("%v, seen %v", err, seen)
		}
		seen = nil
		w.respond = script(fails(io.EOF)).respond
		_, err = c.M2M.Secrets.Start(context.WithValue(t.Context(), contextKey{}, "of the call"), "a")
		if len(seen) != 1 || !errors.Is(seen[0].Err, stytch.ErrOutcomeUnknown) || !errors.Is(err, stytch.ErrOutcomeUnknown) {
			t.Errorf("%v, seen %v", err, seen)
		}

		// A body that breaks off has a request id too.
		seen = nil
		w.respond = script(hangsInTheBody(200)).respond
		_, _ = c.M2M.Secrets.Start(context.WithValue(t.Context(), contextKey{}, "of the call"), "a")
		if len(seen) != 1 || seen[0].StatusCode != 200 || seen[0].RequestID != requestIDText || seen[0].Duration != 10*time.Second {
			t.Errorf("seen %+v", seen)
		}
	})
}

func TestWithResponse(t *testing.T) {
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		synctest.Test(t, func(t *testing.T) {
			with := func(steps ...step) (r stytch.Response, err error) {
				err = call(stytch.WithResponse(t.Context(), &r), clientOn(t, script(steps...)), "a")
				return r, err
			}
			r, err := with(statusOf(429), limited(429, "1"), func(r *http.Request) (*http.Response, error) {
				resp, err := works(r)
				resp.Header.Set("X-Own", "kept")
				return resp, err
			})
			if err != nil || r.StatusCode != 200 || r.RequestID != requestIDText || r.Attempts != 3 || r.Header.Get("X-Own") != "kept" {
				t.Errorf("success: %+v, %v", r, err)
			}
			if r, err = with(limited(400, "9")); err == nil || r.StatusCode != 400 || r.RequestID != requestIDText || r.Attempts != 1 || r.Header.Get("Retry-After") != "9" {
				t.Errorf("error: %+v, %v", r, err)
			}
			if r, err = with(fails(refused)); err == nil || !reflect.DeepEqual(r, stytch.Response{}) {
				t.Errorf("no response: %+v, %v", r, err)
			}
			if r, err = with(statusOf(429), fails(io.EOF)); err == nil || r.StatusCode != 429 || r.Attempts != 1 {
				t.Errorf("no last response: %+v, %v", r, err)
			}
			if err := call(stytch.WithResponse(t.Context(), nil), clientOn(t, script(works)), "a"); err != nil {
				t.Errorf("nil: %v", err)
			}
		})
	})
}
