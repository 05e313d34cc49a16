package rotate_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// world is a server, a journal, a place that secrets are delivered to, and a clock, for one client.
// What happens to each call is decided by a list, and what must always hold is looked at around
// each call. It is the model that the engine is held against; it shares nothing with it but the
// interfaces.
type world struct {
	running atomic.Int32 // calls in progress
	// the server
	current, next   string
	replaceOnStart  bool // what start does while rotating
	ignoreWhileIdle bool // what complete and cancel do while idle
	deaf            bool // cancel and complete say yes and do nothing
	mute            bool // it does not reveal how the current secret ends
	goneFor         int  // calls of the server that say that the client does not exist; -1 for all
	undead          int  // proofs of a previous secret that it accepts
	latency         time.Duration
	single          bool // the places keep one secret only
	minted          int  // secrets
	completes       int  // that took effect
	cancels         int

	// what is durable outside of it
	record rotate.Record
	sinks  map[string]rotate.Delivery

	fates    []fate // of the next calls; afterwards all is well
	calls    int
	dead     bool // the process crashed: it reaches nothing any more
	outsider bool // another process rotates too, so that less can be promised
	log      []string
	written  []time.Time       // when the journal was
	before   map[string]func() // what another process does just before a call: by its name and number, such as "complete 1"
	proved   map[string]bool
	wrongs   []string
}

// fate is what happens to one call.
type fate uint8

const (
	well        fate = iota
	slow             // time passes
	refusedCall      // an answer that says no; nothing happened
	lostBefore       // no answer; nothing happened
	lostAfter        // no answer; it happened
	crashBefore
	crashAfter
	throttledCall
	fates

	somebodyStarts fate = iota - 1 // where there is an outsider
	somebodyCancels
	somebodyCompletes
	allFates
)

func newWorld(sinks ...string) *world {
	w := &world{current: "secret-0000", sinks: map[string]rotate.Delivery{}, proved: map[string]bool{}}
	for _, name := range sinks {
		w.sinks[name] = rotate.Delivery{ClientID: "client", Secret: secret.New(w.current)}
	}
	return w
}

// fault is an error as a target gives it.
type fault struct {
	text      string
	unknown   bool
	throttled bool
	gone      bool
}

func (f *fault) Error() string        { return f.text }
func (f *fault) Gone() bool           { return f.gone }
func (f *fault) OutcomeUnknown() bool { return f.unknown }
func (f *fault) Throttled() (time.Duration, bool) {
	return time.Second, f.throttled
}

// mostCalls is far more than any sequence of rotations of these tests makes.
const mostCalls = 5000

var errDead = &fault{text: "the process is dead", unknown: true}

// call is one call of whatever kind: effect is what it does if it gets through.
func (w *world) call(what string, effect func() error) error {
	w.running.Add(1)
	defer w.running.Add(-1)
	if w.dead {
		return errDead
	}
	defer w.check(what)
	if w.calls++; w.calls > mostCalls {
		w.dead = true
		w.wrong("the engine goes round in circles: %v", w.log[len(w.log)-10:])
		return errDead
	}
	w.log = append(w.log, what)
	if f := w.before[fmt.Sprint(what, " ", w.count(what))]; f != nil {
		f()
	}
	time.Sleep(10*time.Millisecond + w.latency)
	if w.goneFor != 0 && slices.Contains([]string{"pending", "probe", "start", "complete", "cancel"}, what) {
		w.goneFor--
		return &fault{text: what + ": no such client", gone: true}
	}
	next := well
	if len(w.fates) > 0 {
		next, w.fates = w.fates[0], w.fates[1:]
	}
	switch next {
	case somebodyStarts:
		if w.next == "" || w.replaceOnStart {
			w.outsiderStarts()
		}
	case somebodyCancels:
		w.outsiderCancels()
	case somebodyCompletes:
		w.outsiderCompletes()
	case slow:
		time.Sleep(7 * time.Second)
	case refusedCall:
		return &fault{text: what + " refused"}
	case throttledCall:
		return &fault{text: what + " throttled", throttled: true}
	case lostBefore:
		return &fault{text: what + " lost", unknown: true}
	case lostAfter:
		_ = effect()
		return &fault{text: what + " lost", unknown: true}
	case crashBefore:
		w.dead = true
		return errDead
	case crashAfter:
		_ = effect()
		w.dead = true
		return errDead
	}
	return effect()
}

// count is how often a call was made.
func (w *world) count(what string) (n int) {
	for _, made := range w.log {
		if made == what {
			n++
		}
	}
	return n
}

// outsiderStarts, outsiderCancels and outsiderCompletes are what another process does.
func (w *world) outsiderStarts() {
	w.minted++
	w.next = fmt.Sprintf("secret-%04d", w.minted)
}
func (w *world) outsiderCancels() { w.next = "" }
func (w *world) outsiderCompletes() {
	if w.next != "" {
		w.current, w.next = w.next, ""
	}
}

func (w *world) wrong(format string, args ...any) {
	w.wrongs = append(w.wrongs, fmt.Sprintf(format, args...))
}

func (w *world) accepts(s secret.String) bool {
	return !s.IsZero() && (s.Reveal() == w.current || s.Reveal() == w.next)
}

// check is I1: some stored secret works.
func (w *world) check(what string) {
	if w.outsider {
		return
	}
	stored := []secret.String{w.record.Current, w.record.Next}
	for _, held := range w.sinks {
		stored = append(stored, held.Secret, held.Previous)
	}
	if !slices.ContainsFunc(stored, w.accepts) {
		w.wrong("I1 after %s: no stored secret works", what)
	}
	// And who uses what was delivered always has one that works.
	for name, held := range w.sinks {
		if !w.accepts(held.Secret) && !w.accepts(held.Previous) {
			w.wrong("after %s: %s holds no secret that works", what, name)
		}
	}
}

// The server, which is also the prober.

func (w *world) Start(context.Context, string) (next secret.String, err error) {
	err = w.call("start", func() error {
		if w.next != "" && !w.replaceOnStart {
			return &fault{text: "already rotating"}
		}
		w.minted++
		w.next = fmt.Sprintf("secret-%04d", w.minted)
		next = secret.New(w.next)
		return nil
	})
	if err != nil {
		next = secret.String{}
	}
	return next, err
}

func (w *world) idle(what string) error {
	if w.ignoreWhileIdle {
		return nil
	}
	return &fault{text: what + ": not rotating"}
}

func (w *world) Complete(context.Context, string) error {
	return w.call("complete", func() error {
		switch {
		case w.next == "":
			return w.idle("complete")
		case w.deaf:
			return nil
		case w.outsider:
		case w.record.Next.Reveal() != w.next:
			w.wrong("I3: completed although the next secret is not stored")
		case !w.proved[w.next]:
			w.wrong("I3: completed although the next secret was not proved")
		case w.record.State != rotate.Completing:
			w.wrong("completed in state %s", w.record.State)
		}
		w.current, w.next = w.next, ""
		w.completes++
		return nil
	})
}

func (w *world) Cancel(context.Context, string) error {
	return w.call("cancel", func() error {
		if w.next == "" {
			return w.idle("cancel")
		}
		if w.deaf {
			return nil
		}
		if stored := w.record.Current.Reveal(); !w.proved[stored] || stored != w.current && !w.outsider { // who may act in between
			w.wrong("I4: canceled although the current secret was not proved")
		}
		w.next = ""
		w.cancels++
		return nil
	})
}

func (w *world) LastFour(context.Context, string) (seen secret.LastFour, err error) {
	err = w.call("pending", func() error {
		seen = secret.LastFour{Current: w.current[7:]}
		if w.mute {
			seen.Current = ""
		}
		if w.next != "" {
			seen.Next = w.next[7:]
		}
		return nil
	})
	return seen, err
}

func (w *world) Probe(_ context.Context, _ string, s secret.String) (accepted bool, err error) {
	err = w.call("probe", func() error {
		accepted = w.accepts(s)
		if w.undead > 0 && w.completes > 0 && !accepted {
			accepted = true
			w.undead--
		}
		w.proved[s.Reveal()] = accepted
		return nil
	})
	return accepted && err == nil, err
}

// The journal.

func (w *world) Claim(context.Context, string, time.Duration) (rotate.Claim, error) {
	if err := w.call("claim", func() error { return nil }); err != nil {
		return nil, err
	}
	return &worldClaim{w}, nil
}

func (w *world) Read(context.Context, string) (rotate.Record, error) {
	if w.record.State == "" {
		return rotate.Record{}, rotate.ErrNoRotation
	}
	return w.record, nil
}

func (w *world) Unfinished(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if w.record.State != "" && !w.record.State.Final() {
			yield("client", nil)
		}
	}
}

type worldClaim struct{ w *world }

func (c *worldClaim) Record() rotate.Record { return c.w.record }

func (c *worldClaim) Write(_ context.Context, r rotate.Record) error {
	return c.w.call("write "+string(r.State), func() error {
		c.w.record, c.w.written = r, append(c.w.written, time.Now())
		return nil
	})
}

func (c *worldClaim) Release(context.Context) error { return nil }

// The places.

type worldSink struct {
	w    *world
	name string
}

func (s worldSink) Deliver(_ context.Context, d rotate.Delivery) error {
	return s.w.call("deliver", func() error {
		if !d.Previous.IsZero() && s.w.record.Next.Reveal() != d.Secret.Reveal() {
			s.w.wrong("I2: told of a secret that is not stored")
		}
		if s.w.single {
			d.Previous = secret.String{}
		}
		s.w.sinks[s.name] = d
		return nil
	})
}

func (s worldSink) Read(context.Context, string) (held rotate.Delivery, err error) {
	err = s.w.call("read", func() error { held = s.w.sinks[s.name]; return nil })
	return held, err
}

func (s worldSink) Check(context.Context, string) error {
	return s.w.call("check", func() error { return nil })
}

// rotator is the engine in a new process.
func (w *world) rotator(options ...rotate.Option) *rotate.Rotator {
	w.dead, w.proved = false, map[string]bool{}
	deliverers := rotate.Deliverers{}
	for name := range w.sinks {
		deliverers[name] = worldSink{w, name}
	}
	r, err := rotate.New(w, deliverers, w, options...)
	if err != nil {
		panic(err)
	}
	return r
}

// named reports whether an error is one that a caller can distinguish, and whether what it says of
// the secrets is true.
func (w *world) named(err error) {
	var e *rotate.Error
	var f *fault
	if !errors.As(err, &e) {
		w.wrong("unnamed outcome %v", err)
		return
	}
	known := errors.As(err, &f)
	for _, sentinel := range []error{
		rotate.ErrNoRotation, rotate.ErrOtherRotation, rotate.ErrCurrentRefused, rotate.ErrCurrentUnknown, rotate.ErrNoWorkingSecret,
		rotate.ErrGone, rotate.ErrCompromised, rotate.ErrDelivery, rotate.ErrCanceled, rotate.ErrJournal, rotate.ErrInconsistent, context.Canceled,
	} {
		known = known || errors.Is(err, sentinel)
	}
	if !known {
		w.wrong("unnamed cause %v", err)
	}
	if w.outsider {
		return
	}
	if e.Stage != w.record.State && !(e.Stage == rotate.Planned && !w.active()) && e.Stage != "" && !w.dead && !errors.Is(err, rotate.ErrJournal) {
		w.wrong("stage %s, the journal has %s", e.Stage, w.record.State)
	}
}

func (w *world) active() bool { return w.record.State != "" && !w.record.State.Final() }

// bubble runs a test in a time of its own.
func bubble(f func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) { synctest.Test(t, f) }
}
