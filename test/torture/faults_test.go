package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestFaults makes each call fail in each way at each of its first occurrences, once or for good.
// Whatever comes of it, no secret is lost, the error has a name and is right, and when
// nothing fails any more one run finishes.
func TestFaults(t *testing.T) {
	m := matrix{struck: map[string]int{}, wanted: map[string]int{}}
	t.Cleanup(func() { m.report(t) })
	for _, f := range families {
		for _, p := range plots {
			for _, operation := range f.operations {
				t.Run(f.name+"/"+p.name+"/"+operation, func(t *testing.T) {
					t.Parallel()
					m.run(t, f, p, operation)
				})
			}
		}
	}
}

// matrix counts.
type matrix struct {
	mu             sync.Mutex
	runs, failed   int
	struck, wanted map[string]int
}

func (m *matrix) run(t *testing.T, f family, p plot, operation string) {
	for i, e := range evils() {
		for j, at := range p.at {
			if raceDetector && j != i%len(p.at) {
				continue
			}
			c := faultCase{family: f, plot: p, operation: operation, evil: e, at: at, variant: variants[(i+at+1)%len(variants)]}
			synctest.Test(t, func(t *testing.T) { c.run(t) })
			for _, text := range c.wrongs {
				t.Errorf("%v: %s", &c, text)
			}
			m.mu.Lock()
			m.runs, m.failed = m.runs+1, m.failed+c.failed
			m.struck[operation+" "+e.name] += c.struck
			m.wanted[operation+" "+e.name] += 1
			m.mu.Unlock()
		}
	}
}

// report makes sure that there is no hole in the matrix: if all of it ran, every call met
// everything.
func (m *matrix) report(t *testing.T) {
	total := 0
	for _, n := range m.struck {
		total += n
	}
	t.Logf("%d rotations, %d met their fault, %d ended in an error first", m.runs, total, m.failed)
	whole := 0
	for _, p := range plots {
		whole += len(p.at)
	}
	for what, n := range m.wanted {
		if n == whole && m.struck[what] == 0 {
			t.Errorf("%s: never met", what)
		}
	}
}

type faultCase struct {
	family
	plot
	variant
	evil
	operation string
	at        int

	server  *server
	memory  *memory
	rules   rules
	rotator *rotate.Rotator
	remove  func()
	next    secret.String // the latest that was received
	mended  bool          // the second deliverer

	struck, failed int
	wrongs         []string // reported outside of the bubble, which would end the test at the first one
}

func (c *faultCase) wrong(format string, args ...any) {
	c.wrongs = append(c.wrongs, fmt.Sprintf(format, args...))
}

func (c *faultCase) String() string {
	return fmt.Sprintf("%s, %s, %s %s at %d, %s", c.family.name, c.plot.name, c.operation, c.evil.name, c.at, c.variant)
}

func (c *faultCase) run(t *testing.T) {
	c.set(t)
	err := c.rotator.Run(t.Context(), c.id)
	if n := c.requests(); n > max(c.at, 0) {
		c.struck = 1
	}
	c.remove()
	for n := 0; ; n++ {
		c.check(err)
		if err == nil {
			break
		}
		if n == 0 {
			c.failed = 1
		}
		if n == 3 || n == 2 && !c.cancels {
			c.wrong("not ended by run %d: %v", n+1, err)
			return
		}
		c.mended = n > 0 || errors.Is(err, rotate.ErrCanceled)
		rotator := c.rotator
		if c.lost && errors.Is(err, rotate.ErrOtherRotation) { // it took too long to come back: do as the error says
			if rotator, err = c.rotator.With(rotate.WithTakeOver()); err != nil {
				t.Fatal(err)
			}
		}
		err = rotator.Run(t.Context(), c.id)
	}
	c.checkEnd()
}

func (c *faultCase) set(t *testing.T) {
	c.server, c.memory = newServer(t, c.variant), &memory{}
	c.memory.held = rotate.Delivery{ClientID: c.id, Secret: c.server.initial}
	fault := c.fault(c.operation)
	if c.at != always {
		fault = fault.After(c.at).Times(1)
	}
	if c.lost {
		c.server.Inject(emulator.DropResponse(c.operations[0]).Times(1))
	}
	c.remove = c.server.Inject(fault)

	api := c.secrets(c.server.inside(t))
	w := &witness{tell: c.rules.see}
	target := seenTarget{w, received{api, &c.next}, c.prober(api)}
	places := rotate.Deliverers{"a": seenPlace{w, "a", memoryPlace{c.memory}}, "b": rotate.DelivererFunc(func(_ context.Context, d rotate.Delivery) error {
		if c.cancels && !c.grace && !c.mended && !d.Previous.IsZero() {
			return io.ErrShortWrite
		}
		return nil
	})}
	var options []rotate.Option
	if c.cancels {
		options = append(options, rotate.WithCancelOnFailure())
	}
	if c.grace {
		options = append(options, rotate.WithGrace(time.Minute), rotate.WithReady(func(context.Context, string) (bool, error) {
			if c.cancels && !c.mended {
				return false, io.ErrShortWrite
			}
			return true, nil
		}, time.Second))
	}
	var err error
	if c.rotator, err = rotate.New(target, places, seenJournal{w, c.memory}, options...); err != nil {
		t.Fatal(err)
	}
}

// received keeps the secrets that arrive.
type received struct {
	rotate.Target
	latest *secret.String
}

func (r received) Start(ctx context.Context, id string) (secret.String, error) {
	next, err := r.Target.Start(ctx, id)
	if !next.IsZero() { // also beside an error
		*r.latest = next
	}
	return next, err
}

func (c *faultCase) requests() (n int) {
	for _, r := range c.server.Requests() {
		if r.Operation == c.operation {
			n++
		}
	}
	return n
}

// check is for after each run, while nothing fails.
func (c *faultCase) check(err error) {
	accepts := func(s secret.String) bool { return c.server.accepts(c.id, s) }
	if !slices.ContainsFunc(c.memory.stored(), accepts) {
		c.wrong("I1: no stored secret works: %v", err)
	}
	if held := c.memory.held; !accepts(held.Secret) && !accepts(held.Previous) {
		c.wrong("the place holds no secret that works: %v", err)
	}
	for _, text := range c.rules.broken {
		c.wrong("%s", text)
	}
	c.rules.broken = nil
	if err == nil {
		return
	}
	var e *rotate.Error
	if !errors.As(err, &e) || !named(err) {
		c.wrong("an outcome without a name: %v", err)
		return
	}
	if stage := c.memory.record.State; e.Stage != stage && !(e.Stage == rotate.Planned && (stage == "" || stage.Final())) {
		c.wrong("the error says %q, the journal %q: %v", e.Stage, stage, err)
	}
	c.checkWorking("current", e.Working.Current, c.server.initial, err)
	c.checkWorking("next", e.Working.Next, c.next, err)
	for _, s := range c.server.secrets() {
		if strings.Contains(err.Error(), s.Reveal()) {
			c.wrong("a secret is in the error")
		}
	}
}

func (c *faultCase) checkWorking(which string, said rotate.Verdict, s secret.String, err error) {
	accepted := c.server.accepts(c.id, s)
	if said == rotate.Accepted && !accepted || said == rotate.Refused && accepted && !(c.lies && c.operation == "IssueM2MToken") {
		c.wrong("the error says that the %s secret %v, which is not so: %v", which, said, err)
	}
}

// named reports whether a cause can be recognized.
func named(err error) bool {
	var answer *stytch.Error
	if errors.As(err, &answer) {
		return true
	}
	for _, target := range []error{
		rotate.ErrOtherRotation, rotate.ErrCurrentRefused, rotate.ErrCurrentUnknown, rotate.ErrNoWorkingSecret, rotate.ErrDelivery,
		rotate.ErrCanceled, rotate.ErrJournal, rotate.ErrBusy,
		stytch.ErrOutcomeUnknown, stytch.ErrInvalidResponse, stytch.ErrInactive, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

func (c *faultCase) checkEnd() {
	held, record := c.memory.held, c.memory.record
	switch {
	case record.State != rotate.Completed || !record.Current.IsZero() || !record.Next.IsZero():
		c.wrong("the journal has %s, or still secrets", record.State)
	case !held.Secret.Equal(c.next) || !held.Previous.IsZero():
		c.wrong("the place does not hold the latest secret alone")
	case !c.server.accepts(c.id, held.Secret):
		c.wrong("the new secret is refused")
	case c.server.pending(c.id).Rotating():
		c.wrong("the server has a next secret")
	case c.server.accepts(c.id, c.server.initial):
		c.wrong("the former secret works still")
	}
}
