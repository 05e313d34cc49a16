package torture

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// TestFullDisk fills the disk at each step of each file in turn: once, or until there is room
// again. The journal may be what cannot be written, so nothing in it may be taken for granted.
func TestFullDisk(t *testing.T) {
	t.Cleanup(func() { atomicfile.Point = nil })
	for _, giveUp := range []bool{false, true} {
		for _, forGood := range []bool{false, true} {
			t.Run(fmt.Sprintf("give up %v, for good %v", giveUp, forGood), func(t *testing.T) {
				failed := 0
				for n := 1; ; n++ {
					reached, err := fullDisk(t, n, giveUp, forGood)
					if reached < n {
						t.Logf("%d steps, %d runs failed", n-1, failed)
						if n < 25 || failed == 0 {
							t.Errorf("only %d steps, %d failures", n-1, failed)
						}
						return
					}
					if err != nil {
						failed++
					}
				}
			})
		}
	}
}

// fullDisk makes the n-th step fail.
func fullDisk(t *testing.T, n int, giveUp, forGood bool) (reached int, failure error) {
	t.Helper()
	s := newService(t, variants[n%len(variants)])
	s.GiveUp = giveUp
	var r rules
	engine, err := s.rotator(&witness{tell: r.see})
	if err != nil {
		t.Fatal(err)
	}
	where := ""
	atomicfile.Point = func(step string) error {
		if reached++; reached == n {
			where = step
		}
		if reached == n || forGood && reached > n {
			return syscall.ENOSPC
		}
		return nil
	}
	failure = engine.Run(t.Context(), s.Client)
	atomicfile.Point = nil
	s.checkAlive("after the failure")
	if failure != nil && reached >= n {
		s.checkError(failure, where == "renamed")
	}
	if failure != nil && !errors.Is(failure, rotate.ErrCanceled) {
		if err := engine.Run(t.Context(), s.Client); err != nil && !errors.Is(err, rotate.ErrCanceled) {
			s.wrong("with room on the disk: %v", err)
		}
	}
	want := rotate.Completed
	if giveUp {
		want = rotate.Canceled
	}
	s.checkEnd(want)
	for _, text := range append(s.wrongs, r.broken...) {
		t.Errorf("full at step %d (%s): %s; first it was %v", n, where, text, failure)
	}
	return reached, failure
}

// following are the states that a record may be in already when its writing fails after it got its
// name.
var following = map[rotate.State][]rotate.State{
	rotate.Planned: {rotate.Starting}, rotate.Starting: {rotate.Started}, rotate.Started: {rotate.Delivered, rotate.Canceled},
	rotate.Delivered: {rotate.Verified}, rotate.Verified: {rotate.Completing}, rotate.Completing: {rotate.Completed},
}

// checkError is what an error of a full disk must say.
func (s *service) checkError(err error, named bool) {
	var e *rotate.Error
	if !errors.As(err, &e) || !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, rotate.ErrCanceled) {
		s.wrong("an error that does not tell its cause")
		return
	}
	stored, record, readErr := s.stored()
	if readErr != nil {
		s.wrong("the journal cannot be read: %v", readErr)
		return
	}
	if e.Stage != record.State && !(e.Stage == rotate.Planned && record.State == "") && !(named && slices.Contains(following[e.Stage], record.State)) {
		s.wrong("the error says %q, the journal %q", e.Stage, record.State)
	}
	issued := s.secrets()
	current, next := s.initial, issued[len(issued)-1]
	if !stored[1].IsZero() {
		next = stored[1]
	}
	if e.Working.Current == rotate.Accepted && !s.accepts(s.Client, current) || e.Working.Current == rotate.Refused && s.accepts(s.Client, current) {
		s.wrong("the error is wrong about the current secret: %v", e.Working)
	}
	if e.Working.Next == rotate.Accepted && !s.accepts(s.Client, next) || e.Working.Next == rotate.Refused && s.accepts(s.Client, next) {
		s.wrong("the error is wrong about the next secret: %v", e.Working)
	}
	for _, needle := range needles(s.secrets()) {
		if slices.ContainsFunc([]string{err.Error(), fmt.Sprintf("%#v", err)}, func(text string) bool { return strings.Contains(text, string(needle)) }) {
			s.wrong("a secret is in the error")
		}
	}
}
