package fleet_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

type goneFault struct{ fault }

func (*goneFault) Gone() bool { return true }

// TestFleetGone deletes more clients in the middle of their rotation than may fail. They are no
// failures: the others are rotated, and the next Resume has nothing to do.
func TestFleetGone(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, s *memory) {
		ids := names(60)
		deleted, kept := ids[:40], ids[40:]
		rotator := p.rotator(t, j, rotate.WithGrace(time.Hour))
		for _, id := range ids {
			if err := rotator.Plan(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if status, err := rotator.Advance(t.Context(), id); err != nil || status.Wait == 0 {
				t.Fatal(status, err)
			}
		}
		p.hook = func(what, id string) error {
			if what != "deliver" && slices.Contains(deleted, id) {
				return &goneFault{fault{"no such client"}}
			}
			return nil
		}
		time.Sleep(2 * time.Hour)
		f := newFleet(t, rotator, fleet.WithMaxFailures(1))
		report, err := f.Resume(t.Context())
		if err != nil || len(report.Failures) > 0 {
			t.Fatal(err, report.Failures)
		}
		if report.Gone != len(deleted) {
			t.Errorf("%d clients are gone, want %d", report.Gone, len(deleted))
		}
		counts(t, report, fleet.Report{Done: len(kept)})
		p.once(t, kept)
		if n := s.count(rotate.Gone); n != len(deleted) {
			t.Errorf("%d records are final", n)
		}
		calls := p.calls
		if report, err = f.Resume(t.Context()); err != nil || report.Gone != 0 || p.calls != calls {
			t.Errorf("a second Resume: %+v, %v", report, err)
		}
		if report, err = f.Run(t.Context(), each(deleted)); err != nil || report.Gone != len(deleted) || report.Failed > 0 {
			t.Errorf("a list with clients that do not exist: %+v, %v", report, err)
		}
	})
}
