package fleet_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestFleetLostStarts is a fleet that died with its starts in flight, and comes back an hour later.
// It claims none of the pending secrets, and its error says what to do: resume with WithTakeOver,
// which touches only what the journal has unfinished.
func TestFleetLostStarts(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, s *memory) {
		ids, died := names(8), time.Now()
		for _, id := range ids {
			s.records[id] = rotate.Record{
				RotationID: "of-" + id, ClientID: id, State: rotate.Starting, Current: secret.New(initial(id)), PlannedAt: died, UpdatedAt: died,
			}
			p.client(id).next = "canary-lost"
		}
		p.client("by hand").next = "canary-by-hand"
		time.Sleep(time.Hour)
		report, err := newFleet(t, p.rotator(t, j)).Run(t.Context(), each(ids))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Failed: len(ids)})
		for _, err := range report.Failures {
			if !errors.Is(err, rotate.ErrOtherRotation) || !strings.Contains(err.Error(), "WithTakeOver") || !strings.Contains(err.Error(), "Resume") {
				t.Errorf("the failure does not say what to do: %v", err)
			}
		}
		rotator, err := p.rotator(t, j).With(rotate.WithTakeOver())
		if err != nil {
			t.Fatal(err)
		}
		report, err = newFleet(t, rotator).Resume(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: len(ids)})
		p.once(t, ids)
		if p.client("by hand").next == "" {
			t.Error("a rotation that the journal does not have was canceled")
		}
	})
}
