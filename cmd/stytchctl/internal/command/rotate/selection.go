package rotate

import (
	"bufio"
	"context"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// A selection is the clients that a command is for.
type selection struct {
	ids    []string
	scopes []string
	from   string    // a file with ids; - is stdin
	file   io.Reader // the same, open
}

func (s *selection) register(set *pflag.FlagSet) {
	set.StringArrayVar(&s.scopes, "scope", nil, "all M2M clients with this `scope`; repeat it for any of several")
	set.StringVar(&s.from, "ids-from", "", "`file` with the id of a client per line; - is stdin")
}

// check refuses a selection that is none, or two.
func (s *selection) check(ids []string, app bool) error {
	s.ids = ids
	given := 0
	for _, is := range []bool{len(s.ids) > 0, len(s.scopes) > 0, s.from != ""} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return cli.Usagef("say which clients: by ID, with --scope, or with --ids-from. Nothing was sent.")
	case given > 1:
		return cli.Usagef("IDs, --scope and --ids-from exclude one another: give one of them. Nothing was sent.")
	case len(s.scopes) > 0 && app:
		return cli.Usagef("--scope: Connected Apps are not searched by scope: give their ids, or --ids-from. Nothing was sent.")
	case slices.Contains(s.ids, ""), slices.Contains(s.scopes, ""):
		return cli.Usagef("an id or a scope is empty: give a value. Nothing was sent.")
	}
	return nil
}

// one is the client, if it is a single one that was named.
func (s *selection) one() (id string, ok bool) {
	if len(s.ids) == 1 {
		return s.ids[0], true
	}
	return "", false
}

// open opens the file with the ids, if there is one.
func (s *selection) open(app *cli.App) (err error) {
	switch s.from {
	case "":
	case "-":
		s.file, err = app.Stdin("--ids-from")
	default:
		if s.file, err = os.Open(s.from); err != nil {
			err = cli.Usagef("--ids-from: %w. Nothing was sent.", err)
		}
	}
	return err
}

// clients are the ids, each as often as it is listed. A file can be read once.
func (s *selection) clients(ctx context.Context, api *stytch.Client) iter.Seq2[string, error] {
	switch {
	case len(s.scopes) > 0:
		search := api.M2M.Search(ctx, stytch.M2MSearch{Filter: stytch.HasScope(s.scopes...), Limit: 1000})
		return fleet.IDs(search, func(c stytch.M2MClient) (string, bool) { return c.ClientID, true })
	case s.file != nil:
		return lines(s.file)
	}
	return each(s.ids)
}

// each yields ids that were given.
func each(ids []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// longestLine is more than any id has.
const longestLine = 4 << 10

// lines are the ids in a text: one per line, without empty lines and comments (#).
func lines(in io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, longestLine)
		for scanner.Scan() {
			id := strings.TrimSpace(scanner.Text())
			if id != "" && !strings.HasPrefix(id, "#") && !yield(id, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield("", cli.Usagef("--ids-from: %w", err))
		}
	}
}
