package fleet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestFleetCompromised rotates a fleet whose secrets leaked, with a grace period in progress for
// half of it, at a server that still accepts one of them.
func TestFleetCompromised(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, s *memory) {
		ids := names(20)
		undead := ids[15]
		prober := rotate.ProberFunc(func(ctx context.Context, id string, v secret.String) (bool, error) {
			accepted, err := p.Probe(ctx, id, v)
			return accepted || id == undead, err
		})
		rotator := p.rotator(t, j, rotate.WithGrace(time.Hour), rotate.WithProber(prober))
		for _, id := range ids[:10] {
			if err := rotator.Plan(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if _, err := rotator.Advance(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		now, err := rotator.With(rotate.WithCompromised())
		if err != nil {
			t.Fatal(err)
		}
		f, began := newFleet(t, now), time.Now()
		report, err := f.Resume(t.Context()) // those in their grace period
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 10})
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it waited %v", took)
		}
		report, err = f.Run(t.Context(), each(ids[10:]))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 9, Failed: 1})
		if len(report.Failures) == 0 || !errors.Is(report.Failures[0], rotate.ErrCompromised) || s.state(undead) != rotate.Completing {
			t.Errorf("failures %v, %s", report.Failures, s.state(undead))
		}
		undead = ""
		if report, err = f.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 1})
		p.once(t, ids)
	})
}
