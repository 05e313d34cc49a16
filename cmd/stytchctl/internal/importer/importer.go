package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/stytch/rotate"
)

const nothingCreated = "Nothing was created."

// A Result is what became of an entry.
type Result struct {
	Line     int       `json:"line"`
	ClientID string    `json:"client_id,omitempty"`
	Name     string    `json:"client_name,omitempty"`
	Outcome  Outcome   `json:"result"`
	SecretTo string    `json:"secret_to,omitempty"`
	Class    cli.Class `json:"class,omitempty"`
	Detail   string    `json:"detail,omitempty"`
}

// An Outcome is what became of an entry, in a word.
type Outcome string

// The outcomes.
const (
	Created Outcome = "created"
	Missing Outcome = "missing" // in a dry run: it would be created
	Exists  Outcome = "exists"  // as the file describes it
	Differs Outcome = "differs" // it exists otherwise, and was left alone
	Skipped Outcome = "skipped"
	Failed  Outcome = "failed"
)

// An Import creates what a project lacks of a file.
type Import struct {
	Project inventory.Project
	Kind    *inventory.Kind
	Place   *destination.Place // for new secrets; nil if there is none
	State   *State
	DryRun  bool
	Report  func(Result) // called for each entry

	byID   map[string]inventory.Object
	byName map[string][]inventory.Object
}

// Run goes through the entries. An error that concerns one of them is in its result; one that
// concerns all of them stops the import. An interrupt lets the entry at hand finish.
func (i *Import) Run(ctx context.Context, entries []inventory.Entry) error {
	if err := i.look(ctx, entries); err != nil {
		return err
	}
	if err := i.checkPlace(ctx, entries); err != nil {
		return err
	}
	for n, e := range entries {
		if ctx.Err() != nil {
			return cli.Errorf(cli.Classify(ctx.Err()), "stopped after %d of %d entries. Run the same command again to continue.", n, len(entries))
		}
		result, err := i.one(context.WithoutCancel(ctx), e)
		i.Report(result)
		if err != nil {
			return fmt.Errorf("stopped at line %d, %s: %w\nRun the same command again to continue.", e.Line, e.Label(), err) //nolint:staticcheck // a message of two lines
		}
	}
	return nil
}

// look reads what the project has of the entries.
func (i *Import) look(ctx context.Context, entries []inventory.Entry) error {
	i.byID, i.byName = map[string]inventory.Object{}, map[string][]inventory.Object{}
	for _, e := range entries {
		i.byID[e.ID] = nil
		i.byID[i.State.records[e.Key()].ClientID] = nil
		if e.ByName() {
			i.byName[e.Name()] = nil
		}
	}
	for object, err := range i.Project.All(ctx, i.Kind) {
		if err != nil {
			return err
		}
		if id := object.Text("client_id"); isKey(i.byID, id) {
			i.byID[id] = object
		}
		if name := object.Text("client_name"); isKey(i.byName, name) {
			i.byName[name] = append(i.byName[name], object)
		}
	}
	return nil
}

func isKey[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// find is what the project has of an entry: nil if nothing.
func (i *Import) find(e inventory.Entry) (inventory.Object, error) {
	if e.ID != "" && i.byID[e.ID] != nil {
		return i.byID[e.ID], nil
	}
	if id := i.State.records[e.Key()].ClientID; id != "" && i.byID[id] != nil {
		return i.byID[id], nil
	}
	if !e.ByName() {
		return nil, nil
	}
	switch same := i.byName[e.Name()]; len(same) {
	case 0:
		return nil, nil
	case 1:
		return same[0], nil
	default:
		return nil, cli.Errorf(cli.Conflict, "the project has %d %ss of this name: rename them, or leave this one out", len(same), i.Kind.Noun)
	}
}

// needsPlace reports whether a new secret would be made for an entry.
func needsPlace(e inventory.Entry) bool { return e.Secret.IsZero() && !e.Public() }

// checkPlace refuses an import whose secrets would have no place.
func (i *Import) checkPlace(ctx context.Context, entries []inventory.Entry) error {
	count := 0
	for _, e := range entries {
		if found, err := i.find(e); err == nil && found == nil && needsPlace(e) {
			count++
		}
	}
	switch {
	case i.DryRun || count == 0:
		return nil
	case i.Place == nil:
		return cli.Usagef("%s would be created, whose secrets are shown once: say where they go, such as --secret-to folder:DIR. %s", inventory.Count(count, i.Kind.Noun), nothingCreated)
	case count > 1 && !i.Place.Many():
		return cli.Usagef("--secret-to: %s would be created, and the destination takes the secret of one: put {client_id} into it. %s",
			inventory.Count(count, i.Kind.Noun), nothingCreated)
	case i.Place.Many():
		if err := i.Place.Check(ctx, ""); err != nil {
			return cli.Errorf("", "--secret-to: %w. %s", err, nothingCreated)
		}
	}
	return nil
}

// one deals with an entry. The error, if there is one, concerns all that follow too.
func (i *Import) one(ctx context.Context, e inventory.Entry) (Result, error) {
	result := Result{Line: e.Line, ClientID: e.ID, Name: e.Name(), Outcome: Failed}
	found, err := i.find(e)
	switch {
	case err != nil:
	case found != nil:
		err = i.existing(ctx, e, found, &result)
	case i.DryRun:
		result.Outcome = Missing
	case e.Kind == inventory.Clients:
		err = i.client(ctx, e, &result)
	default:
		err = i.newApp(ctx, e, &result)
	}
	if err == nil {
		return result, nil
	}
	result.Outcome, result.Class, result.Detail = Failed, cli.Classify(err), err.Error()
	if stop := new(stopError); errors.As(err, &stop) {
		return result, err
	}
	switch result.Class {
	case cli.Usage, cli.NotFound, cli.Conflict, cli.Partial:
		return result, nil // only this one
	}
	return result, err
}

// stopError is a fault of the place of secrets, which the next entries would meet as well.
type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

// checkFor checks the place for one client. A place that holds something, or that cannot be one for
// this id, concerns this client alone.
func (i *Import) checkFor(ctx context.Context, id string) error {
	err := i.Place.Check(ctx, id)
	if err == nil {
		return nil
	}
	err = cli.Errorf("", "--secret-to: %w", err)
	if cli.Classify(err) == cli.Conflict || errors.Is(err, rotate.ErrInvalidArgument) {
		return err
	}
	return &stopError{err}
}

// existing compares an entry with what the project has, and finishes what an earlier run began.
func (i *Import) existing(ctx context.Context, e inventory.Entry, found inventory.Object, result *Result) error {
	id := found.Text("client_id")
	result.ClientID = id
	changes := e.Compare(found)
	switch r := i.State.records[e.Key()]; {
	case i.DryRun:
	case r.Stage == stored && r.LastFour != "" && r.LastFour == found.Text("client_secret_last_four"):
		return i.finish(ctx, e, id, changes, result)
	case r.Stage == creating:
		return i.foundApp(ctx, e, id, result)
	}
	result.Outcome = Exists
	if len(changes) > 0 {
		var fields []string
		for _, change := range changes {
			fields = append(fields, change.Field)
		}
		result.Outcome = Differs
		result.Detail = "it exists with another " + strings.Join(fields, ", ") + " and was left alone: use stytchctl " + i.Kind.Group + " apply to change it"
	}
	return nil
}

// finish completes a client that an earlier run created.
func (i *Import) finish(ctx context.Context, e inventory.Entry, id string, changes []inventory.Change, result *Result) error {
	if len(changes) > 0 {
		if _, err := i.Project.Update(ctx, e.Kind, id, changes); err != nil {
			return err
		}
	}
	return i.created(e, id, result)
}

func (i *Import) created(e inventory.Entry, id string, result *Result) error {
	result.ClientID, result.Outcome = id, Created
	if needsPlace(e) && i.Place != nil {
		result.SecretTo = i.Place.Name(id)
	}
	return i.State.complete(record{Key: e.Key(), Stage: done, ClientID: id})
}
