package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// unreadable is a journal in which some records cannot be read.
type unreadable struct {
	*memory
	bad map[string]error
}

func (u *unreadable) Read(ctx context.Context, id string) (rotate.Record, error) {
	if err := u.bad[id]; err != nil {
		return rotate.Record{}, err
	}
	return u.memory.Read(ctx, id)
}

func (u *unreadable) Claim(ctx context.Context, id string, life time.Duration) (rotate.Claim, error) {
	if err := u.bad[id]; err != nil {
		return nil, err
	}
	return u.memory.Claim(ctx, id, life)
}

func (u *unreadable) Unfinished(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for id, err := range u.bad {
			if !yield("", fmt.Errorf("%w: %s.json", err, id)) {
				return
			}
		}
		u.memory.Unfinished(ctx)(yield)
	}
}

// Records that cannot be read are lines of a report or a forecast, however many there are, and end
// neither.
func TestUnreadableRecords(t *testing.T) {
	const bad = 12 // more than may fail
	p, u := newServer(), &unreadable{newMemory(), map[string]error{}}
	ids := names(30)
	for i, id := range ids {
		if i < bad {
			u.bad[id] = []error{rotate.ErrCorrupt, rotate.ErrNewerVersion, rotate.ErrOtherProject, rotate.ErrWrongKey}[i%4]
		} else {
			u.records[id] = rotate.NewRecord(id, time.Now())
		}
	}
	f := newFleet(t, p.rotator(t, u))
	for name, clients := range map[string]iter.Seq2[string, error]{"of a list": each(ids), "of what is unfinished": nil} {
		forecast, err := f.Forecast(t.Context(), clients)
		if err != nil || forecast.Clients != len(ids)-bad || forecast.Failed != bad || len(forecast.Failures) != bad {
			t.Errorf("Forecast %s: %+v, %v", name, forecast, err)
		}
	}
	report, err := f.Resume(t.Context())
	if err != nil || len(report.Failures) != bad {
		t.Errorf("Resume: %+v, %v", report, err)
	}
	counts(t, report, fleet.Report{Done: len(ids) - bad, Failed: bad})
	if err := report.Err(); !errors.Is(err, rotate.ErrCorrupt) || !errors.Is(err, rotate.ErrWrongKey) {
		t.Errorf("Err: %v", err)
	}
	if report, err = f.Run(t.Context(), each(ids)); err != nil {
		t.Errorf("Run: %v", err)
	}
	counts(t, report, fleet.Report{Done: len(ids) - bad, Failed: bad})
	if err := (fleet.Report{Done: 1}).Err(); err != nil {
		t.Errorf("Err without failures: %v", err)
	}
}
