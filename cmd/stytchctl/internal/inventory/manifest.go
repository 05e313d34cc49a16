package inventory

import (
	"encoding/json"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/strictyaml"
	"github.com/stytchkit/m2m/stytch"
)

// A Manifest is a file with the desired state of clients and apps.
type Manifest struct {
	Kinds   []*Kind // those that the file has a list of, be it empty
	Entries []Entry
}

// manifest is the file. Its fields are those of updates, so that each is set or left alone.
type manifest struct {
	Clients *[]manifestClient `json:"m2m_clients"`
	Apps    *[]manifestApp    `json:"connected_apps"`
}

type manifestClient struct {
	Line strictyaml.Line
	ID   string `json:"client_id"`
	stytch.M2MUpdate
}

type manifestApp struct {
	Line strictyaml.Line
	ID   string `json:"client_id"`
	Type string `json:"client_type"`
	stytch.ConnectedAppUpdate
}

// ReadManifest reads a YAML file with m2m_clients and connected_apps.
func ReadManifest(name string, text []byte) (*Manifest, error) {
	var file manifest
	if err := strictyaml.Decode(name, text, &file); err != nil {
		return nil, cli.Usagef("%w. %s", err, nothingSent)
	}
	m := &Manifest{}
	if file.Clients != nil {
		m.Kinds = append(m.Kinds, Clients)
		for _, c := range *file.Clients {
			if err := m.add(name, Clients, int(c.Line), c.ID, "", c.M2MUpdate); err != nil {
				return nil, err
			}
		}
	}
	if file.Apps != nil {
		m.Kinds = append(m.Kinds, Apps)
		for _, a := range *file.Apps {
			if err := m.add(name, Apps, int(a.Line), a.ID, a.Type, a.ConnectedAppUpdate); err != nil {
				return nil, err
			}
		}
	}
	if m.Kinds == nil {
		return nil, cli.Usagef("%s: it has neither m2m_clients nor connected_apps. %s", name, nothingSent)
	}
	return m, m.checkUnique(name)
}

const nothingSent = "Nothing was sent."

func (m *Manifest) add(name string, k *Kind, line int, id, appType string, update any) error {
	e := Entry{Kind: k, ID: id, Line: line, Fields: Object{}}
	text, err := json.Marshal(update)
	if err == nil {
		err = json.Unmarshal(text, &e.Fields)
	}
	if appType != "" {
		e.Fields.Set(fieldType, appType)
	}
	if err == nil {
		err = e.Check()
	}
	if err != nil {
		return cli.Usagef("%s:%d: %w. %s", name, line, err, nothingSent)
	}
	m.Entries = append(m.Entries, e)
	return nil
}

// checkUnique refuses two entries for one client.
func (m *Manifest) checkUnique(name string) error {
	type key struct {
		kind     *Kind
		id, name string
	}
	lines := map[key]int{}
	for _, e := range m.Entries {
		k := key{kind: e.Kind, id: e.ID}
		if e.ID == "" {
			k.name = e.Name()
		}
		if first, twice := lines[k]; twice {
			return cli.Usagef("%s:%d: %s is in line %d already. %s", name, e.Line, e.Label(), first, nothingSent)
		}
		lines[k] = e.Line
	}
	return nil
}
