// Package importer creates the clients and apps of a file, each once, however often it is killed
// and started again.
package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/internal/atomicfile"
)

// A stage is how far an entry is. Each is on disk before the step that follows it.
type stage string

const (
	storing  stage = "storing"  // its secret is being brought to its place
	stored   stage = "stored"   // and is there; the client may exist from now on
	creating stage = "creating" // an app, whose secret is known after its creation
	refused  stage = "refused"  // the API did not create it
	done     stage = "done"
)

// A record is a line of a state file. It holds no secret.
type record struct {
	Key      string `json:"key"`
	Stage    stage  `json:"stage"`
	ClientID string `json:"client_id,omitempty"`
	LastFour string `json:"last_four,omitempty"`
}

// A header is the first line of a state file.
type header struct {
	Format    string `json:"format"`
	Version   int    `json:"version"`
	ProjectID string `json:"project_id"`
	Kind      string `json:"kind"`
}

const stateFormat = "stytchctl-import"

// State is what an import has done, in a file.
type State struct {
	path    string
	file    *os.File // nil if nothing is to be written
	records map[string]record
}

// Open opens or makes the state file of an import into a project, and locks it.
func Open(path string, project inventory.Project, k *inventory.Kind) (*State, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user's file
	if err != nil {
		return nil, cli.Usagef("--resume: %w. %s", err, nothingCreated)
	}
	s := &State{path: path, file: file}
	if err := s.open(header{stateFormat, 1, project.ID(), k.Name}); err != nil {
		_ = file.Close()
		return nil, err
	}
	return s, nil
}

func (s *State) open(want header) error {
	switch ours, err := atomicfile.Lock(s.file); {
	case err != nil && !errors.Is(err, errors.ErrUnsupported):
		return cli.Errorf(cli.Internal, "--resume: %s cannot be locked: %w. %s", s.path, err, nothingCreated)
	case err == nil && !ours:
		return cli.Errorf(cli.Conflict, "--resume: another import uses %s. %s", s.path, nothingCreated)
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		return cli.Errorf(cli.Internal, "--resume: %w. %s", err, nothingCreated)
	}
	whole := bytes.LastIndexByte(text, '\n') + 1 // what follows was being written when a process died
	if err := s.read(text[:whole], want); err != nil {
		return err
	}
	if err := s.file.Truncate(int64(whole)); err != nil {
		return cli.Errorf(cli.Internal, "--resume: %w. %s", err, nothingCreated)
	}
	if _, err := s.file.Seek(int64(whole), 0); err != nil {
		return cli.Errorf(cli.Internal, "--resume: %w. %s", err, nothingCreated)
	}
	if whole > 0 {
		return nil
	}
	err = s.append(want)
	if err == nil {
		err = atomicfile.SyncDir(filepath.Dir(s.path))
	}
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return cli.Errorf(cli.Internal, "--resume: %w. %s", err, nothingCreated)
	}
	return nil
}

// Look reads a state file, if there is one, and changes nothing.
func Look(path string, project inventory.Project, k *inventory.Kind) (*State, error) {
	s := &State{path: path, records: map[string]record{}}
	text, err := os.ReadFile(path) //nolint:gosec // the user's file
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, cli.Usagef("--resume: %w. %s", err, nothingCreated)
	}
	return s, s.read(text[:bytes.LastIndexByte(text, '\n')+1], header{stateFormat, 1, project.ID(), k.Name})
}

// read reads whole lines.
func (s *State) read(text []byte, want header) error {
	s.records = map[string]record{}
	for number, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		switch {
		case len(text) == 0:
		case number == 0:
			if err := checkHeader(s.path, line, want); err != nil {
				return err
			}
		default:
			var r record
			if err := json.Unmarshal(line, &r); err != nil || r.Key == "" || r.Stage == "" {
				return cli.Errorf(cli.Internal, "--resume: %s:%d: this line was changed or damaged: name another state file, and delete what the import made in places of secrets. %s",
					s.path, number+1, nothingCreated)
			}
			s.records[r.Key] = r
		}
	}
	return nil
}

func checkHeader(path string, line []byte, want header) error {
	var has header
	err := json.Unmarshal(line, &has)
	switch {
	case err != nil || has.Format != want.Format:
		return cli.Usagef("--resume: %s is no state of an import: name another file. %s", path, nothingCreated)
	case has.Version > want.Version:
		return cli.Usagef("--resume: %s was written by a newer stytchctl (version %d of the file): use that one. %s", path, has.Version, nothingCreated)
	case has.ProjectID != want.ProjectID:
		return cli.Errorf(cli.Conflict, "--resume: %s belongs to an import into project %s: name another file. %s", path, has.ProjectID, nothingCreated)
	case has.Kind != want.Kind:
		return cli.Errorf(cli.Conflict, "--resume: %s belongs to an import of another kind (%s): name another file. %s", path, has.Kind, nothingCreated)
	}
	return nil
}

// set writes a record durably.
func (s *State) set(r record) error {
	if err := s.append(r); err != nil {
		return cli.Errorf(cli.Internal, "the state of the import could not be written: %w", err)
	}
	s.records[r.Key] = r
	return nil
}

// complete is set for the last record of an entry.
func (s *State) complete(r record) error {
	if err := s.set(r); err != nil {
		return err
	}
	return s.drop()
}

func (s *State) append(line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if s.file == nil {
		return fmt.Errorf("importer: %s is open for reading only", s.path)
	}
	if _, err := s.file.Write(append(text, '\n')); err != nil {
		return err
	}
	return s.file.Sync()
}

// Close ends the use of the file.
func (s *State) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
