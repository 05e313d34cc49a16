package importer

import (
	"context"
	"fmt"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/stytch/secret"
)

// client creates an M2M client whose id and secret are chosen here. The secret is in its place
// before the client exists, so that a crash at any moment loses neither.
func (i *Import) client(ctx context.Context, e inventory.Entry, result *Result) error {
	r := i.State.records[e.Key()]
	key := e.Key()
	if e.ID == "" {
		if e.ID = r.ClientID; e.ID == "" {
			e.ID = i.Project.NewID()
		}
	}
	result.ClientID = e.ID
	entry := e
	if needsPlace(e) {
		chosen, err := i.store(ctx, key, e.ID, r)
		if err != nil {
			return err
		}
		entry.Secret = chosen
	} else if err := i.State.set(record{key, stored, e.ID, lastFour(e.Secret)}); err != nil {
		return err
	}
	made, err := i.Project.Create(ctx, entry)
	if err != nil {
		if made == nil && needsPlace(e) {
			return cli.Errorf("", "%w (%s has a secret for it already, which is used when it is created)", err, i.Place.Name(e.ID))
		}
		return err
	}
	result.ClientID, result.Outcome = e.ID, Created
	if needsPlace(e) {
		result.SecretTo = i.Place.Name(e.ID)
	}
	return i.State.complete(record{Key: key, Stage: done, ClientID: e.ID})
}

// store brings a secret to its place and returns it. One that an earlier run brought there is used.
func (i *Import) store(ctx context.Context, key, id string, r record) (secret.String, error) {
	var chosen secret.String
	if begun := r.Stage == storing || r.Stage == stored; begun && r.ClientID == id {
		var err error
		if chosen, err = i.begun(ctx, id); err != nil {
			return chosen, &stopError{err}
		}
	} else if err := i.checkFor(ctx, id); err != nil {
		return chosen, err
	}
	if chosen.IsZero() {
		chosen = secret.Generate()
	}
	if !i.Place.Readable() {
		if err := i.State.keep(id, chosen); err != nil {
			return chosen, err
		}
	}
	if err := i.State.set(record{key, storing, id, lastFour(chosen)}); err != nil {
		return chosen, err
	}
	if err := i.Place.Store(ctx, id, chosen); err != nil {
		return chosen, &stopError{cli.Errorf(cli.Internal, "--secret-to: %w", err)}
	}
	return chosen, i.State.set(record{key, stored, id, lastFour(chosen)})
}

// begun is the secret that an earlier run chose for a client; zero if none is known.
func (i *Import) begun(ctx context.Context, id string) (secret.String, error) {
	if !i.Place.Readable() {
		return i.State.kept(id)
	}
	held, err := i.Place.Held(ctx, id)
	if err != nil {
		return held, cli.Errorf(cli.Internal, "--secret-to: %s cannot be read: %w", i.Place.Name(id), err)
	}
	return held, nil
}

func lastFour(s secret.String) string {
	text := s.Reveal()
	return text[max(0, len(text)-4):]
}

// newApp creates a Connected App. Neither its id nor its secret can be chosen, so from now on the
// state records that it may exist.
func (i *Import) newApp(ctx context.Context, e inventory.Entry, result *Result) error {
	if needsPlace(e) && !i.Place.Many() {
		if err := i.checkFor(ctx, ""); err != nil {
			return err
		}
	}
	if err := i.State.set(record{Key: e.Key(), Stage: creating}); err != nil {
		return err
	}
	made, err := i.Project.Create(ctx, e)
	if made == nil {
		if cli.Classify(err) == cli.OutcomeUnknown {
			return cli.Errorf(cli.OutcomeUnknown, "%w\nThe next run finds out whether the app exists.", err)
		}
		if written := i.State.set(record{Key: e.Key(), Stage: refused}); written != nil {
			return written
		}
		return err
	}
	id := made.ID()
	result.ClientID = id
	if needsPlace(e) {
		if err := i.Place.Put(ctx, id, made.Secret, fmt.Sprintf("app %s was created", id)); err != nil {
			if written := i.State.set(record{Key: e.Key(), Stage: done, ClientID: id}); written != nil {
				return cli.Errorf(cli.Internal, "%w\n%w", err, written)
			}
			return &stopError{err}
		}
	}
	if err != nil { // it exists, but its response had a fault
		return err
	}
	return i.created(e, id, result)
}

// foundApp deals with an app that exists and that an earlier run may have created.
func (i *Import) foundApp(ctx context.Context, e inventory.Entry, id string, result *Result) error {
	if !needsPlace(e) {
		return i.created(e, id, result)
	}
	if i.Place != nil {
		held, err := i.Place.Held(ctx, id)
		if err != nil {
			return cli.Errorf(cli.Internal, "--secret-to: %s cannot be read: %w", i.Place.Name(id), err)
		}
		if !held.IsZero() {
			return i.created(e, id, result)
		}
	}
	return cli.Errorf(cli.Partial, "an earlier run ended while it created this app, which exists; its secret was not stored and is not shown again: "+
		"delete the app (stytchctl apps delete %s) and import it again, or rotate its secret (stytchctl rotate --help) and remove the state file", id)
}
