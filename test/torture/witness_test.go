package torture

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// moment is before or after something that an engine does.
type moment struct {
	What     string // claim, look, prove, start, complete, cancel, write, deliver, read, release, answered, disk
	Of       string `json:",omitempty"` // the state that is written, the deliverer, the step of a file
	When     string // before, after, failed
	Secret   string `json:",omitempty"` // fingerprints of secrets
	Current  string `json:",omitempty"`
	Next     string `json:",omitempty"`
	Accepted bool   `json:",omitempty"`
	At       time.Time
}

func (m moment) String() string { return strings.TrimSpace(m.What+" "+m.Of) + ": " + m.When }

// fingerprint stands for a secret where it must not be seen.
func fingerprint(s secret.String) string {
	if s.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:6])
}

// witness wraps everything that an engine calls, and reports each moment to a
// function that may never return.
type witness struct {
	tell func(moment)

	mu     sync.Mutex
	within string // what files are being written for
}

func (w *witness) around(m moment, call func() error, result func(*moment)) error {
	m.When, m.At = "before", time.Now()
	w.tell(m)
	w.mu.Lock()
	outer := w.within
	w.within = strings.TrimSpace(m.What + " " + m.Of)
	w.mu.Unlock()
	err := call()
	w.mu.Lock()
	w.within = outer
	w.mu.Unlock()
	m.When, m.At = "after", time.Now()
	if err != nil {
		m.When = "failed"
	} else if result != nil {
		result(&m)
	}
	w.tell(m)
	return err
}

// disk is for atomicfile.Point.
func (w *witness) disk(point string) error {
	w.mu.Lock()
	within := w.within
	w.mu.Unlock()
	w.tell(moment{What: "disk", Of: "of " + within, When: point, At: time.Now()})
	return nil
}

// transport reports when the server has done its work and the caller does not know yet.
func (w *witness) transport(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(r)
		if strings.Contains(r.URL.Path, "/secrets/rotate") {
			w.mu.Lock()
			within := w.within
			w.mu.Unlock()
			w.tell(moment{What: "answer", Of: "of " + within, When: "unread", At: time.Now()})
		}
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// seenTarget is a target that is also its prober.
type seenTarget struct {
	*witness
	rotate.Target
	rotate.Prober
}

func (t seenTarget) Start(ctx context.Context, id string) (next secret.String, err error) {
	err = t.around(moment{What: "start"}, func() (err error) {
		next, err = t.Target.Start(ctx, id)
		return err
	}, func(m *moment) { m.Secret = fingerprint(next) })
	return next, err
}

func (t seenTarget) Complete(ctx context.Context, id string) error {
	return t.around(moment{What: "complete"}, func() error { return t.Target.Complete(ctx, id) }, nil)
}

func (t seenTarget) Cancel(ctx context.Context, id string) error {
	return t.around(moment{What: "cancel"}, func() error { return t.Target.Cancel(ctx, id) }, nil)
}

func (t seenTarget) LastFour(ctx context.Context, id string) (seen secret.LastFour, err error) {
	err = t.around(moment{What: "look"}, func() (err error) {
		seen, err = t.Target.LastFour(ctx, id)
		return err
	}, nil)
	return seen, err
}

func (t seenTarget) Probe(ctx context.Context, id string, s secret.String) (accepted bool, err error) {
	err = t.around(moment{What: "prove", Secret: fingerprint(s)}, func() (err error) {
		accepted, err = t.Prober.Probe(ctx, id, s)
		return err
	}, func(m *moment) { m.Accepted = accepted })
	return accepted, err
}

// seenPlace is a deliverer that can be read.
type seenPlace struct {
	*witness
	name  string
	place interface {
		rotate.Deliverer
		rotate.Reader
	}
}

func (p seenPlace) Deliver(ctx context.Context, d rotate.Delivery) error {
	m := moment{What: "deliver", Of: p.name, Secret: fingerprint(d.Secret), Current: fingerprint(d.Previous)}
	return p.around(m, func() error { return p.place.Deliver(ctx, d) }, nil)
}

func (p seenPlace) Read(ctx context.Context, id string) (held rotate.Delivery, err error) {
	err = p.around(moment{What: "read", Of: p.name}, func() (err error) {
		held, err = p.place.Read(ctx, id)
		return err
	}, nil)
	return held, err
}

// Check checks the place if it can be checked.
func (p seenPlace) Check(ctx context.Context, id string) error {
	c, ok := p.place.(rotate.Checker)
	if !ok {
		return nil
	}
	return p.around(moment{What: "check", Of: p.name}, func() error { return c.Check(ctx, id) }, nil)
}

type seenJournal struct {
	*witness
	journal rotate.Journal
}

func (j seenJournal) Claim(ctx context.Context, id string, life time.Duration) (claim rotate.Claim, err error) {
	err = j.around(moment{What: "claim"}, func() (err error) {
		claim, err = j.journal.Claim(ctx, id, life)
		return err
	}, func(m *moment) { m.Current, m.Next = pair(claim.Record()) })
	if err != nil {
		return nil, err
	}
	return seenClaim{j.witness, claim}, nil
}

func (j seenJournal) Read(ctx context.Context, id string) (rotate.Record, error) {
	return j.journal.Read(ctx, id)
}

func (j seenJournal) Unfinished(ctx context.Context) iter.Seq2[string, error] {
	return j.journal.Unfinished(ctx)
}

func pair(r rotate.Record) (current, next string) { return fingerprint(r.Current), fingerprint(r.Next) }

type seenClaim struct {
	*witness
	claim rotate.Claim
}

func (c seenClaim) Record() rotate.Record { return c.claim.Record() }

func (c seenClaim) Write(ctx context.Context, r rotate.Record) error {
	m := moment{What: "write", Of: string(r.State)}
	if r.Abort && !r.State.Final() {
		m.Of += ", giving up"
	}
	m.Current, m.Next = pair(r)
	return c.around(m, func() error { return c.claim.Write(ctx, r) }, nil)
}

func (c seenClaim) Release(ctx context.Context) error {
	return c.around(moment{What: "release"}, func() error { return c.claim.Release(ctx) }, nil)
}
