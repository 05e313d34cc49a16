package clients

import (
	"context"
	"errors"
	"fmt"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
)

// delivered is what became of a secret, for people and for programs.
type delivered struct {
	shown
	cell string
	err  error
}

func (c *commands[T, C]) deliver(ctx context.Context, made *inventory.Made, place *destination.Place, reveal bool) (d delivered) {
	id := made.ID()
	d.cell = "none"
	if !made.Secret.IsZero() {
		d.cell = "…" + made.Text("client_secret_last_four")
	}
	if reveal {
		d.Secret = made.Secret.Reveal()
		d.cell = d.Secret
	}
	if place == nil || made.Secret.IsZero() {
		return d
	}
	if d.err = place.Put(ctx, id, made.Secret, c.wasCreated(id)); d.err != nil {
		d.cell += " (not stored)"
		return d
	}
	d.SecretTo = place.Name(id)
	d.cell += " -> " + d.SecretTo
	return d
}

// createdColumns are those of a list, and the secret.
func (c *commands[T, C]) createdColumns(d delivered) []cli.Column[C] {
	var columns []cli.Column[C]
	for _, column := range c.columns {
		columns = append(columns, cli.Column[C]{Field: column.Field, Title: column.Title})
	}
	return append(columns, cli.Column[C]{Field: "secret", Title: "SECRET", Text: func(C) string { return d.cell }})
}

func (c *commands[T, C]) wasCreated(id string) string {
	return fmt.Sprintf("%s %s was created", c.kind.Noun, id)
}

// checkOutput refuses --fields with which the result, and so the secret, could not be printed.
func (c *commands[T, C]) checkOutput(to destination.Flags) error {
	if err := cli.CheckFields(c.app, c.createdColumns(delivered{})...); err != nil {
		return err
	}
	names := []string{"client_secret"}
	if !c.app.Machine() {
		names = append(names, "secret")
	}
	return to.CheckFields(c.app, nothingCreated, names...)
}

// keepChosen keeps the secret that was made here for a client that may exist.
func (c *commands[T, C]) keepChosen(ctx context.Context, e inventory.Entry, place *destination.Place, cause error) error {
	var err error
	if place != nil {
		err = place.Put(ctx, e.ID, e.Secret, "client "+e.ID+" may exist")
	} else {
		err = destination.Unprinted(c.app, e.ID, e.Secret, "client "+e.ID+" may exist", errors.New("the response was lost"))
	}
	kept := err
	if err == nil {
		kept = cli.Errorf("", "Its secret, if it exists, is in %s.", place.Name(e.ID))
	}
	return cli.Errorf(cli.OutcomeUnknown, "%w\n%w\nTo find out whether the client exists: stytchctl clients get %s\n"+
		"If it does, that is its secret. If not, remove that secret and repeat this command.", cause, kept, e.ID)
}
