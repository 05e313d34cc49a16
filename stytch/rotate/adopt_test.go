package rotate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// loseJournal takes a rotation to a state and removes its record.
func (w *world) loseJournal(t *testing.T, state rotate.State) {
	t.Helper()
	r := w.rotator(rotate.WithGrace(time.Minute))
	if err := r.Plan(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		s, err := r.Step(t.Context(), "client")
		if err != nil {
			t.Fatal(err)
		}
		if s.State == state {
			w.record = rotate.Record{}
			return
		}
		time.Sleep(s.Wait)
	}
	t.Fatalf("%s was not reached", state)
}

// TestLostJournal loses the journal in each state. A person then does what each error says, word
// for word, and nothing else. The rotation that was in progress is completed where the places have
// both secrets.
func TestLostJournal(t *testing.T) {
	for _, state := range []rotate.State{rotate.Started, rotate.Delivered, rotate.Verified, rotate.Grace, rotate.Completing} {
		t.Run(string(state), bubble(func(t *testing.T) {
			w := newWorld("a", "b")
			w.loseJournal(t, state)
			want, verb := "secret-0001", "Adopt"
			if state == rotate.Started { // no place has the next secret yet
				want, verb = "secret-0002", "WithTakeOver"
			}
			err := w.rotator().Run(t.Context(), "client")
			if !errors.Is(err, rotate.ErrOtherRotation) || !strings.Contains(err.Error(), verb) {
				t.Fatalf("the error does not advise %s: %v", verb, err)
			}
			if err := w.obey(t.Context(), err); err != nil {
				t.Fatal(err)
			}
			if w.record.State != rotate.Completed || w.current != want || w.next != "" {
				t.Errorf("%s, and %s is in use", w.record.State, w.current)
			}
			w.usable(t)
			for _, wrong := range w.wrongs {
				t.Error(wrong)
			}
		}))
	}
}

// obey does what the advice of an error says.
func (w *world) obey(ctx context.Context, err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "Adopt"):
		return w.rotator().Adopt(ctx, "client")
	case strings.Contains(text, "WithTakeOver"):
		return w.rotator(rotate.WithTakeOver()).Run(ctx, "client")
	}
	return err
}

// TestAdopt refuses everything that is not proved, and changes nothing then.
func TestAdopt(t *testing.T) {
	held := func(w *world, current, next string) {
		w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: secret.New(next), Previous: secret.New(current)}
	}
	old := secret.New("secret-0000")
	for name, test := range map[string]struct {
		prepare func(w *world)
		options []rotate.Option
		want    error // nil: adopted and completed
		says    string
	}{
		"as it was left": {prepare: func(*world) {}},
		"the server does not report the end of the current secret": {prepare: func(w *world) { w.mute = true }},
		"a place that was not delivered to":                        {prepare: func(w *world) { w.sinks["b"] = rotate.Delivery{Secret: old} }},
		"the other way round":                                      {prepare: func(w *world) { held(w, w.next, w.current) }},
		"planned again": {prepare: func(w *world) {
			w.record = rotate.NewRecord("client", time.Now())
		}},
		"the record of an earlier rotation": {prepare: func(w *world) {
			w.record = rotate.NewRecord("client", time.Now())
			w.record.State, w.record.Current, w.record.Next = rotate.Verified, secret.New("secret-9998"), secret.New("secret-9999")
		}},
		"one secret in the place, and the other one from the caller": {
			prepare: func(w *world) { w.sinks["a"] = rotate.Delivery{Secret: secret.New(w.next)} },
			options: []rotate.Option{rotate.WithCurrent(func(context.Context, string) (secret.String, error) { return old, nil })},
		},
		"the current secret is lost": {
			prepare: func(w *world) { held(w, "", w.next) },
			options: []rotate.Option{rotate.WithUnknownCurrent()},
		},
		"nothing is pending":     {prepare: (*world).outsiderCompletes, want: rotate.ErrNoRotation, says: "Run"},
		"no place has the next":  {prepare: func(w *world) { held(w, w.current, "") }, want: rotate.ErrNotAdopted, says: "WithTakeOver"},
		"another one is pending": {prepare: func(w *world) { w.outsiderCancels(); w.outsiderStarts() }, want: rotate.ErrNotAdopted, says: "WithTakeOver"},
		"the next one ends alike and is refused": {
			prepare: func(w *world) { held(w, w.current, "another-0001") },
			want:    rotate.ErrNotAdopted, says: "refused",
		},
		"no place has the current":   {prepare: func(w *world) { held(w, "", w.next) }, want: rotate.ErrCurrentUnknown, says: "WithCurrent"},
		"the current one is another": {prepare: func(w *world) { held(w, "secret-9999", w.next) }, want: rotate.ErrCurrentUnknown},
		"the current one is refused": {prepare: func(w *world) { held(w, "another-0000", w.next) }, want: rotate.ErrCurrentRefused},
		"both end alike":             {prepare: func(w *world) { w.current = "another-0001"; held(w, w.current, w.next) }, want: rotate.ErrNotAdopted, says: "alike"},
		"both end alike, and the places hold one": {
			prepare: func(w *world) { w.current = "change-0001"; held(w, "", w.current) },
			options: []rotate.Option{rotate.WithUnknownCurrent()}, want: rotate.ErrNotAdopted, says: "alike",
		},
		"a place cannot be read":      {prepare: failing("read"), want: &fault{text: "read refused"}},
		"a proof fails":               {prepare: failing("probe"), want: &fault{text: "probe refused"}},
		"the server does not respond": {prepare: failing("pending"), want: &fault{text: "pending refused"}},
		"the journal cannot be written": {prepare: func(w *world) {
			w.before["write delivered 2"] = func() { w.fates = []fate{refusedCall} }
		}, want: rotate.ErrJournal},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			if strings.HasPrefix(name, "a place that was not") {
				w = newWorld("a", "b")
			}
			w.outsider, w.before = true, map[string]func(){}
			w.loseJournal(t, rotate.Delivered)
			test.prepare(w)
			next, before, minted := w.next, w.record, w.minted
			err := w.rotator(append(test.options, rotate.WithGrace(time.Minute))...).Adopt(t.Context(), "client")
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if err == nil {
				if w.current != next || w.record.State != rotate.Completed || w.minted != minted {
					t.Errorf("%s, %d secrets", w.record.State, w.minted)
				}
				w.usable(t)
				return
			}
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret-0") {
				t.Errorf("the error does not say %q, or quotes a secret: %v", test.says, err)
			}
			if w.next != next || w.record.State != before.State || w.cancels+w.completes > 0 {
				t.Errorf("something was changed: %s", w.record.State)
			}
		}))
	}
}

// failing makes the next call of a kind fail.
func failing(what string) func(*world) {
	return func(w *world) {
		w.before[fmt.Sprint(what, " ", w.count(what)+1)] = func() { w.fates = []fate{refusedCall} }
	}
}

// TestAdoptModel loses the journal after a random beginning. Doing what the errors say leads to a
// completed rotation, and the places have a secret that works at every moment.
func TestAdoptModel(t *testing.T) {
	sequences(t, 100, 3_000, func(ctx context.Context, t *rapid.T) {
		w := newWorld([]string{"a", "b"}[:rapid.IntRange(1, 2).Draw(t, "deliverers")]...)
		w.replaceOnStart = rapid.Bool().Draw(t, "replace")
		w.mute = rapid.Bool().Draw(t, "mute")
		options := drawOptions(t)
		w.fates = drawFates(t, fates)
		w.act(ctx, rapid.SampledFrom([]string{"run", "steps", "cancel"}).Draw(t, "action"), options)
		w.expect(t)
		w.record, w.fates = rotate.Record{}, nil
		err := w.rotator().Run(ctx, "client")
		w.expect(t)
		if err != nil {
			err = w.obey(ctx, err)
			w.expect(t)
		}
		if err != nil || w.record.State != rotate.Completed || w.next != "" {
			t.Fatalf("%v in %s", err, w.record.State)
		}
	})
}

// TestAdoptCrash kills the process at each call of an adoption. Run finishes it, or Adopt does.
func TestAdoptCrash(t *testing.T) { synctest.Test(t, testAdoptCrash) }

func testAdoptCrash(t *testing.T) {
	for crash := range 16 {
		w := newWorld("a")
		w.loseJournal(t, rotate.Verified)
		w.fates = append(make([]fate, crash), crashAfter)
		err := w.rotator().Adopt(t.Context(), "client")
		w.fates = nil
		if w.dead {
			if err = w.rotator().Run(t.Context(), "client"); errors.Is(err, rotate.ErrOtherRotation) {
				err = w.rotator().Adopt(t.Context(), "client")
			}
		}
		if err != nil || w.record.State != rotate.Completed || w.next != "" {
			t.Errorf("crash %d: %v in %s", crash, err, w.record.State)
		}
		w.usable(t)
	}
}
