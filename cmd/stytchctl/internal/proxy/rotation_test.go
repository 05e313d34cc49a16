//go:build unix

package proxy_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/token"
)

// The secret of the client is rotated while 200 requests a second pass through the proxy, and none
// of them fails. Tokens are used for about a second, so that some are requested in each phase.
func TestRotation(t *testing.T) {
	const perSecond = 200
	grace := time.Duration(heavy.Count(2, 10)) * time.Second
	upstream := &api{scope: "read:users", next: func(http.ResponseWriter, *http.Request) {}}
	f := prepare(t, upstream.serve)
	upstream.trust(f)
	credentials := filepath.Join(t.TempDir(), "credentials.json")
	before := []byte(`{"client_id":"` + clientID + `","client_secret":"` + clientSecret + `"}`)
	if err := os.WriteFile(credentials, before, 0o600); err != nil {
		t.Fatal(err)
	}
	f.start(func(c *proxy.Config) {
		c.Credentials = token.File(credentials)
		c.SetTokenOptions(token.WithMinLife(time.Hour - time.Second))
	})

	stop, loaded := make(chan struct{}), make(chan result, 1)
	go func() { loaded <- f.load(perSecond, stop) }()
	minted := func() int { return f.stytch.TokensMinted(clientID) }
	more := func(n int) func() bool { // tokens than there are now
		want := minted() + n
		return func() bool { return minted() >= want }
	}
	waitFor(t, "the load has begun", more(2))
	api, err := stytch.New(f.stytch.ProjectID, f.stytch.Secret, stytch.WithBaseURL(f.stytch.URL))
	if err != nil {
		t.Fatal(err)
	}
	journal, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), f.stytch.ProjectID)
	if err != nil {
		t.Fatal(err)
	}
	rotator, err := rotate.New(api.M2M.Secrets, deliver.File(credentials), journal, rotate.WithGrace(grace))
	if err != nil {
		t.Fatal(err)
	}
	if err := rotator.Run(t.Context(), clientID); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the new secret alone obtained tokens", more(2))
	close(stop)
	got := <-loaded
	if got.failed > 0 || got.sent < int(grace.Seconds())*perSecond {
		t.Errorf("%d of %d requests failed, the first: %s", got.failed, got.sent, got.first)
	}
	t.Logf("%d requests, %d failed, %d tokens", got.sent, got.failed, minted())
	if after, err := os.ReadFile(credentials); err != nil || string(after) == string(before) {
		t.Errorf("the credentials are those of before: %v", err)
	}
}

// result is what became of the requests of a load.
type result struct {
	sent, failed int
	first        string // failure
}

// load sends so many requests per second until stop is closed, and waits for the responses.
func (f *fixture) load(perSecond int, stop <-chan struct{}) (got result) {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	var mu sync.Mutex
	var group sync.WaitGroup
	for {
		select {
		case <-stop:
			group.Wait()
			return got
		case <-tick.C:
		}
		group.Go(func() {
			r, err := f.try("GET", "/", nil)
			mu.Lock()
			defer mu.Unlock()
			got.sent++
			if err == nil && r.StatusCode == http.StatusOK {
				return
			}
			if got.failed++; got.failed == 1 {
				got.first = fmt.Sprint(err, r.text)
			}
		})
	}
}
