// Package seed reads the file with what a local Stytch begins with.
package seed

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/strictyaml"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

// FileName is the file that the server finds by itself in its working folder.
const FileName = "stytchctl-seed.yaml"

// A Seed is what a project begins with. It prints without secrets.
type Seed struct {
	File          string            `json:"-"`
	Project       Project           `json:"project"`
	M2MClients    []M2MClient       `json:"m2m_clients"`
	ConnectedApps []ConnectedApp    `json:"connected_apps"`
	Behavior      emulator.Behavior `json:"behavior"`
	Faults        []emulator.Fault  `json:"faults"`
}

// A Project is the identity of a project. Each part may be absent, but a secret needs its id.
type Project struct {
	Line          strictyaml.Line `json:"-"`
	ID            string          `json:"id"`
	Secret        secret.String   `json:"secret"`
	Issuer        string          `json:"issuer"`
	TokenTemplate string          `json:"token_template"`
}

// An M2MClient has the fields of the API.
type M2MClient struct {
	Line        strictyaml.Line `json:"-"`
	ID          string          `json:"client_id"`
	Secret      secret.String   `json:"client_secret"`
	Name        string          `json:"client_name"`
	Description string          `json:"client_description"`
	Scopes      []string        `json:"scopes"`
	Metadata    map[string]any  `json:"trusted_metadata"`
	Status      string          `json:"status"`
}

// A ConnectedApp has the fields of the API.
type ConnectedApp struct {
	Line         strictyaml.Line `json:"-"`
	ID           string          `json:"client_id"`
	Secret       secret.String   `json:"client_secret"`
	Type         string          `json:"client_type"`
	Name         string          `json:"client_name"`
	Description  string          `json:"client_description"`
	RedirectURLs []string        `json:"redirect_urls"`
}

// Parse reads a seed and checks all of it. Errors name the file, the line and the key.
func Parse(file string, text []byte) (*Seed, error) {
	s := &Seed{File: file}
	if err := strictyaml.Decode(file, text, s); err != nil {
		if located := (*strictyaml.Error)(nil); errors.As(err, &located) {
			located.Err = plain(located.Err)
		}
		return nil, err
	}
	return s, s.check()
}

func (s *Seed) check() error {
	if err := s.checkIDs(); err != nil {
		return err
	}
	_, err := emulator.New(append(s.Options(), s.Identity()...)...)
	if err == nil {
		return nil
	}
	return s.locate(err)
}

// checkIDs wants an id for each client: a test names clients by it, and a restart finds them by it.
func (s *Seed) checkIDs() error {
	lines := map[string]strictyaml.Line{}
	check := func(list string, i int, line strictyaml.Line, id string) error {
		path := fmt.Sprintf("%s[%d].client_id", list, i)
		if id == "" {
			return s.fail(line, path, fmt.Errorf("it is missing: choose an id"))
		}
		if other, ok := lines[id]; ok {
			return s.fail(line, path, fmt.Errorf("the id is used in line %d already", other))
		}
		lines[id] = line
		return nil
	}
	for i, c := range s.M2MClients {
		if err := check("m2m_clients", i, c.Line, c.ID); err != nil {
			return err
		}
	}
	for i, a := range s.ConnectedApps {
		if err := check("connected_apps", i, a.Line, a.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Seed) fail(line strictyaml.Line, path string, err error) error {
	return &strictyaml.Error{File: s.File, Line: int(line), Path: path, Err: err}
}

// locate finds the part of the seed that the emulator refuses: the first one that it refuses alone.
func (s *Seed) locate(whole error) error {
	refused := func(options ...emulator.Option) error {
		_, err := emulator.New(options...)
		return plain(err)
	}
	identity := s.Identity()
	if err := refused(identity...); err != nil {
		return s.fail(s.Project.Line, "project", err)
	}
	behavior := emulator.WithBehavior(s.Behavior)
	if err := refused(behavior); err != nil {
		return s.fail(0, "behavior", err)
	}
	base := append(identity, behavior)
	for i, c := range s.M2MClients {
		if err := refused(append(base, emulator.WithM2MClient(c.seed()))...); err != nil {
			return s.fail(c.Line, fmt.Sprintf("m2m_clients[%d]", i), err)
		}
	}
	for i, a := range s.ConnectedApps {
		if err := refused(append(base, emulator.WithConnectedApp(a.seed()))...); err != nil {
			return s.fail(a.Line, fmt.Sprintf("connected_apps[%d]", i), err)
		}
	}
	return s.fail(0, "", plain(whole))
}

// plain removes what names options of the Go package.
func plain(err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, emulator.ErrInvalidArgument) {
		return err
	}
	text := strings.TrimPrefix(err.Error(), emulator.ErrInvalidArgument.Error()+": ")
	for _, prefix := range []string{"WithProject: ", "WithIssuer: ", "WithTokenTemplate: ", "M2M client seed 0: ", "Connected App seed 0: ", "fault: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return fmt.Errorf("%s", text)
}

// Options are the options for an emulator with the seed's content. Those of [Seed.Identity] are
// separate.
func (s *Seed) Options() []emulator.Option {
	options := []emulator.Option{
		emulator.WithBehavior(s.Behavior),
		emulator.WithM2MClients(len(s.M2MClients), func(i int) emulator.M2MClientSeed { return s.M2MClients[i].seed() }),
		emulator.WithFaults(s.Faults...),
	}
	for _, a := range s.ConnectedApps {
		options = append(options, emulator.WithConnectedApp(a.seed()))
	}
	return options
}

// Identity are the options for the seed's project.
func (s *Seed) Identity() (options []emulator.Option) {
	if s.Project.ID != "" || !s.Project.Secret.IsZero() {
		text := s.Project.Secret.Reveal()
		if text == "" {
			text = "secret-test-" + rand.Text()
		}
		options = append(options, emulator.WithProject(s.Project.ID, text))
	}
	if s.Project.Issuer != "" {
		options = append(options, emulator.WithIssuer(s.Project.Issuer))
	}
	if s.Project.TokenTemplate != "" {
		options = append(options, emulator.WithTokenTemplate(s.Project.TokenTemplate))
	}
	return options
}

func (c M2MClient) seed() emulator.M2MClientSeed {
	return emulator.M2MClientSeed{
		ClientID: c.ID, Secret: c.Secret.Reveal(), Name: c.Name, Description: c.Description,
		Scopes: c.Scopes, Metadata: c.Metadata, Status: c.Status,
	}
}

func (a ConnectedApp) seed() emulator.ConnectedAppSeed {
	return emulator.ConnectedAppSeed{
		ClientID: a.ID, Secret: a.Secret.Reveal(), ClientType: a.Type, Name: a.Name, Description: a.Description,
		RedirectURLs: a.RedirectURLs,
	}
}
