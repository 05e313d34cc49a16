//go:build languages

package languages_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	contractcheck "github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/test/conformance"
)

// differences are what Prism does otherwise than the contract means, each with its reason. A
// request whose body contains the text goes around it.
var differences = []struct{ text, reason string }{
	{"9007199254740993", "it writes every body again with the numbers of JavaScript, which end at 53 bits; metadata keeps every digit"},
}

// The conformance suite runs through Prism, which reads the contract independently of this project
// and refuses what it takes for a violation: of a request before it is sent, of a response before
// it is returned. The reader of this project judges the same messages.
func TestPrism(t *testing.T) {
	t.Parallel()
	server := emulatortest.NewServer(t, emulator.WithStrict(), emulator.WithBehavior(emulator.Behavior{DynamicRegistration: true}))
	around := &detour{upstream: strings.TrimPrefix(server.URL, "http://"), taken: map[string]int{}}
	address := proxy(t, server.URL)
	judge, err := contractcheck.NewTransport(around)
	if err != nil {
		t.Fatal(err)
	}
	judge.Strict = true
	api, err := stytch.New(server.ProjectID, server.Secret, stytch.WithBaseURL(address), stytch.WithHTTPClient(&http.Client{Transport: judge}))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("suite", func(t *testing.T) { conformance.Run(t, api, conformance.Options{Prefix: "prism"}) })
	for _, v := range judge.Violations() {
		t.Errorf("%v: Prism passed it on", &v)
	}
	if missing := judge.Missing(); len(missing) > 0 {
		t.Errorf("no success through Prism: %v", missing)
	}
	for _, d := range differences {
		if around.taken[d.text] == 0 {
			t.Errorf("no request contains %q any more: remove the difference (%s)", d.text, d.reason)
		}
	}
	t.Logf("%d requests to %d operations, %d around Prism", len(server.Requests()), len(judge.Exercised()), len(around.taken))

	// Prism is there, and refuses.
	for name, tt := range map[string]struct {
		body, secret string
		fault        emulator.Fault
		want, sent   int
	}{
		"a request without a required field": {`{"client_name":"x"}`, server.Secret, emulator.Fault{}, http.StatusUnprocessableEntity, 0},
		"a request with an unknown field":    {`{"scopes":[],"client_nam":"x"}`, server.Secret, emulator.Fault{}, http.StatusUnprocessableEntity, 0},
		"a request without credentials":      {`{"scopes":["a"]}`, "", emulator.Fault{}, http.StatusUnauthorized, 0},
		"a response of another content type": {`{"scopes":["a"]}`, server.Secret, emulator.HTML("CreateM2MClient", http.StatusOK), http.StatusInternalServerError, 1},
		"a response without a body":          {`{"scopes":["a"]}`, server.Secret, emulator.EmptyBody("CreateM2MClient", http.StatusOK), http.StatusInternalServerError, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.sent > 0 {
				t.Cleanup(server.Inject(tt.fault))
			}
			before := len(server.Requests())
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/v1/m2m/clients", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			if tt.secret != "" {
				r.SetBasicAuth(server.ProjectID, tt.secret)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if sent := len(server.Requests()) - before; resp.StatusCode != tt.want || sent != tt.sent {
				t.Errorf("status %d after %d requests to the server, want %d after %d", resp.StatusCode, sent, tt.want, tt.sent)
			}
		})
	}
}

// A detour sends the requests that differ straight to the server.
type detour struct {
	upstream string
	mu       sync.Mutex
	taken    map[string]int
}

func (d *detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.GetBody == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	copied, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(copied)
	if err != nil {
		return nil, err
	}
	for _, known := range differences {
		if strings.Contains(string(body), known.text) {
			d.mu.Lock()
			d.taken[known.text]++
			d.mu.Unlock()
			r = r.Clone(r.Context())
			r.URL.Host = d.upstream
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

var listening = regexp.MustCompile(`listening on (http://127\.0\.0\.1:\d+)`)

// proxy starts Prism in front of a server, and returns its address.
func proxy(t *testing.T, upstream string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := command(ctx, nil, prism, "proxy", contract, upstream, "--errors", "--port", "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addresses, log := make(chan string, 1), new(strings.Builder)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			log.WriteString(lines.Text() + "\n")
			if found := listening.FindStringSubmatch(lines.Text()); found != nil {
				addresses <- found[1]
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = cmd.Wait() // it was killed
	})
	select {
	case address := <-addresses:
		return address
	case <-ended:
		t.Fatalf("prism ended before it listened:\n%s", log)
	case <-time.After(time.Minute):
		t.Fatal("prism does not listen after a minute")
	}
	return ""
}
