package fleet_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestForecastIsTheBill compares a forecast with the requests that a fleet then sends, and with the
// tokens that the server then issued: with current secrets that are known, that are not known, and
// with both kinds, some of them without permission to go on.
func TestForecastIsTheBill(t *testing.T) {
	n := heavy.CountLong(40, 300, 1000)
	for name, test := range map[string]struct {
		knows   func(i int) bool
		options []rotate.Option
		failed  int
	}{
		"known":             {knows: func(int) bool { return true }},
		"unknown":           {knows: func(int) bool { return false }, options: []rotate.Option{rotate.WithUnknownCurrent()}},
		"half":              {knows: func(i int) bool { return i%2 == 0 }, options: []rotate.Option{rotate.WithUnknownCurrent()}},
		"half, and refused": {knows: func(i int) bool { return i%2 == 0 }, failed: n / 2},
		"compromised":       {knows: func(int) bool { return true }, options: []rotate.Option{rotate.WithCompromised()}},
		"grace, which is over when what was learned is old": {
			knows:   func(i int) bool { return i%2 == 0 },
			options: []rotate.Option{rotate.WithUnknownCurrent(), rotate.WithGrace(5500 * time.Millisecond)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "grace") {
				heavy.Only(t)
			}
			t.Parallel()
			ids, first := names(n), map[string]secret.String{}
			local := emulatortest.NewServer(t, emulator.WithM2MClients(n, func(i int) emulator.M2MClientSeed {
				s := secret.Generate()
				if test.knows(i) {
					first[ids[i]] = s
				}
				return emulator.M2MClientSeed{ClientID: ids[i], Secret: s.Reveal()}
			}))
			var calls atomic.Int64
			api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL),
				stytch.WithObserver(func(context.Context, stytch.Attempt) { calls.Add(1) }))
			if err != nil {
				t.Fatal(err)
			}
			nowhere := rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { return nil })
			current := rotate.WithCurrent(func(_ context.Context, id string) (secret.String, error) { return first[id], nil })
			rotator, err := rotate.New(api.M2M.Secrets, nowhere, newMemory(), append(test.options, current)...)
			if err != nil {
				t.Fatal(err)
			}
			f, err := fleet.New(rotator, fleet.WithMaxFailures(n+1))
			if err != nil {
				t.Fatal(err)
			}
			forecast, err := f.Forecast(t.Context(), each(ids))
			if err != nil {
				t.Fatal(err)
			}
			if calls.Load() > 0 || local.TokensMinted("") > 0 {
				t.Error("the forecast sent requests")
			}
			report, err := f.Run(t.Context(), each(ids))
			if err != nil {
				t.Fatal(err)
			}
			counts(t, report, fleet.Report{Done: n - test.failed, Failed: test.failed})
			if forecast.Clients != report.Done || forecast.Failed != report.Failed || len(forecast.Failures) != min(test.failed, 100) {
				t.Errorf("forecast %d clients and %d failures", forecast.Clients, forecast.Failed)
			}
			for _, err := range forecast.Failures {
				if !errors.Is(err, rotate.ErrCurrentUnknown) {
					t.Error(err)
				}
			}
			for what, numbers := range map[string][2]int{
				"calls": {forecast.Calls, int(calls.Load())}, "billed tokens": {forecast.BilledTokens, local.TokensMinted("")},
			} {
				if off := math.Abs(float64(numbers[0]-numbers[1])) / float64(numbers[1]); off > 0.02 {
					t.Errorf("%s: forecast %d, and it was %d: off by %.1f %%", what, numbers[0], numbers[1], 100*off)
				} else {
					t.Logf("%s: forecast %d, and it was %d", what, numbers[0], numbers[1])
				}
			}
		})
	}
}
