package reconcile

import (
	"context"
	"fmt"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A Result is what became of a step.
type Result struct {
	Step
	Done     bool      `json:"done"`
	SecretTo string    `json:"secret_to,omitempty"`
	Class    cli.Class `json:"class,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// CheckPlace refuses a plan whose new secrets would have no place. place may be nil.
func CheckPlace(ctx context.Context, steps []Step, place *destination.Place) error {
	const nothing = "Nothing was changed."
	var makes []Step
	for _, step := range steps {
		if step.Action == Create && !step.entry.Public() {
			makes = append(makes, step)
		}
	}
	switch {
	case len(makes) == 0:
		return nil
	case place == nil:
		return cli.Usagef("%d would be created, whose secrets are shown once: say where they go, such as --secret-to folder:DIR. %s", len(makes), nothing)
	case len(makes) > 1 && !place.Many():
		return cli.Usagef("--secret-to: %d would be created, and the destination takes one secret: put {client_id} into it. %s", len(makes), nothing)
	}
	for _, step := range makes {
		if err := place.Check(ctx, step.ID); err != nil {
			return cli.Errorf("", "--secret-to: %w. %s", err, nothing)
		}
	}
	return nil
}

// Apply carries out a plan. A step that fails does not keep the others from being done, unless its
// fault concerns all of them; that is the error. An interrupt lets the step at hand finish.
func Apply(ctx context.Context, project inventory.Project, steps []Step, place *destination.Place, report func(Result)) error {
	for n, step := range steps {
		if ctx.Err() != nil {
			return cli.Errorf(cli.Classify(ctx.Err()), "stopped after %d of %d steps. Run the same command again to continue.", n, len(steps))
		}
		result := Result{Step: step}
		err := apply(context.WithoutCancel(ctx), project, &result, place)
		if result.Done = err == nil; err != nil {
			result.Class, result.Error = cli.Classify(err), err.Error()
		}
		report(result)
		switch result.Class {
		case "", cli.Usage, cli.NotFound, cli.Conflict: // this step alone
		default:
			return cli.Errorf("", "stopped after %d of %d steps: %w", n, len(steps), err)
		}
	}
	return nil
}

func apply(ctx context.Context, project inventory.Project, r *Result, place *destination.Place) error {
	kind := r.entry.Kind
	switch r.Action {
	case Update:
		_, err := project.Update(ctx, kind, r.ID, r.Changes)
		return err
	case Delete:
		return project.Delete(ctx, kind, r.ID)
	}
	e := r.entry
	if kind == inventory.Clients { // with an id and a secret of its own, a lost response loses nothing
		if e.ID == "" {
			e.ID = project.NewID()
		}
		e.Secret = secret.Generate()
	}
	made, err := project.Create(ctx, e)
	if made == nil && !e.Secret.IsZero() && cli.Classify(err) == cli.OutcomeUnknown {
		return unknown(ctx, r, e, place, err)
	}
	if made == nil {
		return err
	}
	r.ID = made.ID()
	if !e.Public() {
		if stored := place.Put(ctx, r.ID, made.Secret, fmt.Sprintf("%s %s was created", kind.Noun, r.ID)); stored != nil {
			return stored
		}
		r.SecretTo = place.Name(r.ID)
	}
	return err
}

// unknown keeps the secret of a client that may exist: a later run would find the client, and no
// one would have its secret.
func unknown(ctx context.Context, r *Result, e inventory.Entry, place *destination.Place, cause error) error {
	r.ID = e.ID
	if err := place.Put(ctx, e.ID, e.Secret, "client "+e.ID+" may exist"); err != nil {
		return cli.Errorf(cli.OutcomeUnknown, "%w\n%w", cause, err)
	}
	r.SecretTo = place.Name(e.ID)
	return cli.Errorf(cli.OutcomeUnknown, "%w\nIf client %s exists (stytchctl clients get %s), its secret is in %s. If it does not, remove that.", cause, e.ID, e.ID, r.SecretTo)
}
