package deliver_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

// distant is a network on which a response takes a moment, so that others write meanwhile.
type distant struct{}

func (distant) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	<-time.After(5 * time.Millisecond)
	return resp, err
}

// TestManyWriters: however many processes write to one Secret, each under its own key, all of them
// succeed.
func TestManyWriters(t *testing.T) {
	const writers = 32
	a := newAPIServer(t)
	a.write("fleet", func(map[string]any) {})
	var arrived sync.WaitGroup // all begin at once
	arrived.Add(writers)
	var group sync.WaitGroup
	for i := range writers {
		process := a.deliverer(t, func(cfg *deliver.KubernetesConfig) {
			cfg.SecretName = func(string) string { return "fleet" }
			cfg.Key = func(id string) string { return id + ".json" }
			cfg.HTTPClient = &http.Client{Transport: distant{}}
		})
		group.Go(func() {
			arrived.Done()
			arrived.Wait()
			for n := range heavy.Count(3, 20) {
				d := rotate.Delivery{ClientID: fmt.Sprint("client-", i), Secret: canary()}
				if err := process.Deliver(t.Context(), d); err != nil {
					t.Errorf("writer %d, delivery %d: %v", i, n, err)
				}
				if held, err := process.Read(t.Context(), d.ClientID); err != nil || !held.Secret.Equal(d.Secret) {
					t.Errorf("writer %d, delivery %d: it holds something else, error %v", i, n, err)
				}
			}
		})
	}
	group.Wait()
}
