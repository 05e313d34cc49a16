package profile

import (
	"errors"
	"fmt"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/strictyaml"
)

// configFile is config.yaml as it is written.
type configFile struct {
	InUse    string        `json:"in_use" yaml:"in_use,omitempty"`
	Profiles []configEntry `json:"profiles" yaml:"profiles"`
}

type configEntry struct {
	Line      strictyaml.Line `json:"-" yaml:"-"`
	Name      string          `json:"name" yaml:"name"`
	ProjectID string          `json:"project_id" yaml:"project_id"`
	BaseURL   string          `json:"base_url" yaml:"base_url,omitempty"`
	Store     Store           `json:"store" yaml:"store"`
}

// parse reads config.yaml. Errors name the line and quote no values: someone may have put a secret
// where it does not belong.
func parse(path string, text []byte) (*config, error) {
	var file configFile
	if err := strictyaml.Decode(path, text, &file); err != nil {
		return nil, err
	}
	c := &config{inUse: file.InUse, profiles: map[string]Profile{}}
	for i, entry := range file.Profiles {
		p := Profile{entry.Name, entry.ProjectID, entry.BaseURL, entry.Store}
		err := p.check()
		if _, twice := c.profiles[p.Name]; twice && err == nil {
			err = errors.New("a profile above has the same name")
		}
		if err != nil {
			return nil, &strictyaml.Error{File: path, Line: int(entry.Line), Path: fmt.Sprintf("profiles[%d]", i), Err: err}
		}
		c.profiles[p.Name] = p
	}
	if _, ok := c.profiles[c.inUse]; !ok && c.inUse != "" {
		return nil, &strictyaml.Error{File: path, Path: "in_use", Err: errors.New("there is no such profile")}
	}
	return c, nil
}
