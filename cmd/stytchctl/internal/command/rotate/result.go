package rotate

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/journal"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// A result is what became of one client.
type result struct {
	ClientID string       `json:"client_id"`
	State    rotate.State `json:"state"`
	Outcome  string       `json:"outcome"`
	Class    cli.Class    `json:"error_class,omitempty"`
	Stop     string       `json:"error_type,omitempty"`
	Message  string       `json:"message,omitempty"`
}

// The outcomes, besides the final states.
const (
	isFailed     = "failed"
	isNeedsHuman = "needs_human"
	isBusy       = "busy"
	isSkipped    = "skipped"
	isLeft       = "interrupted" // in progress: resume continues it
	isUntouched  = "not_started"
)

var resultColumns = []cli.Column[result]{
	{Field: "client_id", Title: "CLIENT ID"},
	{Field: "state", Title: "STATE"},
	{Field: "outcome", Title: "OUTCOME"},
	{Field: "error_class", Title: "ERROR"},
	{Field: "error_type", Title: "STOP"},
}

// resultOf is the result of a call for one client.
func resultOf(ctx context.Context, id string, state rotate.State, err error) result {
	r := result{ClientID: id, State: state, Outcome: string(state)}
	if err == nil {
		return r
	}
	r.Class, r.Message = cli.Classify(err), describe(err)
	if s := stopOf(err); s != nil {
		r.Class, r.Stop = s.class, s.name
	}
	var e *rotate.Error
	if errors.As(err, &e) && e.Stage != "" {
		r.State = e.Stage
	}
	switch ended := ctx.Err(); {
	case ended != nil && errors.Is(err, ended):
		r.Outcome, r.Class, r.Stop = isLeft, cli.Interrupted, ""
		if !inProgress(err) {
			r.Outcome = isUntouched
		}
	case r.Class == cli.NeedsHuman:
		r.Outcome = isNeedsHuman
	case errors.Is(err, rotate.ErrBusy):
		r.Outcome = isBusy
	case errors.Is(err, rotate.ErrGone):
		r.Outcome = string(rotate.Gone)
	case errors.Is(err, rotate.ErrCanceled):
		r.Outcome = string(rotate.Canceled)
	default:
		r.Outcome = isFailed
	}
	return r
}

// results prints what became of many clients, each once: those that reach their end at that moment,
// and the others at the end.
type results struct {
	app     *cli.App
	printer *cli.Printer[result]

	mu     sync.Mutex
	open   map[string]bool   // listed, and not printed yet
	failed map[string]result // so far; a later try may succeed
	counts map[string]int    // of the outcomes that were printed
	person bool              // one needs a person
	err    error             // of the printer
}

func newResults(app *cli.App) (*results, error) {
	printer, err := cli.NewPrinter(app, resultColumns...)
	if err != nil {
		return nil, err
	}
	return &results{app: app, printer: printer, open: map[string]bool{}, failed: map[string]result{}, counts: map[string]int{}}, nil
}

// listed remembers a client, which is printed even if nothing happens to it.
func (r *results) listed(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[id] = true
}

// observe is an observer of the engine.
func (r *results) observe(ctx context.Context, e rotate.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case e.ClientID == "":
		if e.Err != nil && !errors.Is(e.Err, rotate.ErrJournal) { // a record that does not say whose it is
			r.failed[e.Err.Error()] = resultOf(ctx, "", "", e.Err)
		}
	case e.Err == nil && e.To.Final():
		last := r.failed[e.ClientID]
		delete(r.failed, e.ClientID)
		one := result{ClientID: e.ClientID, State: e.To, Outcome: string(e.To)}
		if e.To != rotate.Completed {
			s := stopOf(map[rotate.State]error{rotate.Canceled: rotate.ErrCanceled, rotate.Gone: rotate.ErrGone}[e.To])
			one.Class, one.Stop, one.Message = s.class, s.name, last.Message
		}
		r.print(one)
	case e.Err != nil && !e.To.Final() && ctx.Err() == nil && !errors.Is(e.Err, rotate.ErrJournal):
		r.failed[e.ClientID] = resultOf(ctx, e.ClientID, e.To, e.Err)
	}
}

// add prints the result of a client that was rotated by itself.
func (r *results) add(one result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.print(one)
}

func (r *results) print(one result) {
	delete(r.open, one.ClientID)
	r.counts[one.Outcome]++
	r.person = r.person || one.Class == cli.NeedsHuman
	if one.Message != "" && !r.app.Machine() {
		r.app.Warn("%s", one.Message)
	}
	if err := r.printer.Print(one); r.err == nil {
		r.err = err
	}
}

// finish prints the clients that have not reached their end, by the state in the journal. ended
// says that the command did not come to all of them.
func (r *results) finish(ctx context.Context, j *journal.Opened, ended bool) error {
	ctx = context.WithoutCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range sorted(r.failed) {
		r.print(r.failed[id])
	}
	for _, id := range sorted(r.open) {
		rec, err := j.Read(ctx, id)
		one := result{ClientID: id, State: rec.State}
		switch {
		case err != nil && !errors.Is(err, rotate.ErrNoRotation):
			one = resultOf(ctx, id, "", &rotate.Error{ClientID: id, Err: err})
		case rec.State != "" && !rec.State.Final() && ended:
			one.Outcome = isLeft
		case rec.State != "" && !rec.State.Final():
			one.Outcome = isBusy
		case ended, rec.State == "":
			one.Outcome = isUntouched
		default:
			one.Outcome = isSkipped
		}
		r.print(one)
	}
	return errors.Join(r.err, r.printer.Close())
}

func sorted[T any](m map[string]T) []string {
	return slices.Sorted(maps.Keys(m))
}
