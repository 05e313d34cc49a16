package rotate

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// A forecast is what a run would cost if nothing fails.
type forecast struct {
	Clients      int     `json:"clients"`
	Skipped      int     `json:"skipped"`
	Failed       int     `json:"failed"`
	Requests     int     `json:"requests"`
	RequestsMin  int     `json:"requests_each_min"`
	RequestsMax  int     `json:"requests_each_max"`
	BilledTokens int     `json:"billed_tokens"`
	Seconds      float64 `json:"seconds"`

	longest time.Duration // of one client, without the rate
}

var forecastColumns = []cli.Column[forecast]{
	{Field: "clients", Title: "CLIENTS"},
	{Field: "skipped", Title: "SKIPPED"},
	{Field: "failed", Title: "FAILED"},
	{Field: "requests", Title: "REQUESTS"},
	{Field: "billed_tokens", Title: "BILLED TOKENS"},
	{Field: "seconds", Title: "SECONDS"},
}

// add adds the forecast of one client.
func (f *forecast) add(one rotate.Forecast, perSecond float64) {
	f.Clients += one.Clients
	f.Skipped += one.Skipped
	f.Failed += one.Failed
	f.Requests += one.Calls
	f.BilledTokens += one.BilledTokens
	if one.Clients > 0 {
		if f.RequestsMin == 0 || one.Calls < f.RequestsMin {
			f.RequestsMin = one.Calls
		}
		f.RequestsMax = max(f.RequestsMax, one.Calls)
		f.longest = max(f.longest, one.Duration-time.Duration(float64(one.Calls)/perSecond*float64(time.Second)))
	}
	f.Seconds = math.Ceil(f.longest.Seconds() + float64(f.Requests)/perSecond)
}

// line is the forecast as people read it.
func (f *forecast) line(rate pace) string {
	each := fmt.Sprint(f.RequestsMin)
	if f.RequestsMax != f.RequestsMin {
		each += fmt.Sprintf("-%d", f.RequestsMax)
	}
	parts := []string{
		counted(f.Clients, "client"), each + " requests each", counted(f.Requests, "request"), counted(f.BilledTokens, "billed token"),
		spell(roughly(time.Duration(f.Seconds)*time.Second)) + " at " + rate.String(),
	}
	if f.Skipped > 0 {
		parts = append(parts, grouped(f.Skipped)+" skipped")
	}
	if f.Failed > 0 {
		parts = append(parts, grouped(f.Failed)+" cannot be rotated")
	}
	return strings.Join(parts, " · ")
}

// roughly is a duration in minutes where seconds do not matter.
func roughly(d time.Duration) time.Duration {
	if d > 2*time.Minute {
		return d.Round(time.Minute)
	}
	return d
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(n) + " " + what
}

// grouped is a number with its thousands apart: 3,708.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func (f *runFlags) print(app *cli.App, c forecast) error {
	if app.Flags.Output == cli.Table && app.Flags.Fields == nil {
		_, err := fmt.Fprintln(app.Out, c.line(f.rate))
		return cli.PipeError(err)
	}
	return cli.PrintOne(app, c, forecastColumns...)
}

// forecastOne asks the server too, so it finds what would stop the rotation.
func (f *runFlags) forecastOne(ctx context.Context, e *engine, id string) error {
	one, err := e.rotator.Forecast(ctx, id)
	if err != nil {
		return stopped(ctx, err, f.stopContext(id))
	}
	var c forecast
	c.add(one, float64(f.rate))
	return f.print(e.app, c)
}

// forecast asks the journal and the places. Only a search sends requests.
func (f *runFlags) forecast(ctx context.Context, e *engine, clients iter.Seq2[string, error]) error {
	fl, err := fleet.New(e.rotator, fleet.WithOlderThan(time.Duration(f.olderThan)))
	if err != nil {
		return err
	}
	progress := e.app.Progress()
	defer progress.Close()
	var c forecast
	person := false
	for id, err := range clients {
		if err != nil {
			return stopped(ctx, err, f.stopContext(""))
		}
		one, err := fl.Forecast(ctx, func(yield func(string, error) bool) { yield(id, nil) })
		if err != nil {
			return stopped(ctx, err, f.stopContext(id))
		}
		for _, failure := range one.Failures {
			progress.Close()
			e.app.Warn("%s", describe(failure))
			person = person || resultOf(ctx, id, "", failure).Class == cli.NeedsHuman
		}
		c.add(one, float64(f.rate))
		progress.Show("%d clients", c.Clients+c.Skipped)
	}
	progress.Close()
	if err := f.print(e.app, c); err != nil {
		return err
	}
	switch {
	case person:
		return cli.Errorf(cli.NeedsHuman, "%d clients cannot be rotated, and a person must decide. Nothing was changed.", c.Failed)
	case c.Failed > 0:
		return cli.Errorf(cli.Partial, "%d clients cannot be rotated. Nothing was changed.", c.Failed)
	}
	return nil
}
