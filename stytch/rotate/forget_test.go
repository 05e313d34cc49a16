package rotate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestForget gives the record of a rotation in its grace period up, or refuses to.
func TestForget(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(w *world)
		options []rotate.Option
		want    error // nil: the record is given up
	}{
		"both secrets stand in the place":  {prepare: func(*world) {}},
		"the place holds the previous one": {prepare: func(w *world) { w.sinks["a"] = rotate.Delivery{Secret: w.record.Current} }},
		"the place holds another one that works": {prepare: func(w *world) {
			w.current, w.next = "secret-9999", ""
			w.sinks["a"] = rotate.Delivery{Secret: secret.New(w.current)}
		}},
		"neither secret works": {prepare: func(w *world) { w.current, w.next = "secret-9999", "" }},
		"the client is gone":   {prepare: func(w *world) { w.goneFor = -1 }},
		"the caller has the secret": {
			prepare: func(w *world) { w.outsiderCompletes(); w.sinks["a"] = rotate.Delivery{} },
			options: []rotate.Option{rotate.WithCurrent(func(context.Context, string) (secret.String, error) { return secret.New("secret-0001"), nil })},
		},
		"the place is empty": {
			prepare: func(w *world) { w.sinks["a"] = rotate.Delivery{} },
			want:    rotate.ErrOnlySecret,
		},
		"the place cannot be read": {
			prepare: func(w *world) {
				w.before[fmt.Sprint("read ", w.count("read")+1)] = func() { w.fates = []fate{refusedCall} }
			},
			want: rotate.ErrOnlySecret,
		},
		"the next secret is the only one that works, and the place has the previous one": {
			prepare: func(w *world) {
				w.outsiderCompletes()
				w.sinks["a"] = rotate.Delivery{Secret: w.record.Current}
			},
			want: rotate.ErrOnlySecret,
		},
		"a proof fails": {
			prepare: func(w *world) {
				w.before[fmt.Sprint("probe ", w.count("probe")+1)] = func() { w.fates = []fate{lostBefore} }
			},
			want: &fault{text: "probe lost"},
		},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.outsider, w.before = true, map[string]func(){}
			w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour)))
			test.prepare(w)
			before, cancels, completes, log := w.record, w.cancels, w.completes, []rotate.Event(nil)
			err := w.rotator(append(test.options, rotate.WithObserver(func(_ context.Context, e rotate.Event) { log = append(log, e) }))...).Forget(t.Context(), "client")
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if w.cancels != cancels || w.completes != completes || w.count("deliver") != 1 {
				t.Error("more than the journal was changed")
			}
			if test.want != nil {
				if w.record.State != before.State || !w.record.Current.Equal(before.Current) || !w.record.Next.Equal(before.Next) || strings.Contains(err.Error(), "secret-0") {
					t.Errorf("the record was changed, or the error quotes a secret: %v", err)
				}
				if len(log) != 1 || log[0].Err == nil {
					t.Errorf("observers saw %v", log)
				}
				return
			}
			if w.record.State != rotate.Gone || !w.record.Current.IsZero() || !w.record.Next.IsZero() {
				t.Errorf("the record is %s, or has a secret", w.record.State)
			}
			if len(log) != 1 || log[0].From != rotate.Grace || log[0].To != rotate.Gone {
				t.Errorf("observers saw %v", log)
			}
			if err := w.rotator().Forget(t.Context(), "client"); !errors.Is(err, rotate.ErrNoRotation) {
				t.Errorf("a second time: %v", err)
			}
		}))
	}
}

// TestForgetAdvice does what the error says: it puts the only secret where it is used, and tries
// again.
func TestForgetAdvice(t *testing.T) {
	bubble(func(t *testing.T) {
		w := newWorld("a")
		w.outsider = true
		if err := w.rotator().Forget(t.Context(), "client"); !errors.Is(err, rotate.ErrNoRotation) {
			t.Fatal(err)
		}
		w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour)))
		w.sinks["a"] = rotate.Delivery{}
		err := w.rotator().Forget(t.Context(), "client")
		if !errors.Is(err, rotate.ErrOnlySecret) || !strings.Contains(err.Error(), "put that secret where it is used") {
			t.Fatal(err)
		}
		w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: w.record.Current}
		if err := w.rotator().Forget(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		if err := w.rotator().Run(t.Context(), "client"); !errors.Is(err, rotate.ErrOtherRotation) { // which is left at the server
			t.Fatal(err)
		}
		if err := w.rotator(rotate.WithTakeOver()).Run(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		w.usable(t)
	})(t)
}
