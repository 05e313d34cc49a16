package rotate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/journal"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/audit"
)

// engineFlags are those of every command that rotates.
type engineFlags struct {
	journalFlags
	audit   auditFlags
	deliver []string
	app     bool
	rate    pace

	grace           span
	takeOver        bool
	compromised     bool
	unknownCurrent  bool
	cancelOnFailure bool
}

// register adds what every command needs that has a rotator.
func (f *engineFlags) register(set *pflag.FlagSet) {
	f.journalFlags.register(set)
	f.audit.register(set)
	f.rate = 5
	set.StringArrayVar(&f.deliver, "deliver", nil, "`destination` of the secret, such as file:PATH; repeat it for several, in their order")
	set.BoolVar(&f.app, "app", false, "the ids are those of Connected Apps")
	set.Var(&f.rate, "rate", "how many requests to send, such as 5/s or 100/m")
}

// registerGoing adds what changes how a rotation goes on.
func (f *engineFlags) registerGoing(set *pflag.FlagSet) {
	set.Var(&f.grace, "grace", "how long both secrets stay in use before the previous one ends, such as 10m")
	set.BoolVar(&f.takeOver, "take-over", false, "replace a rotation that is pending at Stytch and not in the journal")
	set.BoolVar(&f.compromised, "compromised", false, "end the current secret as soon as possible, and prove that it is refused")
	set.BoolVar(&f.unknownCurrent, "unknown-current", false, "begin although no place has the current secret: it is lost")
	set.BoolVar(&f.cancelOnFailure, "cancel-on-failure", false, "cancel a rotation whose delivery fails, instead of leaving it to be resumed")
}

// need is what a command asks of the engine.
type need struct {
	create   bool // a journal that does not exist is made
	looks    bool // a journal that does not exist is one without records
	noPlaces bool // nothing is delivered
}

// An engine is a rotator and what belongs to it.
type engine struct {
	app     *cli.App
	flags   *engineFlags
	api     *stytch.Client
	journal *journal.Opened
	rotator *rotate.Rotator
	log     *audit.Log // nil without --audit
}

// start checks the flags, reads credentials and keys, and opens the journal and the audit log.
// Nothing is sent.
func (f *engineFlags) start(ctx context.Context, app *cli.App, needs need) (*engine, error) {
	places, err := f.places(app, needs)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.check(), f.audit.check()); err != nil {
		return nil, err
	}
	var limiter rotate.Limiter
	api, err := app.API(ctx, stytch.WithObserver(func(_ context.Context, attempt stytch.Attempt) {
		var refused *stytch.Error
		if errors.As(attempt.Err, &refused) {
			if wait, throttled := refused.Throttled(); throttled {
				limiter.Throttle(wait)
			}
		}
	}))
	if err != nil {
		return nil, err
	}
	project, err := app.Project(ctx)
	if err != nil {
		return nil, err
	}
	e := &engine{app: app, flags: f, api: api}
	if e.journal, err = f.open(ctx, app, journal.Place{ProjectID: project.ProjectID, Create: needs.create, Absent: needs.looks}); err != nil {
		return nil, err
	}
	if limiter, err = e.journal.Bucket(float64(f.rate), int(math.Max(10, float64(f.rate)))); err == nil {
		e.rotator, err = rotate.New(target(api, f.app), places, e.journal.Journal, f.options(target(api, f.app), limiter)...)
	}
	if err == nil && f.audit.path != "" {
		e.log, err = f.audit.open(ctx, e.journal)
	}
	if err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (e *engine) close() {
	if e.log != nil {
		_ = e.log.Close() // each line was written to the file
	}
	e.journal.Close()
}

// open opens the log and adds what a crash left out.
func (f *auditFlags) open(ctx context.Context, j *journal.Opened) (*audit.Log, error) {
	var options []audit.Option
	if f.actor != "" {
		options = append(options, audit.WithActor(f.actor))
	}
	log, err := audit.Open(ctx, f.path, j.Journal, options...)
	if err != nil {
		return nil, stopped(ctx, fmt.Errorf("--audit: %w", err), stopContext{})
	}
	return log, nil
}

// check refuses flags that contradict each other.
func (f *engineFlags) check() error {
	if f.compromised && f.grace > 0 {
		return cli.Usagef("--grace: with --compromised there is no grace period: leave one of the two out. Nothing was sent.")
	}
	return nil
}

func (f *engineFlags) options(t guardedTarget, limiter rotate.Limiter) []rotate.Option {
	options := []rotate.Option{rotate.WithLimiter(limiter), rotate.WithGrace(time.Duration(f.grace))}
	for given, option := range map[*bool]rotate.Option{
		&f.takeOver: rotate.WithTakeOver(), &f.compromised: rotate.WithCompromised(),
		&f.unknownCurrent: rotate.WithUnknownCurrent(), &f.cancelOnFailure: rotate.WithCancelOnFailure(),
		&f.app: rotate.WithProber(rotate.ByLastFour(t)),
	} {
		if *given {
			options = append(options, option)
		}
	}
	return options
}

// places are the deliverers. Their names are stored in the journal, so that after a failure those
// that have succeeded are not called again; they are called in the order of their names.
func (f *engineFlags) places(app *cli.App, needs need) (rotate.Deliverers, error) {
	if needs.noPlaces && len(f.deliver) == 0 {
		return rotate.Deliverers{"none": rotate.DelivererFunc(func(context.Context, rotate.Delivery) error {
			return cli.Usagef("--deliver: nothing says where the secret goes")
		})}, nil
	}
	if len(f.deliver) == 0 {
		return nil, cli.Usagef("--deliver: say where services read the secret, such as --deliver file:PATH. Nothing was sent.")
	}
	places := rotate.Deliverers{}
	for i, spec := range f.deliver {
		place, err := destination.Parse(spec, app.Getenv)
		if err != nil {
			return nil, cli.Usagef("--deliver: %w. Nothing was sent.", err)
		}
		places[placeName(i, spec)] = place
	}
	return places, nil
}

// longestName is what a rotator allows.
const longestName = 64

func placeName(i int, spec string) string {
	name := fmt.Sprintf("%02d %s", i+1, spec)
	if len(name) <= longestName {
		return name
	}
	sum := sha256.Sum256([]byte(spec))
	return strings.ToValidUTF8(name[:longestName-9], "") + "~" + hex.EncodeToString(sum[:4])
}

// watched is the rotator with observers: the audit log, and those of the command.
func (e *engine) watched(observers ...func(context.Context, rotate.Event)) (*rotate.Rotator, error) {
	if e.log != nil {
		observers = append(observers, e.log.Observe)
	}
	options := make([]rotate.Option, len(observers))
	for i, observer := range observers {
		options[i] = rotate.WithObserver(observer)
	}
	return e.rotator.With(options...)
}

// logged is the failure of the audit log, which does not stop the rotation of one client.
func (e *engine) logged() error {
	if e.log == nil || e.log.Err() == nil {
		return nil
	}
	return cli.Errorf(cli.Internal, "--audit: a line is missing: %w", e.log.Err())
}

// words are the flags again, for a command that a person is advised to run.
func (f *engineFlags) words() []string {
	words := f.journalFlags.words()
	for _, spec := range f.deliver {
		words = append(words, "--deliver", spec)
	}
	if f.app {
		words = append(words, "--app")
	}
	return append(words, f.audit.words()...)
}
