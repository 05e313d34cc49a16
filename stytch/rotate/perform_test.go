package rotate

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// sentTo counts the requests that change something.
type sentTo struct {
	Target
	n int
}

func (s *sentTo) Start(context.Context, string) (secret.String, error) {
	s.n++
	return secret.New("upcoming-bbbb"), nil
}
func (s *sentTo) Complete(context.Context, string) error { s.n++; return nil }
func (s *sentTo) Cancel(context.Context, string) error   { s.n++; return nil }

// TestRequestUnderClaim sends nothing that changes the server under a claim that may end before the
// response: a process that was paused must not act on what it knew before.
func TestRequestUnderClaim(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ended, cancelAll := context.WithCancel(t.Context())
	cancelAll()
	for _, which := range []kind{start, complete, cancel} {
		for name, test := range map[string]struct {
			ctx  context.Context
			left time.Duration // of the claim, beyond the time that a request may take
			want error
		}{
			"just long enough": {t.Context(), 0, nil},
			"about to end":     {t.Context(), -1, ErrBusy},
			"over":             {t.Context(), -time.Hour, ErrBusy},
			"caller is gone":   {ended, time.Hour, context.Canceled},
		} {
			target := &sentTo{}
			c := &config{settings: defaults(), target: target}
			c.now = func() time.Time { return now }
			r := &rotation{config: c, rec: Record{ClientID: "c"}}
			r.o.claimEnds = now.Add(c.callTimeout + test.left)
			r.request(test.ctx, which)
			sent := target.n == 1
			if sent != (test.want == nil) || (r.o.failed == nil) != sent {
				t.Errorf("request %d, %s: sent %t, %+v", which, name, sent, r.o.failed)
			}
			if f := r.o.failed; f != nil && (f.sent || !errors.Is(f.err, test.want)) {
				t.Errorf("request %d, %s: %+v", which, name, f)
			}
		}
	}
}
