package clients

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
)

const longGet = `Read one {TITLE}, never its secret: only the last four characters of it are known.
An unknown id is exit code 3.`

func (c *commands[T, C]) newGet() *cobra.Command {
	return &cobra.Command{
		Use: "get ID", Short: c.fill("Show a {TITLE}"), Long: c.fill(longGet), Args: cli.Args("ID"),
		Example: c.fill("  stytchctl {GROUP} get {ID} -o json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := c.app.Context(cmd.Context())
			defer cancel()
			api, _, err := c.project(ctx)
			if err != nil {
				return err
			}
			item, err := c.get(api, ctx, args[0])
			if err != nil {
				return err
			}
			return cli.PrintOne(c.app, *item, c.columns...)
		},
	}
}

const longUpdate = `Change fields of one {TITLE}, and print it as it is afterwards. Fields without a flag
stay as they are. --clear empties a field; give it once for each. The command may be
repeated: the result is the same.`

const longUpdateMetadata = `

--metadata is merged into the metadata that is there: keys that are left out stay, and
a null removes its key.`

func (c *commands[T, C]) newUpdate() *cobra.Command {
	var clear []string
	long, example := longUpdate, "--name portal --token-expiry 30m"
	if c.kind == inventory.Clients {
		long += longUpdateMetadata
		example = "--status inactive --clear description"
	}
	cmd := &cobra.Command{
		Use: "update ID", Short: c.fill("Change a {TITLE}"), Long: c.fill(long), Args: cli.Args("ID"),
		Example: c.fill("  stytchctl {GROUP} update {ID} \\\n      " + example),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.update(cmd, args[0], clear) },
	}
	register(cmd.Flags(), c.fields, updating)
	cmd.Flags().StringArrayVar(&clear, "clear", nil, "`field` to empty: "+strings.Join(c.clearable(), ", "))
	return cmd
}

// clearable are the names that --clear takes, those of the flags.
func (c *commands[T, C]) clearable() (names []string) {
	for _, name := range c.kind.Emptyable() {
		for _, f := range c.fields {
			if f.name == name {
				names = append(names, f.flag)
			}
		}
	}
	return names
}

const nothingSent = "Nothing was sent."

func (c *commands[T, C]) update(cmd *cobra.Command, id string, clear []string) error {
	ctx, cancel := c.app.Context(cmd.Context())
	defer cancel()
	fields, err := collect(c.app, cmd.Flags(), c.fields)
	if err != nil {
		return err
	}
	if len(fields) == 0 && len(clear) == 0 {
		return cli.Usagef("nothing is to be changed: give a flag such as --name, or --clear. %s", nothingSent)
	}
	clearMetadata := false
	for _, name := range clear {
		name = nameOf(c.fields, name)
		empty, ok := c.kind.Empty(name)
		switch {
		case !ok:
			return cli.Usagef("--clear: %q cannot be emptied%s The fields are %s. %s", name,
				cli.Nearest(name, c.clearable()), strings.Join(c.clearable(), ", "), nothingSent)
		case fields[name] != nil:
			return cli.Usagef("--clear %s: another flag sets it: give only one of them. %s", name, nothingSent)
		}
		fields[name] = json.RawMessage(empty)
		clearMetadata = clearMetadata || name == "trusted_metadata"
	}
	if status := fields.Text("status"); status != "" && !slices.Contains([]string{"active", "inactive"}, status) {
		return cli.Usagef("--status: %q is not active or inactive. %s", status, nothingSent)
	}
	if err := cli.CheckFields(c.app, c.columns...); err != nil {
		return err
	}
	_, project, err := c.project(ctx)
	if err != nil {
		return err
	}
	updated, err := c.send(ctx, project, id, fields, clearMetadata)
	if err != nil {
		return err
	}
	item, err := model[T](updated)
	if err != nil {
		return err
	}
	return cli.PrintOne(c.app, item, c.columns...)
}

// send sends an update. Metadata is merged, so to empty it each of its keys is removed by name.
func (c *commands[T, C]) send(ctx context.Context, project inventory.Project, id string, fields inventory.Object, clearMetadata bool) (inventory.Object, error) {
	if !clearMetadata {
		return project.Merge(ctx, c.kind, id, fields)
	}
	existing, err := project.Get(ctx, c.kind, id)
	if err != nil {
		return nil, err
	}
	changes := inventory.Entry{Kind: c.kind, Fields: fields}.Compare(existing)
	if len(changes) == 0 {
		return existing, nil
	}
	return project.Update(ctx, c.kind, id, changes)
}
