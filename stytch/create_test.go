package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

// local is an emulator and a client of it without a network between them.
type local struct {
	*emulator.Emulator
	client *stytch.Client
}

func newLocal(t *testing.T, options ...stytch.Option) local {
	t.Helper()
	e, err := emulator.New(emulator.WithProject(canaryProject, canarySecret))
	if err != nil {
		t.Fatal(err)
	}
	return local{e, clientInMemory(t, e.ServeHTTP, options...)}
}

// count says how many requests of an operation arrived.
func (l local) count(operation string) (n int) {
	for _, r := range l.Requests() {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

// tokenStatus asks for a token with nothing but HTTP: the only proof that a secret works, or does
// not.
func tokenStatus(h http.Handler, clientID string, s secret.String) int {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {s.Reveal()}}
	r := httptest.NewRequest("POST", "/v1/public/"+canaryProject+"/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// someFault is a fault of an operation, and what it means for one that must not be repeated.
type someFault struct {
	name  string
	fault func(operation string) emulator.Fault
	// unknown: the effect may have taken place. refused: nothing happened, and repeating would not
	// help. Otherwise nothing happened, and the request may be repeated.
	unknown, refused bool
}

// faults is every fault that the emulator has, before and after the effect.
func faults() []someFault {
	after := emulator.Fault.AfterEffect
	slow := 15 * time.Second // longer than an attempt may take
	return []someFault{
		{"429", func(op string) emulator.Fault { return emulator.RateLimited(op, "") }, false, false},
		{"429 for 2 s", func(op string) emulator.Fault { return emulator.RateLimited(op, "2") }, false, false},
		{"400", func(op string) emulator.Fault { return emulator.Status(op, 400) }, false, true},
		{"401", func(op string) emulator.Fault { return emulator.Status(op, 401) }, false, true},
		{"403", func(op string) emulator.Fault { return emulator.Status(op, 403) }, false, true},
		{"HTML 404", func(op string) emulator.Fault { return emulator.HTML(op, 404) }, false, true},
		{"500", func(op string) emulator.Fault { return emulator.Status(op, 500) }, true, false},
		{"500 after the effect", func(op string) emulator.Fault { return after(emulator.Status(op, 500)) }, true, false},
		{"503", func(op string) emulator.Fault { return emulator.Status(op, 503) }, true, false},
		{"504 after the effect", func(op string) emulator.Fault { return after(emulator.Status(op, 504)) }, true, false},
		{"HTML 502", func(op string) emulator.Fault { return emulator.HTML(op, 502) }, true, false},
		{"HTML 502 after the effect", func(op string) emulator.Fault { return after(emulator.HTML(op, 502)) }, true, false},
		{"HTML 200", func(op string) emulator.Fault { return emulator.HTML(op, 200) }, true, false},
		{"HTML 200 after the effect", func(op string) emulator.Fault { return after(emulator.HTML(op, 200)) }, true, false},
		{"empty 200", func(op string) emulator.Fault { return emulator.EmptyBody(op, 200) }, true, false},
		{"empty 200 after the effect", func(op string) emulator.Fault { return after(emulator.EmptyBody(op, 200)) }, true, false},
		{"empty 500", func(op string) emulator.Fault { return emulator.EmptyBody(op, 500) }, true, false},
		{"garbage 200", func(op string) emulator.Fault { return emulator.Garbage(op, 200) }, true, false},
		{"garbage 200 after the effect", func(op string) emulator.Fault { return after(emulator.Garbage(op, 200)) }, true, false},
		{"garbage 500", func(op string) emulator.Fault { return emulator.Garbage(op, 500) }, true, false},
		{"cut body", emulator.CutBody, true, false},
		{"reset", emulator.Reset, true, false},
		{"dropped response", emulator.DropResponse, true, false},
		{"latency", func(op string) emulator.Fault { return emulator.Latency(op, slow) }, true, false},
		{"slow body", func(op string) emulator.Fault { return emulator.SlowBody(op, slow) }, true, false},
	}
}

// ownCreate is a create request that carries its own id and secret, and the secret.
func ownCreate() (stytch.M2MCreate, secret.String) {
	chosen := secret.Generate()
	return stytch.M2MCreate{
		ClientID: "billing", ClientSecret: secret.Outgoing(chosen), ClientName: "Billing", ClientDescription: "bills",
		Scopes: []string{"write:invoices", "read:users"},
	}, chosen
}

// inBubbles runs a test for each fault in virtual time.
func inBubbles(t *testing.T, test func(t *testing.T, f someFault)) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, f) })
		})
	}
}

// One fault of the create request is settled, whatever it was, unless Stytch refused the request.
func TestCreateSettlesOneFault(t *testing.T) {
	inBubbles(t, func(t *testing.T, f someFault) {
		l := newLocal(t)
		l.Inject(f.fault("CreateM2MClient").Times(1))
		request, chosen := ownCreate()
		created, err := l.client.M2M.Create(t.Context(), request)
		if f.refused {
			if created != nil || err == nil || errors.Is(err, stytch.ErrOutcomeUnknown) || l.count("CreateM2MClient") != 1 || l.count("GetM2MClient") != 0 {
				t.Errorf("got %v after %d requests; want a plain refusal after 1", err, len(l.Requests()))
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if created.ClientID != "billing" || created.ClientName != "Billing" || created.ClientDescription != "bills" || created.Status != stytch.Active ||
			!created.ClientSecret.Equal(chosen) || !slices.Equal(created.Scopes, request.Scopes) {
			t.Errorf("created %+v; is the secret the chosen one: %t", created, created.ClientSecret.Equal(chosen))
		}
		if got := tokenStatus(l, "billing", chosen); got != 200 {
			t.Errorf("a token request with the secret has status %d", got)
		}
		if n := l.count("CreateM2MClient"); n > 2 {
			t.Errorf("%d create requests, want at most 2", n)
		}
	})
}

// Under every pair of faults that do not end, of the create request and of the reading that settles
// it, nothing is said that is not so: a client that exists is never reported as plainly failed, and
// there is never a second one.
func TestCreateUnderTwoLastingFaults(t *testing.T) {
	inBubbles(t, func(t *testing.T, first someFault) {
		for i, second := range faults() {
			if i%3 != 0 && !heavy.Enabled() {
				continue
			}
			for _, times := range []int{1, 0} {
				l := newLocal(t)
				removeFirst := l.Inject(first.fault("CreateM2MClient").Times(times))
				removeSecond := l.Inject(second.fault("GetM2MClient"))
				request, chosen := ownCreate()
				begin := time.Now()
				created, err := l.client.M2M.Create(t.Context(), request)
				if took := time.Since(begin); took > 30*time.Second {
					t.Errorf("%s: took %v, a call must end after 30 s", second.name, took)
				}
				removeFirst()
				removeSecond()

				page, searchErr := l.client.M2M.SearchPage(t.Context(), stytch.M2MSearch{})
				if searchErr != nil {
					t.Fatal(searchErr)
				}
				exists := len(page.Items) == 1
				switch {
				case len(page.Items) > 1:
					t.Errorf("%s: %d clients", second.name, len(page.Items))
				case err == nil && (!exists || !created.ClientSecret.Equal(chosen) || tokenStatus(l, "billing", chosen) != 200):
					t.Errorf("%s: a success, but the client does not work", second.name)
				case created != nil && exists && created.ClientSecret.Equal(chosen): // the response was damaged, and is returned with an error
				case err != nil && exists && !errors.Is(err, stytch.ErrOutcomeUnknown):
					t.Errorf("%s: the client exists, and the error is %v", second.name, err)
				case err != nil && (created != nil || strings.Contains(err.Error(), chosen.Reveal())):
					t.Errorf("%s: an error with a client, or with its secret in it", second.name)
				}
				if n := l.count("CreateM2MClient"); n > 3 {
					t.Errorf("%s: %d create requests, want at most 3", second.name, n)
				}
				// Calling it again, as the error says, comes to a good end.
				if again, err := l.client.M2M.Create(t.Context(), request); err != nil || !again.ClientSecret.Equal(chosen) {
					t.Errorf("%s: called again: %v", second.name, err)
				}
			}
		}
	})
}

// Without an id and a secret of its own, the request is sent once, and what is lost is lost openly.
func TestCreateWithoutOwnSecretIsSentOnce(t *testing.T) {
	own, _ := ownCreate()
	withoutID, withoutSecret, bare := own, own, own
	withoutID.ClientID, bare.ClientID = "", ""
	withoutSecret.ClientSecret, bare.ClientSecret = secret.Outgoing{}, secret.Outgoing{}
	m2m := func(r stytch.M2MCreate) func(context.Context, *stytch.Client) (string, error) {
		return func(ctx context.Context, c *stytch.Client) (string, error) {
			created, err := c.M2M.Create(ctx, r)
			if created == nil {
				return "", err
			}
			return created.ClientSecret.Reveal(), err
		}
	}
	app := func(kind stytch.ConnectedAppType) func(context.Context, *stytch.Client) (string, error) {
		return func(ctx context.Context, c *stytch.Client) (string, error) {
			created, err := c.ConnectedApps.Create(ctx, stytch.ConnectedAppCreate{ClientType: kind})
			if created == nil {
				return "", err
			}
			return created.ClientSecret.Reveal(), err
		}
	}
	creates := map[string]func(context.Context, *stytch.Client) (secret string, err error){
		"no id": m2m(withoutID), "no secret": m2m(withoutSecret), "neither": m2m(bare),
		"Connected App": app(stytch.FirstParty), "public Connected App": app(stytch.ThirdPartyPublic),
	}
	for name, create := range creates {
		t.Run(name, func(t *testing.T) {
			inBubbles(t, func(t *testing.T, f someFault) {
				l := newLocal(t)
				l.Inject(f.fault("").Times(1))
				shown, err := create(t.Context(), l.client)
				sent := len(l.Requests())
				switch {
				case shown != "" && err != nil: // the body was cut behind the secret
					if errors.Is(err, stytch.ErrOutcomeUnknown) || !errors.Is(err, stytch.ErrInvalidResponse) || sent != 1 || strings.Contains(err.Error(), shown) {
						t.Errorf("got %v after %d requests; want ErrInvalidResponse after 1", err, sent)
					}
				case f.unknown:
					if !errors.Is(err, stytch.ErrOutcomeUnknown) || sent != 1 || !strings.Contains(err.Error(), "may exist") {
						t.Errorf("got %v after %d requests; want ErrOutcomeUnknown after 1", err, sent)
					}
				case f.refused:
					if err == nil || errors.Is(err, stytch.ErrOutcomeUnknown) || sent != 1 {
						t.Errorf("got %v after %d requests; want a refusal after 1", err, sent)
					}
				case err != nil || sent != 2:
					t.Errorf("got %v after %d requests; want a success after 2", err, sent)
				}
			})
		})
	}
}

// stage is a fake Stytch that gives the responses of a script, the last one again and again.
type stage struct {
	creates, gets []http.HandlerFunc
	bodies        []string
	read          int
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		s.read++
		s.gets[min(s.read, len(s.gets))-1](w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.bodies = append(s.bodies, string(body))
	s.creates[min(len(s.bodies), len(s.creates))-1](w, r)
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, status, body) }
}

func lose(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// settlement is what Stytch says to a create request and to the reading that settles it, and what
// must come of it.
type settlement struct {
	name          string
	creates, gets []http.HandlerFunc
	sent, read    int
	is, isNot     error
}

func settlements(chosen secret.String) []settlement {
	text := chosen.Reveal()
	client := func(id, name, description, lastFour, scopes, more string) http.HandlerFunc {
		return say(200, fmt.Sprintf(`{"status_code":200,"request_id":"request-id-test-get","m2m_client":{"client_id":%q,"client_name":%q,"client_description":%q,"client_secret_last_four":%q,"scopes":%s,"status":"active"%s}}`,
			id, name, description, lastFour, scopes, more))
	}
	four, scopes := text[len(text)-4:], `["read:users","write:invoices"]`
	ours := client("billing", "Billing", "bills", four, scopes, "")
	made := client("billing", "Billing", "bills", four, scopes, `,"client_secret":"`+text+`"`)
	missing, taken := say(404, errorJSON(404, "m2m_client_not_found")), say(400, errorJSON(400, "duplicate_m2m_client_id"))
	unknown, exists := stytch.ErrOutcomeUnknown, stytch.ErrAlreadyExists
	only := func(h ...http.HandlerFunc) []http.HandlerFunc { return h }

	return []settlement{
		{"made", only(made), nil, 1, 0, nil, nil},
		{"lost after the effect", only(lose), only(ours), 1, 1, nil, nil},
		{"lost before the effect", only(lose, made), only(missing), 2, 1, nil, nil},
		{"lost twice, the second time after the effect", only(lose, lose), only(missing, ours), 2, 2, nil, nil},
		{"the first request arrives late", only(lose, taken), only(missing, ours), 2, 2, nil, nil},
		{"taken, and it is ours", only(taken), only(ours), 1, 1, nil, nil},
		{"the response has no secret", only(ours), only(ours), 1, 1, nil, nil},
		{"the response has it twice", only(client("billing", "", "", four, scopes, `,"client_secret":"first-one","client_secret":"second-one"`)), only(ours), 1, 1, nil, nil},
		{"the response was redacted", only(client("billing", "", "", four, scopes, `,"client_secret":"[REDACTED]"`)), only(ours), 1, 1, nil, nil},
		{"scopes in another order, one twice", only(lose), only(client("billing", "Billing", "bills", four, `["write:invoices","read:users","read:users"]`, "")), 1, 1, nil, nil},
		{"rotating by now", only(lose), only(client("billing", "Billing", "bills", four, scopes, `,"next_client_secret_last_four":"abcd"`)), 1, 1, nil, nil},

		{"taken by another secret", only(taken), only(client("billing", "Billing", "bills", "####", scopes, "")), 1, 1, exists, unknown},
		{"lost, another secret", only(lose), only(client("billing", "Billing", "bills", "####", scopes, "")), 1, 1, exists, unknown},
		{"lost, no last four", only(lose), only(client("billing", "Billing", "bills", "", scopes, "")), 1, 1, exists, unknown},
		{"lost, another name", only(lose), only(client("billing", "billing", "bills", four, scopes, "")), 1, 1, exists, unknown},
		{"lost, another description", only(lose), only(client("billing", "Billing", "", four, scopes, "")), 1, 1, exists, unknown},
		{"lost, other scopes", only(lose), only(client("billing", "Billing", "bills", four, `["read:users"]`, "")), 1, 1, exists, unknown},

		{"never arrives", only(lose), only(missing), 3, 3, unknown, nil},
		{"reading is down", only(lose), only(say(500, errorJSON(500, "internal_server_error"))), 1, 3, unknown, nil},
		{"reading is forbidden", only(lose), only(say(403, errorJSON(403, "forbidden"))), 1, 1, unknown, nil},
		{"a proxy knows no such page", only(lose), only(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<h1>", 404) }), 1, 1, unknown, nil},
		{"reading is lost after a taken id", only(lose, taken), only(missing, lose), 2, 4, unknown, nil},
		{"taken, and reading is down", only(taken), only(lose), 1, 3, exists, unknown},
		{"refused at last", only(lose, say(400, errorJSON(400, "bad_request"))), only(missing), 2, 1, stytch.ErrInvalidRequest, unknown},
	}
}

func TestCreateSettles(t *testing.T) {
	request, chosen := ownCreate()
	text := chosen.Reveal()
	for _, tt := range settlements(chosen) {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{creates: tt.creates, gets: tt.gets}
				got, err := clientInMemory(t, s.ServeHTTP).M2M.Create(t.Context(), request)
				switch {
				case tt.is == nil && (err != nil || !got.ClientSecret.Equal(chosen) || got.ClientID != "billing" || got.ClientName != "Billing"):
					t.Errorf("got %+v, %v", got, err)
				case tt.is != nil && (got != nil || !errors.Is(err, tt.is)):
					t.Errorf("got %v, want %v", err, tt.is)
				case tt.isNot != nil && errors.Is(err, tt.isNot):
					t.Errorf("%v is %v too", err, tt.isNot)
				case err != nil && strings.Contains(err.Error(), text):
					t.Error("the error holds the secret")
				}
				if len(s.bodies) != tt.sent || s.read != tt.read {
					t.Errorf("created %d times, read %d times; want %d and %d", len(s.bodies), s.read, tt.sent, tt.read)
				}
				for _, body := range s.bodies {
					if body != s.bodies[0] || !strings.Contains(body, text) {
						t.Error("the requests differ, or lack the secret")
					}
				}
			})
		})
	}
}

// What stood in the way of settling can be reached, and so can the first failure.
func TestCreateKeepsCauses(t *testing.T) {
	request, _ := ownCreate()
	down := say(503, errorJSON(503, "test_down"))
	synctest.Test(t, func(t *testing.T) {
		s := &stage{creates: []http.HandlerFunc{lose}, gets: []http.HandlerFunc{down}}
		_, err := clientInMemory(t, s.ServeHTTP).M2M.Create(t.Context(), request)
		var e *stytch.Error
		if !errors.Is(err, stytch.ErrOutcomeUnknown) || !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, stytch.ErrUnavailable) || !errors.As(err, &e) || e.Operation != "GetM2MClient" {
			t.Errorf("got %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &stage{creates: []http.HandlerFunc{say(400, errorJSON(400, "duplicate_m2m_client_id"))}, gets: []http.HandlerFunc{say(200, `{"status_code":200,"m2m_client":{}}`)}}
		_, err := clientInMemory(t, s.ServeHTTP).M2M.Create(t.Context(), request)
		var e *stytch.Error
		if !errors.Is(err, stytch.ErrAlreadyExists) || !errors.As(err, &e) || e.RequestID != requestIDText {
			t.Errorf("an id that another client has: %v", err)
		}
	})
	ends := map[string]struct {
		creates, gets http.HandlerFunc
		after         time.Duration
	}{
		"while it is created":  {hang, hang, time.Second},
		"while it is read":     {lose, hang, time.Second},
		"between two attempts": {lose, say(404, errorJSON(404, "m2m_client_not_found")), time.Millisecond},
	}
	for name, tt := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
					ctx, cancel := context.WithCancel(t.Context())
					if cause == context.DeadlineExceeded {
						ctx, cancel = context.WithTimeout(t.Context(), tt.after)
					} else {
						time.AfterFunc(tt.after, cancel)
					}
					s := &stage{creates: []http.HandlerFunc{tt.creates}, gets: []http.HandlerFunc{tt.gets}}
					begin := time.Now()
					// Base delay: an hour, so that the wait between two attempts cannot be over by
					// chance.
					client := clientInMemory(t, s.ServeHTTP, stytch.WithRetry(stytch.Retry{BaseDelay: time.Hour, MaxDelay: time.Hour}))
					_, err := client.M2M.Create(ctx, request)
					cancel()
					if !errors.Is(err, stytch.ErrOutcomeUnknown) || !errors.Is(err, cause) {
						t.Errorf("got %v, want ErrOutcomeUnknown and %v", err, cause)
					}
					if took := time.Since(begin); took > tt.after {
						t.Errorf("returned after %v, the context ended after %v", took, tt.after)
					}
				}
			})
		})
	}
}

// The bounds of a call hold for the settling too: attempts, time, and the budget that all calls
// share.
func TestCreateSettlesWithinBounds(t *testing.T) {
	request, _ := ownCreate()
	missing := []http.HandlerFunc{say(404, errorJSON(404, "m2m_client_not_found"))}
	for attempts := 1; attempts <= 4; attempts++ {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{creates: []http.HandlerFunc{lose}, gets: missing}
			_, err := clientInMemory(t, s.ServeHTTP, stytch.WithRetry(stytch.Retry{MaxAttempts: attempts})).M2M.Create(t.Context(), request)
			if !errors.Is(err, stytch.ErrOutcomeUnknown) || len(s.bodies) != attempts {
				t.Errorf("%d attempts allowed, %d create requests, %v", attempts, len(s.bodies), err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &stage{creates: []http.HandlerFunc{hang}, gets: []http.HandlerFunc{hang}}
		begin := time.Now()
		_, err := clientInMemory(t, s.ServeHTTP).M2M.Create(t.Context(), request)
		if took := time.Since(begin); !errors.Is(err, stytch.ErrOutcomeUnknown) || took > 30*time.Second {
			t.Errorf("a server that hangs: %v after %v", err, took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &stage{creates: []http.HandlerFunc{lose}, gets: missing}
		client := clientInMemory(t, s.ServeHTTP)
		const calls = 500
		for range calls {
			if _, err := client.M2M.Create(t.Context(), request); !errors.Is(err, stytch.ErrOutcomeUnknown) {
				t.Fatal(err)
			}
		}
		if extra := len(s.bodies) - calls; extra < 1 || extra > calls/2 {
			t.Errorf("%d repetitions in %d calls that all failed: they do not draw on the budget", extra, calls)
		}
	})
}
