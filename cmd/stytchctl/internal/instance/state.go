package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// The format of an exported state.
const (
	StateFormat  = "stytch-emulator-state"
	StateVersion = 1
)

// A State is the content of a project for [Instance.Import]: no secret of a client, of the project
// or of a signing key is in it.
type State struct {
	Format      string           `json:"format"`
	Version     int              `json:"version"`
	Records     []Record         `json:"records"`
	ClockOffset string           `json:"clock_offset,omitempty"`
	Faults      []emulator.Fault `json:"faults,omitempty"`
}

// A Record is one part of a state.
type Record struct {
	Kind  string          `json:"kind"`
	ID    string          `json:"id"`
	Value json.RawMessage `json:"value"`
}

// The kinds of records that identify a project. They never come from an import.
const (
	projectKind = "project"
	secretKind  = "project_secret"
	keyKind     = "signing_key"
	versionKind = "version"
)

// Export returns the content of the project.
func (i *Instance) Export() State {
	i.mu.Lock()
	defer i.mu.Unlock()
	e := i.current.Load()
	s := State{Format: StateFormat, Version: StateVersion, Records: []Record{}}
	for r := range e.Records() {
		if !r.HasSecret() {
			s.Records = append(s.Records, Record{r.Kind, r.ID, r.Value})
		}
	}
	if offset := time.Duration(i.clock.offset.Load()); offset != 0 {
		s.ClockOffset = offset.String()
	}
	for _, f := range e.Faults() {
		switch {
		case f.Left > 0:
			s.Faults = append(s.Faults, f.Fault.Times(f.Left))
		case f.Left < 0:
			s.Faults = append(s.Faults, f.Fault)
		}
	}
	return s
}

// Import replaces the content of the project. Its id, secret, issuer and signing keys stay. If a
// part of the state cannot be used, nothing is changed.
func (i *Instance) Import(s State) error {
	offset, records, err := s.check()
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	identity, err := i.identity(true)
	if err != nil {
		return err
	}
	if err := sameEnvironment(s.Records, identity); err != nil {
		return err
	}
	return i.replace(append(identity, records...), nil, offset, func(e *emulator.Emulator) error {
		for _, f := range s.Faults {
			if _, err := e.AddFault(f); err != nil {
				return refusal(err)
			}
		}
		return nil
	})
}

// check reads what an import brings.
func (s State) check() (offset time.Duration, records []emulator.Record, err error) {
	switch {
	case s.Format != StateFormat:
		return 0, nil, invalid("the format is not %s: give a file that state export wrote. Nothing was changed.", StateFormat)
	case s.Version != StateVersion:
		return 0, nil, invalid("the state has version %d, and this version of stytchctl reads version %d. Nothing was changed.", s.Version, StateVersion)
	}
	if s.ClockOffset != "" {
		if offset, err = time.ParseDuration(s.ClockOffset); err != nil {
			return 0, nil, invalid("clock_offset must be a duration such as 1h30m. Nothing was changed.")
		}
		if err := checkOffset(offset); err != nil {
			return 0, nil, err
		}
	}
	version := false
	for _, r := range s.Records {
		switch r.Kind {
		case projectKind:
			continue
		case secretKind, keyKind:
			return 0, nil, invalid("a record of the kind %s is not part of an export: remove it. Nothing was changed.", r.Kind)
		case versionKind:
			version = true
		}
		records = append(records, emulator.Record{Kind: r.Kind, ID: r.ID, Value: r.Value})
	}
	if !version {
		return 0, nil, invalid("there is no record of the kind %s: give a file that state export wrote. Nothing was changed.", versionKind)
	}
	return offset, records, nil
}

// sameEnvironment refuses clients of a live project in a test project: other rules apply to them.
func sameEnvironment(records []Record, identity []emulator.Record) error {
	own := ""
	for _, r := range identity {
		if r.Kind == projectKind {
			own = r.ID
		}
	}
	for _, r := range records {
		if r.Kind == projectKind && strings.HasPrefix(r.ID, "project-live-") != strings.HasPrefix(own, "project-live-") {
			return fmt.Errorf("%w: the state is of another environment than the project %s: test and live have different rules. Nothing was changed.", ErrConflict, own) //nolint:staticcheck // sentences for people
		}
	}
	return nil
}

// identity are the records of the project itself: its id and secret, and its keys.
func (i *Instance) identity(withKeys bool) (records []emulator.Record, err error) {
	e := i.current.Load()
	if withKeys && len(e.Keys()) == 0 {
		if _, err := e.Sign(map[string]any{}); err != nil { // lists the first key
			return nil, err
		}
	}
	for r := range e.Records() {
		if r.Kind == projectKind || r.Kind == secretKind || withKeys && r.Kind == keyKind {
			records = append(records, r)
		}
	}
	return records, nil
}

// refusal makes an error of a change out of one of the emulator.
func refusal(err error) error {
	if errors.Is(err, emulator.ErrInvalidArgument) {
		return invalid("%s. Nothing was changed.", plain(err))
	}
	return err
}

// plain is the text of an error of the emulator without the name of its package.
func plain(err error) string {
	text := err.Error()
	for _, known := range []error{emulator.ErrInvalidArgument, emulator.ErrStorage} {
		text = strings.TrimPrefix(text, known.Error()+": ")
	}
	return strings.TrimSuffix(text, ".")
}
