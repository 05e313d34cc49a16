package torture

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

// bad is a service whose input is bad until it is fixed.
type bad struct {
	*testing.T
	*service
	api     *stytch.Client
	secrets *stytch.Secrets
	prober  rotate.Prober
	place   interface {
		rotate.Deliverer
		rotate.Reader
	}
	options []rotate.Option
	rules   rules
	kept    []byte // what was in a file

	finishes int // completions and cancellations that were asked for
}

func newBad(t *testing.T, v variant) *bad {
	s := newService(t, v)
	api := newClient(t, s.server, s.Address)
	return &bad{T: t, service: s, api: api, secrets: api.M2M.Secrets, prober: api.M2M.Secrets, place: deliver.File(s.File)}
}

func (b *bad) rotate() error {
	journal, err := b.journal()
	if err != nil {
		return err
	}
	w := &witness{tell: func(m moment) {
		if m.When == "before" && (m.What == "complete" || m.What == "cancel") {
			b.finishes++
		}
		b.rules.see(m)
	}}
	r, err := rotate.New(seenTarget{w, b.secrets, b.prober}, seenPlace{w, "place", b.place}, seenJournal{w, journal}, b.options...)
	if err != nil {
		return err
	}
	return r.Run(b.Context(), b.Client)
}

// begin leaves a rotation that is ready to be completed.
func (b *bad) begin() {
	b.Helper()
	b.options = []rotate.Option{rotate.WithReady(func(context.Context, string) (bool, error) { return false, fs.ErrClosed }, time.Second)}
	if err := b.rotate(); !errors.Is(err, fs.ErrClosed) {
		b.Fatal(err)
	}
	b.options = nil
}

func (b *bad) record() string { return filepath.Join(b.Journal, b.Client+".json") }

// edit changes a file, and keeps what was in it.
func (b *bad) edit(path string, change func([]byte) []byte) {
	b.Helper()
	var err error
	if b.kept, err = os.ReadFile(path); err != nil {
		b.Fatal(err)
	}
	b.must(os.WriteFile(path, change(bytes.Clone(b.kept)), 0o600))
}

func (b *bad) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bad) status(status stytch.M2MClientStatus) {
	b.Helper()
	_, err := b.api.M2M.Update(b.Context(), b.Client, stytch.M2MUpdate{Status: stytch.Set(status)})
	b.must(err)
}

var both = rotate.Working{Current: rotate.Accepted, Next: rotate.Accepted}

type badInput struct {
	name    string
	variant variant
	spoil   func(*bad)
	want    []error // errors.Is
	stage   rotate.State
	working rotate.Working
	mend    func(*bad) // nil: nothing can be done
}

// oddPlace has its own idea of what a delivery is.
type oddPlace struct {
	rotate.Reader
	deliver func(context.Context, rotate.Delivery) error
}

func (p *oddPlace) Deliver(ctx context.Context, d rotate.Delivery) error { return p.deliver(ctx, d) }

// TestBadInput breaks one thing at a time. The error has the name of it, is right about the
// journal and the secrets, and nothing was completed or canceled. When the cause is fixed, one run
// completes.
func TestBadInput(t *testing.T) {
	rows := append(append(journalRows(), serverRows()...), placeRows()...)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.variant == (variant{}) {
				row.variant = variants[0]
			}
			b := newBad(t, row.variant)
			row.spoil(b)
			b.check(row, b.rotate())
			if b.finishes > 0 {
				t.Errorf("%d completions and cancellations", b.finishes)
			}
			if row.mend == nil {
				return
			}
			row.mend(b)
			if err := b.rotate(); err != nil {
				t.Errorf("after the cause was fixed: %v", err)
			}
			b.checkEnd(rotate.Completed)
			for _, text := range append(b.wrongs, b.rules.broken...) {
				t.Error(text)
			}
		})
	}
}

func (b *bad) check(row badInput, err error) {
	b.Helper()
	for _, want := range row.want {
		if !errors.Is(err, want) {
			b.Errorf("not %v: %v", want, err)
		}
	}
	for _, s := range b.service.secrets() {
		if err != nil && bytes.Contains([]byte(err.Error()), []byte(s.Reveal())) {
			b.Error("a secret is in the error")
		}
	}
	var e *rotate.Error
	if !errors.As(err, &e) {
		if row.stage != "" {
			b.Errorf("not an *rotate.Error: %v", err)
		}
		return
	}
	if e.Stage != row.stage || e.Working != row.working {
		b.Errorf("the error says %q and %v, want %q and %v: %v", e.Stage, e.Working, row.stage, row.working, err)
	}
	if stored, record, readErr := b.stored(); readErr == nil && record.State != "" {
		if record.State != row.stage {
			b.Errorf("the error says %q, the journal %q", e.Stage, record.State)
		}
		for i, said := range []rotate.Verdict{e.Working.Current, e.Working.Next} {
			if works := b.accepts(b.Client, stored[i]); said == rotate.Accepted && !works || said == rotate.Refused && works {
				b.Errorf("secret %d %v, but in truth it is accepted: %v", i, said, works)
			}
		}
	}
}
