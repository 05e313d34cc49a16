package stytch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/vectors"
	"github.com/stytchkit/m2m/stytch"
)

type idCase struct {
	Value, Expect, Path, Why string
}

// idCases are the client ids of the test vectors.
func idCases(t *testing.T) []idCase {
	t.Helper()
	var file struct{ Cases []idCase }
	vectors.Read(t, "client_ids.json", &file)
	if len(file.Cases) != 95 {
		t.Errorf("%d cases, want 95", len(file.Cases))
	}
	repeat := regexp.MustCompile(`\{a\*(\d+)\}`)
	for i := range file.Cases {
		for _, text := range []*string{&file.Cases[i].Value, &file.Cases[i].Path} {
			*text = repeat.ReplaceAllStringFunc(*text, func(m string) string {
				n, err := strconv.Atoi(repeat.FindStringSubmatch(m)[1])
				if err != nil {
					t.Fatal(err)
				}
				return strings.Repeat("a", n)
			})
		}
	}
	return file.Cases
}

// requestLines is a server that keeps the target of every request line as it stood on the wire, and
// responds with a success.
type requestLines struct {
	mu      sync.Mutex
	targets []string
}

func (s *requestLines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	s.targets = append(s.targets, r.Method+" "+r.RequestURI)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if op, _ := operation.Match(r.Method, r.URL.EscapedPath()); op != nil {
		_, _ = io.WriteString(w, success(op))
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, errorJSON(http.StatusNotFound, "route_not_found"))
}

func (s *requestLines) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	targets := s.targets
	s.targets = nil
	return targets
}

func TestClientIDs(t *testing.T) {
	cases := idCases(t)
	lines := &requestLines{}
	server := httptest.NewServer(lines)
	defer server.Close()
	c := newClient(t, stytch.WithBaseURL(server.URL))
	defer c.CloseIdleConnections()

	const prefix = "/v1/m2m/clients/"
	calls := 0
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		if !e.takesClientID() {
			t.Skip("takes no client id")
		}
		before, after, _ := strings.Cut(e.op.Path, "{client_id}")
		for _, id := range cases {
			calls++
			err := call(t.Context(), c, id.Value)
			targets := lines.take()
			segment, ok := strings.CutPrefix(id.Path, prefix)
			if id.Expect != "reject-before-network" && !ok {
				t.Fatalf("%.40q: the vector has no path", id.Value)
			}
			switch want := e.op.Method + " " + before + segment + after; {
			case id.Expect == "exact-path" || err == nil && id.Expect == "reject-or-exact-path":
				if err != nil || len(targets) != 1 || targets[0] != want {
					t.Errorf("%.40q: %v, sent %.120q, want %.120q", id.Value, err, targets, want)
				}
			case !errors.Is(err, stytch.ErrInvalidArgument) || len(targets) != 0:
				t.Errorf("%.40q: %v, sent %.120q, want a refusal and nothing (%s)", id.Value, err, targets, id.Why)
			}
		}
	})
	if want := 95 * 12 * 3; calls != want {
		t.Errorf("%d calls, want %d", calls, want)
	}
}

// The generated client without the Doer, to know what it is that the Doer stops: two dots leave the
// folder of the clients.
func TestGeneratedClientAloneFollowsDots(t *testing.T) {
	lines := &requestLines{}
	server := httptest.NewServer(lines)
	defer server.Close()
	raw, err := gen.NewClient(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := raw.DeleteM2MClient(t.Context(), "..")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := lines.take(); len(got) != 1 || got[0] != "DELETE /v1/m2m/" {
		t.Errorf("%q: if the generator has learned to escape dots, this test can go", got)
	}
}

// What Do refuses although no generated client would send it.
func TestDoRefusesOtherPaths(t *testing.T) {
	lines := &requestLines{}
	server := httptest.NewServer(lines)
	defer server.Close()
	for _, prefix := range []string{"", "/some/prefix"} {
		c := newClient(t, stytch.WithBaseURL(server.URL+prefix))
		for _, target := range []string{
			"/", "", "/v1", "/v1/m2m/clients/..", "/v1/m2m/clients/../clients/a", "/v1/m2m/clients/./a", "/v1/m2m/clients//a", "//v1/m2m/clients/a",
			"/v1/m2m/clients/%2e%2e", "/v1/m2m/clients/%2E", "/v1/m2m/clients/a%2Fb", "/v1/m2m/clients/a%5Cb", "/v1/m2m/clients/%00", "/v1/m2m/clients/%FF",
			"/v1/m2m/clients/a%0d%0aX-Evil:1", "/v1/m2m/clients/a/secrets", "/v1/m2m/clients/a/secrets/rotate", "/v1/users", "/v1/m2m/clients/search",
			"/%76%31/m2m/clients/a", "/v1/m2m/clients/a%3Fb", "/v1/m2m/clients/a%23b",
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+prefix+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(req); !errors.Is(err, stytch.ErrInvalidArgument) {
				t.Errorf("%q: %v", prefix+target, err)
			}
		}
		// Outside of the prefix there is nothing, even where the rest is an operation.
		for _, target := range []string{"/v1/m2m/clients/a", "/some/prefix/../../v1/m2m/clients/a", "/some/prefixv1/m2m/clients/a", "/some/v1/m2m/clients/a"} {
			if prefix == "" && target == "/v1/m2m/clients/a" {
				continue
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(req); !errors.Is(err, stytch.ErrInvalidArgument) {
				t.Errorf("%q below %q: %v", target, prefix, err)
			}
		}
	}
	if got := lines.take(); len(got) != 0 {
		t.Errorf("sent %q", got)
	}
}
