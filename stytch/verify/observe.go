package verify

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/internal/strictjson"
)

// Stats counts what a [Verifier] has done. Numbers only grow. Accepted tokens are not counted: a
// counter that all threads share would cost a good part of the check itself.
type Stats struct {
	Refused        map[string]uint64 // by [Refusal.Reason], only those that occurred
	ObserverPanics uint64            // of the function of [WithObserver]; each is dropped
}

// Stats returns the numbers so far, in a map of their own.
func (v *Verifier) Stats() Stats {
	s := Stats{Refused: map[string]uint64{}}
	if v == nil || v.watch == nil {
		return s
	}
	for i := range v.watch.refused {
		if n := v.watch.refused[i].Load(); n > 0 {
			s.Refused[answers[i].reason] = n
		}
	}
	s.ObserverPanics = v.watch.panics.Load()
	return s
}

// watch counts what happens and reports it.
type watch struct {
	observer func(context.Context, Event) // nil: none
	refused  []atomic.Uint64              // by index in answers
	panics   atomic.Uint64
}

func newWatch(observer func(context.Context, Event)) *watch {
	return &watch{observer: observer, refused: make([]atomic.Uint64, len(answers))}
}

// report calls the observer. Its panic must end neither a request nor the process.
func (w *watch) report(ctx context.Context, e Event) {
	if w.observer == nil {
		return
	}
	if guard.Run("WithObserver", func() { w.observer(ctx, e) }) != nil {
		w.panics.Add(1)
	}
}

// refuse counts and reports a refusal. What the claims say is known only if the signature was good.
func (w *watch) refuse(ctx context.Context, raw string, claims *Claims, err error) {
	i := answerTo(err)
	w.refused[i].Add(1)
	if w.observer == nil {
		return
	}
	r := Refusal{Reason: answers[i].reason, KeyID: keyIDOf(raw)}
	if claims != nil {
		r.Kind, r.ClientID, r.Subject = claims.Kind, claims.ClientID, claims.Subject
	}
	w.report(ctx, Event{Kind: TokenRefused, Err: err, Refusal: r})
}

// keyIDOf returns the kid of a token that may be anything, fit for a log, or "".
func keyIDOf(raw string) string {
	const most = 4 << 10
	header, _, ok := strings.Cut(raw, ".")
	if !ok || len(header) > most {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		return ""
	}
	members, err := strictjson.Members(text, nil)
	if err != nil {
		return ""
	}
	for _, m := range members {
		if kid, ok := m.Text(); ok && string(m.Name) == "kid" {
			return redact.Printable(string(kid), 64)
		}
	}
	return ""
}

// stackOf returns the stack of a panic that is the cause of an error, or "".
func stackOf(err error) string {
	var p *guard.PanicError
	if errors.As(err, &p) {
		return p.Stack
	}
	return ""
}
