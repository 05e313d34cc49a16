package importer

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/secret"
)

// pending is the secret that is on its way to a place that cannot be read, in a private file beside
// the state. A program that outlives an import that was killed may still store it, so the next run
// must bring the same one.
type pending struct {
	ClientID string          `json:"client_id"`
	Secret   secret.Outgoing `json:"client_secret"`
}

func (s *State) pendingPath() string { return s.path + ".pending" }

func (s *State) keep(id string, value secret.String) error {
	text, err := json.Marshal(pending{id, secret.Outgoing(value)})
	if err == nil {
		err = atomicfile.Write(s.pendingPath(), text, 0o600)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = os.WriteFile(s.pendingPath(), text, 0o600)
	}
	if err != nil {
		return cli.Errorf(cli.Internal, "the secret could not be kept beside the state of the import: %w", err)
	}
	return nil
}

// kept is the secret that an earlier run kept for a client; zero if there is none.
func (s *State) kept(id string) (secret.String, error) {
	text, err := os.ReadFile(s.pendingPath())
	if errors.Is(err, fs.ErrNotExist) {
		return secret.String{}, nil
	}
	var p pending
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return secret.String{}, cli.Errorf(cli.Internal, "%s cannot be read: %w", s.pendingPath(), err)
	}
	if p.ClientID != id {
		return secret.String{}, nil
	}
	return secret.String(p.Secret), nil
}

// drop removes what was kept, when its client exists.
func (s *State) drop() error {
	if err := os.Remove(s.pendingPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cli.Errorf(cli.Internal, "a secret is left beside the state of the import: remove it: %w", err)
	}
	return nil
}
