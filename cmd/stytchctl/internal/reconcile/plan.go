// Package reconcile makes the clients and apps of a project what a file describes.
package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
)

// An Action is what a step does.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// A Step is one difference between a project and a file.
type Step struct {
	Action  Action             `json:"action"`
	Kind    string             `json:"kind"`
	ID      string             `json:"client_id,omitempty"` // "" for a creation whose id is not chosen
	Name    string             `json:"client_name,omitempty"`
	Changes []inventory.Change `json:"changes,omitempty"`

	entry inventory.Entry
}

// Plan compares a project with a manifest. What the manifest does not have is deleted with prune,
// and left alone without. It changes nothing.
func Plan(ctx context.Context, project inventory.Project, name string, m *inventory.Manifest, prune bool) ([]Step, error) {
	var steps, deletions []Step
	for _, kind := range m.Kinds {
		existing, err := load(ctx, project, kind)
		if err != nil {
			return nil, err
		}
		for _, e := range m.Entries {
			if e.Kind != kind {
				continue
			}
			step, err := existing.compare(e)
			if err != nil {
				return nil, cli.Errorf(cli.Conflict, "%s:%d: %w. Nothing was changed.", name, e.Line, err)
			}
			if step != nil {
				steps = append(steps, *step)
			}
		}
		if prune {
			deletions = append(deletions, existing.unclaimed()...)
		}
	}
	return append(steps, deletions...), nil
}

// state is what a project has of one kind.
type state struct {
	kind    *inventory.Kind
	ids     []string // in the order of the project
	byID    map[string]inventory.Object
	byName  map[string][]string
	claimed map[string]int // ids, and the line of the entry for each
}

func load(ctx context.Context, project inventory.Project, kind *inventory.Kind) (*state, error) {
	s := &state{kind: kind, byID: map[string]inventory.Object{}, byName: map[string][]string{}, claimed: map[string]int{}}
	for object, err := range project.All(ctx, kind) {
		if err != nil {
			return nil, err
		}
		id, name := object.Text("client_id"), object.Text("client_name")
		s.ids = append(s.ids, id)
		s.byID[id] = object
		s.byName[name] = append(s.byName[name], id)
	}
	return s, nil
}

// find is the id of what an entry describes; "" if there is none.
func (s *state) find(e inventory.Entry) (string, error) {
	if e.ID != "" {
		if s.byID[e.ID] != nil {
			return e.ID, nil
		}
		if s.kind == inventory.Apps {
			return "", fmt.Errorf("there is no app %s, and the id of a new one cannot be chosen: remove client_id to create it", e.ID)
		}
		return "", nil
	}
	switch ids := s.byName[e.Name()]; len(ids) {
	case 0:
		return "", nil
	case 1:
		return ids[0], nil
	default:
		return "", fmt.Errorf("the project has %d %ss named %q: say which one by its client_id: %s", len(ids), s.kind.Noun, e.Name(), strings.Join(ids, ", "))
	}
}

// compare is the step for an entry; nil if nothing differs.
func (s *state) compare(e inventory.Entry) (*Step, error) {
	id, err := s.find(e)
	if err != nil {
		return nil, err
	}
	if id == "" {
		if err := e.CheckCreate(); err != nil {
			return nil, fmt.Errorf("%s does not exist, and could not be created: %w", e.Label(), err)
		}
		return &Step{Create, s.kind.Name, e.ID, e.Name(), e.Compare(nil), e}, nil
	}
	if line, twice := s.claimed[id]; twice {
		return nil, fmt.Errorf("%s is %s %s, which line %d describes already", e.Label(), s.kind.Noun, id, line)
	}
	s.claimed[id] = e.Line
	existing := s.byID[id]
	changes := e.Compare(existing)
	if len(changes) == 0 {
		return nil, nil
	}
	if field := s.kind.Fixed(changes); field != "" {
		return nil, fmt.Errorf("%s: the %s of %s %s cannot be changed: it is %s", e.Label(), field, s.kind.Noun, id, existing[field])
	}
	return &Step{Update, s.kind.Name, id, existing.Text("client_name"), changes, e}, nil
}

// unclaimed are deletions of what no entry describes.
func (s *state) unclaimed() (steps []Step) {
	for _, id := range s.ids {
		if _, ok := s.claimed[id]; !ok {
			steps = append(steps, Step{Action: Delete, Kind: s.kind.Name, ID: id, Name: s.byID[id].Text("client_name"), entry: inventory.Entry{Kind: s.kind}})
		}
	}
	return steps
}

// Summary counts the steps of a plan: "1 to create, 2 to update".
func Summary(steps []Step) string {
	var parts []string
	for _, action := range []Action{Create, Update, Delete} {
		n := 0
		for _, step := range steps {
			if step.Action == action {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", n, action))
		}
	}
	return strings.Join(parts, ", ")
}

// Deletes reports whether a plan deletes something.
func Deletes(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.Action == Delete })
}
