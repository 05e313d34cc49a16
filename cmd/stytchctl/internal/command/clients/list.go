package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/stytch"
)

// pageSize is the largest page that Stytch sends.
const pageSize = 1000

const longList = `List {TITLE}s in the order of Stytch. The list is printed as it arrives, page by page of
up to 1,000, so it takes little memory however long it is; only -o json with --jq holds
all of it.

--limit ends the list early. If more follow, stderr has the cursor with which --cursor
continues; with -o json or ndjson it is one line: {"next_cursor":"…"}.`

const longListFilters = `

Several values of one flag are alternatives, and different flags are combined:
--scope a --scope b --name x lists the clients named x that have a or b. With --all a
client must meet each value, such as both scopes; with --any one of all is enough.`

type filterFlags struct {
	scopes, names, ids []string
	any, all           bool
}

func (c *commands[T, C]) newList() *cobra.Command {
	var (
		f      filterFlags
		limit  int
		cursor string
	)
	long, example := longList, "  stytchctl {GROUP} list -o ndjson >{GROUP}.ndjson"
	if c.kind == inventory.Clients {
		long += longListFilters
		example = "  stytchctl {GROUP} list --scope read:users\n" + example
	}
	cmd := &cobra.Command{
		Use: "list", Short: c.fill("List {TITLE}s"), Long: c.fill(long), Args: cli.NoArgs, Example: c.fill(example),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := f.filter()
			if err != nil {
				return err
			}
			if limit < 0 {
				return cli.Usagef("--limit: it must not be negative; 0 is no limit. %s", nothingSent)
			}
			return c.list(cmd.Context(), search{filter: filter, cursor: cursor}, limit)
		},
	}
	flags := cmd.Flags()
	if c.kind == inventory.Clients {
		flags.StringArrayVar(&f.scopes, "scope", nil, "only clients with this `scope`; may be given several times")
		flags.StringArrayVar(&f.names, "name", nil, "only clients with this whole `name`; may be given several times")
		flags.StringArrayVar(&f.ids, "id", nil, "only clients with this `id`; may be given several times")
		flags.BoolVar(&f.any, "any", false, "one of the conditions is enough")
		flags.BoolVar(&f.all, "all", false, "every value is a condition that must be met")
	}
	flags.IntVar(&limit, "limit", 0, "end after this `number`; 0 is no limit")
	flags.StringVar(&cursor, "cursor", "", "continue at this `cursor` of an earlier list")
	return cmd
}

func (f filterFlags) filter() (stytch.M2MFilter, error) {
	var conditions []stytch.M2MCondition
	given := 0
	for _, flag := range []struct {
		values    []string
		condition func(...string) stytch.M2MCondition
	}{{f.ids, stytch.ClientIDIn}, {f.names, stytch.ClientNameIn}, {f.scopes, stytch.HasScope}} {
		given += len(flag.values)
		if len(flag.values) > 0 && !f.all {
			conditions = append(conditions, flag.condition(flag.values...))
			continue
		}
		for _, value := range flag.values {
			conditions = append(conditions, flag.condition(value))
		}
	}
	switch {
	case f.any && f.all:
		return nil, cli.Usagef("--any and --all exclude each other. %s", nothingSent)
	case (f.any || f.all) && given == 0:
		return nil, cli.Usagef("--any and --all need --scope, --name or --id. %s", nothingSent)
	case f.any:
		return stytch.Any(conditions...), nil
	case given == 0:
		return nil, nil
	}
	return stytch.All(conditions...), nil
}

func (c *commands[T, C]) list(ctx context.Context, s search, limit int) error {
	ctx, cancel := c.app.Context(ctx)
	defer cancel()
	api, _, err := c.project(ctx)
	if err != nil {
		return err
	}
	print, end, err := c.printer()
	if err != nil {
		return err
	}
	next, err := c.walk(ctx, api, s, limit, print)
	if err != nil && cli.Classify(err) == cli.Interrupted {
		err = cli.Errorf(cli.Interrupted, "interrupted: the list is not complete")
	}
	if err := errors.Join(end(err == nil), err); err != nil {
		return err
	}
	c.noteNext(next)
	return nil
}

// walk prints up to limit items, and returns the cursor of what follows.
func (c *commands[T, C]) walk(ctx context.Context, api *stytch.Client, s search, limit int, print func(*T) error) (next string, err error) {
	if limit == 0 {
		s.limit = pageSize
		item := new(T) // one for all
		for next, err := range c.search(api, ctx, s) {
			if err != nil {
				return "", err
			}
			*item = next
			if err := print(item); err != nil {
				return "", err
			}
		}
		return "", nil
	}
	for left := limit; left > 0; {
		s.limit = min(left, pageSize)
		page, err := c.page(api, ctx, s)
		if err != nil {
			return "", err
		}
		for i := range page.Items {
			if err := print(&page.Items[i]); err != nil {
				return "", err
			}
		}
		if page.Next == "" {
			return "", nil
		}
		if page.Next == s.cursor {
			return "", fmt.Errorf("the API repeats the cursor %q: the list is not complete", page.Next)
		}
		left -= len(page.Items)
		s.cursor = page.Next
	}
	return s.cursor, nil
}

// noteNext prints where the list goes on: for programs also with -q.
func (c *commands[T, C]) noteNext(cursor string) {
	switch {
	case cursor == "":
	case c.app.Machine():
		line, _ := json.Marshal(map[string]string{"next_cursor": cursor}) // a text: it cannot fail
		fmt.Fprintf(c.app.Err, "%s\n", line)
	default:
		c.app.Note("There are more: continue with --cursor %s", cursor)
	}
}

// printer prints items in the format of -o. In ndjson an item that can spell itself does so, since
// encoding/json takes longer than the search. The end differs for a list that is not complete.
func (c *commands[T, C]) printer() (print func(*T) error, end func(complete bool) error, err error) {
	flags := c.app.Flags
	if flags.Output == cli.NDJSON && c.appendJSON != nil && flags.Fields == nil && flags.JQ == "" {
		lines, err := cli.NewPrinter[json.RawMessage](c.app)
		if err != nil {
			return nil, nil, err
		}
		var line []byte
		return func(item *T) (err error) {
			if line, err = c.appendJSON(line[:0], item); err != nil {
				return err
			}
			return lines.Print(line)
		}, ending(lines), nil
	}
	p, err := cli.NewPrinter(c.app, c.columns...)
	if err != nil {
		return nil, nil, err
	}
	return func(item *T) error { return p.Print(*item) }, ending(p), nil
}

func ending[T any](p *cli.Printer[T]) func(complete bool) error {
	return func(complete bool) error {
		if !complete {
			return p.Cut()
		}
		return p.Close()
	}
}
