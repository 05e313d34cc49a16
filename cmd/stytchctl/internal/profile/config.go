package profile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/internal/project"
)

// A Profile names a project and where its secret is.
type Profile struct {
	Name      string
	ProjectID string
	BaseURL   string // "" for Stytch itself
	Store     Store
}

// A Store is where the secret of a profile is kept.
type Store string

// The stores.
const (
	Keyring Store = "keyring" // of the operating system
	File    Store = "file"    // beside config.yaml, readable by its owner only
)

// Stores are all stores.
var Stores = []Store{Keyring, File}

// A config is the content of config.yaml.
type config struct {
	inUse    string
	profiles map[string]Profile
}

// sorted are the profiles by name.
func (c *config) sorted() []Profile {
	all := make([]Profile, 0, len(c.profiles))
	for _, name := range slices.Sorted(maps.Keys(c.profiles)) {
		all = append(all, c.profiles[name])
	}
	return all
}

const heading = "# Profiles of stytchctl. No secret belongs here. The commands of stytchctl profile rewrite this file.\n"

func (c *config) encode() ([]byte, error) {
	file := configFile{InUse: c.inUse}
	for _, p := range c.sorted() {
		file.Profiles = append(file.Profiles, configEntry{Name: p.Name, ProjectID: p.ProjectID, BaseURL: p.BaseURL, Store: p.Store})
	}
	text, err := yaml.Marshal(file)
	return append([]byte(heading), text...), err
}

// check refuses a profile that could not be used. Names become names of files.
func (p Profile) check() error {
	if len(p.Name) > 64 || !name.MatchString(p.Name) {
		return fmt.Errorf("the name must be 1 to 64 letters, digits, dots, hyphens and underscores, and begin with a letter or digit")
	}
	if err := project.CheckID(p.ProjectID); err != nil {
		return fmt.Errorf("project_id: %w", err)
	}
	if p.BaseURL != "" {
		if _, err := project.ParseBaseURL(p.BaseURL); err != nil {
			return fmt.Errorf("base_url: %w", err)
		}
	}
	if !slices.Contains(Stores, p.Store) {
		return fmt.Errorf("store: it must be keyring or file")
	}
	return nil
}

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
