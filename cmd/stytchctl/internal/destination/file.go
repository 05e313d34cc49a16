package destination

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

func parseFile(path string) (*target, error) {
	if err := checkTemplate("file", path); err != nil {
		return nil, err
	}
	if path[len(path)-1] == filepath.Separator {
		return nil, cli.Usagef("file: %q is a folder: name a file in it, or write folder:%s", path, path)
	}
	name := func(clientID string) string { return fill(path, clientID) }
	t := &target{name: name, many: perClient(path), isThere: func(clientID string) bool { return exists(name(clientID)) }}
	if t.many {
		t.Deliverer = fileByClient(path)
	} else {
		t.Deliverer = deliver.File(path)
	}
	return t, nil
}

func parseFolder(dir string) (*target, error) {
	if perClient(dir) {
		return nil, cli.Usagef("folder: the files are named for the clients already: write file:%s/credentials.json for a folder of each client", dir)
	}
	name := func(clientID string) string { return filepath.Join(dir, clientID+".json") }
	return &target{
		Deliverer: deliver.Folder(dir), name: name, many: true,
		isThere: func(clientID string) bool { return exists(name(clientID)) },
	}, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// fileByClient is a path with {client_id}.
type fileByClient string

var pathPart = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// inPath reports whether an id can be a part of a path: it leads to no other folder and hides no
// file.
func inPath(id string) bool { return len(id) <= 128 && pathPart.MatchString(id) }

func (path fileByClient) of(clientID string) (*deliver.Files, error) {
	if !inPath(clientID) {
		return nil, &idError{clientID}
	}
	return deliver.File(fill(string(path), clientID)), nil
}

func (path fileByClient) Deliver(ctx context.Context, d rotate.Delivery) error {
	file, err := path.of(d.ClientID)
	if err != nil {
		return err
	}
	return file.Deliver(ctx, d)
}

func (path fileByClient) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	file, err := path.of(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	return file.Read(ctx, clientID)
}

func (path fileByClient) Check(ctx context.Context, clientID string) error {
	file, err := path.of(clientID)
	if err != nil {
		return err
	}
	return file.Check(ctx, clientID)
}

// idError refuses a client id for a path. It is [rotate.ErrInvalidArgument], as that of
// deliver.Folder is.
type idError struct{ clientID string }

func (e *idError) Error() string {
	return fmt.Sprintf("file: client id %.256q cannot be a part of a path: it must be ASCII letters, digits and _.- only", e.clientID)
}

func (e *idError) Is(target error) bool { return target == rotate.ErrInvalidArgument }
