package rotate_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// bomb is everything that a caller provides. The part at which it is set panics once, in the call
// of the given number, and quotes the secrets that it knows.
type bomb struct {
	*world
	at     string
	left   int
	claims int // that are held
}

func (b *bomb) tick(at string) {
	if b.at != at {
		return
	}
	if b.left--; b.left == 0 {
		panic("boom " + b.record.Current.Reveal() + " " + b.record.Next.Reveal())
	}
}

func (b *bomb) Now() time.Time { b.tick("Journal.Now"); return time.Now() }

func (b *bomb) Start(ctx context.Context, id string) (secret.String, error) {
	b.tick("Target.Start")
	return b.world.Start(ctx, id)
}

func (b *bomb) Complete(ctx context.Context, id string) error {
	b.tick("Target.Complete")
	return b.world.Complete(ctx, id)
}

func (b *bomb) Cancel(ctx context.Context, id string) error {
	b.tick("Target.Cancel")
	return b.world.Cancel(ctx, id)
}

func (b *bomb) LastFour(ctx context.Context, id string) (secret.LastFour, error) {
	b.tick("Target.LastFour")
	return b.world.LastFour(ctx, id)
}

func (b *bomb) Probe(ctx context.Context, id string, s secret.String) (bool, error) {
	b.tick("Prober.Probe")
	return b.world.Probe(ctx, id, s)
}

func (b *bomb) Claim(ctx context.Context, id string, life time.Duration) (rotate.Claim, error) {
	b.tick("Journal.Claim")
	c, err := b.world.Claim(ctx, id, life)
	if err == nil {
		b.claims++
	}
	return bombClaim{c, b}, err
}

func (b *bomb) Read(ctx context.Context, id string) (rotate.Record, error) {
	b.tick("Journal.Read")
	return b.world.Read(ctx, id)
}

func (b *bomb) Unfinished(ctx context.Context) iter.Seq2[string, error] {
	return b.world.Unfinished(ctx)
}

type bombClaim struct {
	rotate.Claim
	b *bomb
}

func (c bombClaim) Record() rotate.Record {
	c.b.tick("Claim.Record")
	return c.Claim.Record()
}

func (c bombClaim) Write(ctx context.Context, r rotate.Record) error {
	c.b.tick("Claim.Write")
	return c.Claim.Write(ctx, r)
}

func (c bombClaim) Release(ctx context.Context) error {
	c.b.tick("Claim.Release")
	c.b.claims--
	return c.Claim.Release(ctx)
}

type bombPlace struct {
	worldSink
	b *bomb
}

func (p bombPlace) Deliver(ctx context.Context, d rotate.Delivery) error {
	p.b.tick("Deliver")
	return p.worldSink.Deliver(ctx, d)
}

func (p bombPlace) Read(ctx context.Context, id string) (rotate.Delivery, error) {
	p.b.tick("Read")
	return p.worldSink.Read(ctx, id)
}

func (p bombPlace) Check(ctx context.Context, id string) error {
	p.b.tick("Check")
	return p.worldSink.Check(ctx, id)
}

type bombLimiter struct{ b *bomb }

func (l bombLimiter) Wait(ctx context.Context) error { l.b.tick("Limiter.Wait"); return ctx.Err() }
func (l bombLimiter) Throttle(time.Duration)         { l.b.tick("Limiter.Throttle") }
func (l bombLimiter) Rate() float64                  { l.b.tick("Limiter.Rate"); return 1 }

// TestPanics has each function that a caller provides panic. It is the failure of that call, the
// observers get the stack, and the rotation can be resumed.
func TestPanics(t *testing.T) {
	for at, want := range map[string]error{
		"Journal.Claim 1":    rotate.ErrJournal,
		"Claim.Record 1":     rotate.ErrJournal,
		"Journal.Now 1":      rotate.ErrJournal,
		"Claim.Write 1":      rotate.ErrJournal,
		"Claim.Write 3":      rotate.ErrJournal,
		"Claim.Release 1":    nil, // it expires
		"Target.LastFour 1":  errAny,
		"Target.LastFour 2":  errAny,
		"Target.Start 1":     nil, // it may have been sent, so it is looked into
		"Target.Complete 1":  nil,
		"Target.Cancel 1":    nil, // of a start whose response was lost
		"Prober.Probe 1":     errAny,
		"Prober.Probe 2":     errAny,
		"Deliver 1":          rotate.ErrDelivery,
		"Read 1":             rotate.ErrDelivery,
		"Read 2":             rotate.ErrDelivery,
		"Check 1":            rotate.ErrDelivery,
		"Limiter.Wait 1":     errAny,
		"Limiter.Wait 4":     errAny,
		"Limiter.Throttle 1": nil,
		"WithCurrent 1":      errAny,
		"WithReady 1":        errAny,
		"WithObserver 1":     nil,
		"WithObserver 4":     nil,
	} {
		t.Run(at, bubble(func(t *testing.T) { testPanic(t, at, want) }))
	}
}

// errAny stands for an error of no kind.
var errAny = errors.New("any")

func testPanic(t *testing.T, at string, want error) {
	w := newWorld("a")
	w.before = map[string]func(){
		"start 1":   func() { w.fates = []fate{lostAfter} },
		"pending 3": func() { w.fates = []fate{throttledCall} },
	}
	b := &bomb{world: w, left: int(at[len(at)-1] - '0'), at: at[:len(at)-2]}
	if b.at == "Target.Start" {
		w.before["start 1"] = nil
	}
	var events []rotate.Event
	options := []rotate.Option{
		rotate.WithLimiter(bombLimiter{b}),
		rotate.WithReady(func(context.Context, string) (bool, error) { b.tick("WithReady"); return true, nil }, time.Second),
		rotate.WithObserver(func(context.Context, rotate.Event) { b.tick("WithObserver") }),
		rotate.WithObserver(func(_ context.Context, e rotate.Event) { events = append(events, e) }),
	}
	if b.at == "WithCurrent" {
		options = append(options, rotate.WithCurrent(func(context.Context, string) (secret.String, error) {
			b.tick("WithCurrent")
			return secret.New("secret-0000"), nil
		}))
	}
	r, err := rotate.New(b, bombPlace{worldSink{w, "a"}, b}, b, options...)
	if err != nil {
		t.Fatal(err)
	}
	err = r.Run(t.Context(), "client")
	switch {
	case (err == nil) != (want == nil), want != errAny && !errors.Is(err, want):
		t.Errorf("Run: %v, want %v", err, want)
	case err != nil && (!strings.Contains(err.Error(), b.at+" panicked: boom") || strings.Contains(err.Error(), "secret-0")):
		t.Errorf("the error does not say what happened, or quotes a secret: %q", strings.ReplaceAll(err.Error(), "secret-0", "(!) "))
	}
	if b.left > 0 {
		t.Fatalf("it did not panic; the calls were %s", strings.Join(w.log, " "))
	}
	seen := false
	for _, e := range events {
		if e.Stack == "" {
			continue
		}
		seen = true
		if e.From != e.To || e.Err == nil || !strings.Contains(e.Stack, "guard_test.go") || strings.Contains(e.Stack+e.Err.Error(), "secret-0") {
			t.Errorf("the event of the panic is %+v", e)
		}
	}
	if !seen {
		t.Error("the observers do not have the stack")
	}
	if err := r.Run(t.Context(), "client"); err != nil || w.sinks["a"].Secret.Reveal() != w.current {
		t.Errorf("the next run: %v", err)
	}
	if b.claims > 0 && b.at != "Claim.Release" {
		t.Errorf("%d claims are still held", b.claims)
	}
	for _, wrong := range w.wrongs {
		t.Error(wrong)
	}
}

// TestPanicsOfReads is for the methods that rotate nothing.
func TestPanicsOfReads(t *testing.T) { synctest.Test(t, testPanicsOfReads) }

func testPanicsOfReads(t *testing.T) {
	for at, call := range map[string]func(*rotate.Rotator) error{
		"Journal.Read":    func(r *rotate.Rotator) error { _, err := r.Status(t.Context(), "client"); return err },
		"Target.LastFour": func(r *rotate.Rotator) error { _, err := r.Forecast(t.Context(), "client"); return err },
		"Limiter.Rate":    func(r *rotate.Rotator) error { _, err := r.Forecast(t.Context(), "client"); return err },
		"Claim.Record": func(r *rotate.Rotator) error {
			_, err := r.AdvanceClaim(t.Context(), bombClaim{&worldClaim{newWorld("a")}, &bomb{world: newWorld("a"), at: "Claim.Record", left: 1}}, time.Now())
			return err
		},
	} {
		w := newWorld("a")
		b := &bomb{world: w, at: at, left: 1}
		var stack string
		r, err := rotate.New(b, worldSink{w, "a"}, b, rotate.WithLimiter(bombLimiter{b}),
			rotate.WithObserver(func(_ context.Context, e rotate.Event) { stack += e.Stack }))
		if err != nil {
			t.Fatal(err)
		}
		if err := call(r); err == nil || !strings.Contains(err.Error(), at+" panicked: boom") || !strings.Contains(stack, "guard_test.go") {
			t.Errorf("%s: %v, stack of %d bytes", at, err, len(stack))
		}
	}
}

// nilError is an error whose methods panic: a nil pointer that was returned as an error.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// TestErrorsThatPanic has a deliverer return a nil pointer as its error, and one leave its
// goroutine.
func TestErrorsThatPanic(t *testing.T) { synctest.Test(t, testErrorsThatPanic) }

func testErrorsThatPanic(t *testing.T) {
	for name, f := range map[string]func() error{
		"Deliver panicked": func() error { return (*nilError)(nil) },
		"Goexit":           func() error { runtime.Goexit(); return nil },
	} {
		w := newWorld("a")
		bad := rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { return f() })
		r, err := rotate.New(w, rotate.Deliverers{"a": worldSink{w, "a"}, "b": bad}, w)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err = r.Run(t.Context(), "client")
		if !errors.Is(err, rotate.ErrDelivery) || !strings.Contains(err.Error(), name) || w.record.State != rotate.Started {
			t.Errorf("%s: %v", name, err)
		}
		if time.Since(began) > 30*time.Second {
			t.Errorf("%s: it took %v", name, time.Since(began))
		}
	}
}
