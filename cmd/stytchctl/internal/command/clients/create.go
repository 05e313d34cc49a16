package clients

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

const nothingCreated = "Nothing was created."

// shown is what became of the secret of a new client or app.
type shown struct {
	Secret   string `json:"client_secret,omitempty"` // only with --reveal
	SecretTo string `json:"secret_to,omitempty"`
}

type createdClient struct {
	stytch.M2MClient
	shown
}

type createdApp struct {
	stytch.ConnectedApp
	shown
}

const longCreate = `Create one {TITLE}. Its secret is shown once, so say where it goes: --secret-to stores
it there, --reveal prints it. Without either, nothing is created.

It is one request. The output has the new id, the last four characters of the secret
and where the secret is. If the response is lost, the exit code is 7, and the message
says how to find out whether the {NOUN} exists. If the secret cannot be stored after
all, it is saved in a private file that the message names (exit code 8).

`

const longCreateID = `With --id, the {NOUN} gets an id of your choice, and its secret is read from
--secret-file or made here. With --secret-file the command may be repeated after any
failure; a secret that was made here is kept if the response is lost.

`

func (c *commands[T, C]) newCreate() *cobra.Command {
	var (
		to             destination.Flags
		id, secretFile string
	)
	long := longCreate
	if c.kind == inventory.Clients {
		long += longCreateID
	}
	cmd := &cobra.Command{
		Use: "create", Short: c.fill("Create a {TITLE}"), Args: cli.NoArgs,
		Long: c.fill(long) + destination.Help,
		Example: c.fill(`  stytchctl {GROUP} create {FLAGS} \
      --secret-to file:/run/billing/credentials.json
  stytchctl {GROUP} create {FLAGS} \
      --secret-to 'exec:vault kv put secret/billing credentials=-'`),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.create(cmd, to, id, secretFile)
		},
	}
	register(cmd.Flags(), c.fields, creating)
	to.Register(cmd.Flags())
	if c.kind == inventory.Clients {
		cmd.Flags().StringVar(&id, "id", "", "client `id` of your choice; Stytch makes one by default")
		cmd.Flags().StringVar(&secretFile, "secret-file", "", "`file` with the secret to use, for an --id; - is stdin")
	}
	return cmd
}

func (c *commands[T, C]) create(cmd *cobra.Command, to destination.Flags, id, secretFile string) error {
	ctx, cancel := c.app.Context(cmd.Context())
	defer cancel()
	e := inventory.Entry{Kind: c.kind, ID: id}
	var place *destination.Place
	var err error
	// The place of the secret comes before all else: nothing is read or asked for in vain. Whether
	// an app has a secret depends on its type.
	if c.kind == inventory.Clients && (secretFile == "" || to.Given()) {
		if place, err = to.Place(c.app, nothingCreated); err != nil {
			return err
		}
	}
	if e.Fields, err = collect(c.app, cmd.Flags(), c.fields); err != nil {
		return err
	}
	if err := c.checkCreate(e, to, secretFile); err != nil {
		return err
	}
	if err := c.checkOutput(to); err != nil {
		return err
	}
	if c.kind == inventory.Apps && !e.Public() {
		if place, err = to.Place(c.app, nothingCreated); err != nil {
			return err
		}
	}
	if secretFile != "" {
		if e.Secret, err = c.app.ReadSecret("--secret-file", secretFile); err != nil {
			return err
		}
	} else if id != "" {
		e.Secret = secret.Generate() // a lost response does not lose the secret
	}
	_, project, err := c.project(ctx)
	if err != nil {
		return err
	}
	if place != nil {
		if err := place.Check(ctx, id); err != nil {
			return cli.Errorf("", "--secret-to: %w. %s", err, nothingCreated)
		}
	}
	made, err := project.Create(ctx, e)
	if made == nil && secretFile == "" && id != "" && errors.Is(err, stytch.ErrOutcomeUnknown) {
		return c.keepChosen(ctx, e, place, err)
	}
	if made == nil {
		return c.notCreated(e, err)
	}
	delivery := c.deliver(ctx, made, place, to.Reveal)
	record, printErr := model[T](made.Object)
	if printErr == nil {
		printErr = cli.PrintOne(c.app, c.created(record, delivery.shown), c.createdColumns(delivery)...)
	}
	if printErr != nil && place == nil && secretFile == "" && !made.Secret.IsZero() {
		printErr = destination.Unprinted(c.app, made.ID(), made.Secret, c.wasCreated(made.ID()), printErr)
	}
	return errors.Join(delivery.err, err, printErr)
}

// checkCreate refuses what no request needs to find out.
func (c *commands[T, C]) checkCreate(e inventory.Entry, to destination.Flags, secretFile string) error {
	kind := e.Fields.Text("client_type")
	types := []string{string(stytch.FirstParty), string(stytch.FirstPartyPublic), string(stytch.ThirdParty), string(stytch.ThirdPartyPublic)}
	switch {
	case c.kind == inventory.Apps && kind == "":
		return cli.Usagef("--type is missing: it is one of %s. %s", strings.Join(types, ", "), nothingCreated)
	case c.kind == inventory.Apps && !slices.Contains(types, kind):
		return cli.Usagef("--type: %q is not one of %s. %s", kind, strings.Join(types, ", "), nothingCreated)
	case e.Public() && to.Given():
		return cli.Usagef("an app of type %s has no secret: leave out --secret-to and --reveal. %s", kind, nothingCreated)
	case c.kind == inventory.Clients && len(e.Fields.Texts("scopes")) == 0:
		return cli.Usagef("--scope is missing: a client needs at least one scope. %s", nothingCreated)
	case e.ID != "" && operation.CheckID(e.ID) != nil:
		return cli.Usagef("--id: it %w. %s", operation.CheckID(e.ID), nothingCreated)
	case secretFile != "" && e.ID == "":
		return cli.Usagef("--secret-file needs --id: by its id the client is found again if the response is lost. %s", nothingCreated)
	}
	return nil
}

// notCreated explains the failure of a creation.
func (c *commands[T, C]) notCreated(e inventory.Entry, err error) error {
	var taken *stytch.ConflictError
	switch {
	case errors.As(err, &taken) && slices.Contains(taken.Differs, "client_secret"):
		return cli.Errorf(cli.Conflict, "there is a client %s already, with another secret: choose another --id. %s", e.ID, nothingCreated)
	case taken != nil:
		return cli.Errorf(cli.Conflict, "there is a client %s already, with this secret but another %s: change it with stytchctl clients update. %s",
			e.ID, strings.Join(taken.Differs, " and "), nothingCreated)
	case !errors.Is(err, stytch.ErrOutcomeUnknown):
		return err
	}
	look, again := fmt.Sprintf("stytchctl %s list", c.kind.Group), "delete it (stytchctl "+c.kind.Group+" delete ID) and create it again"
	if name := e.Name(); name != "" && c.kind == inventory.Clients {
		look += fmt.Sprintf(" --name %q", name)
	}
	if e.ID != "" {
		look, again = fmt.Sprintf("stytchctl clients get %s", e.ID), "repeat this command with the same --id and --secret-file"
	}
	if e.Public() {
		again = "it needs nothing more"
	}
	return cli.Errorf(cli.OutcomeUnknown, "%w\nTo find out whether the %s exists: %s\nIf it does, %s.", err, c.kind.Noun, look, again)
}
