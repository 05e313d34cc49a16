package profile

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Profiles are the profiles of one user. It implements [cli.Profiles]. It reads its files when it
// is asked.
type Profiles struct{ getenv func(string) string }

// New are the profiles of the user whose environment is given.
func New(getenv func(string) string) *Profiles { return &Profiles{getenv} }

// Folder is where config.yaml is: $XDG_CONFIG_HOME/stytchctl, or what the operating system has for
// configuration.
func (p *Profiles) Folder() (string, error) {
	folder := p.getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(folder) { // a relative one must be ignored, says the specification of XDG
		var err error
		if folder, err = os.UserConfigDir(); err != nil {
			return "", cli.Usagef("there is no folder for profiles: %w: set XDG_CONFIG_HOME. Nothing was done.", err)
		}
	}
	return filepath.Join(folder, "stytchctl"), nil
}

// Path is that of config.yaml.
func (p *Profiles) Path() (string, error) {
	folder, err := p.Folder()
	return filepath.Join(folder, "config.yaml"), err
}

// Find is for [cli.App]. Without a name, it finds the profile in use.
func (p *Profiles) Find(ctx context.Context, name string, withSecret bool) (found cli.Credentials, ok bool, err error) {
	c, err := p.load()
	if err != nil {
		if _, missing := p.Folder(); missing != nil && name == "" {
			return found, false, nil // a container without a home has no profiles
		}
		return found, false, err
	}
	if name == "" {
		name = c.inUse
	}
	if name == "" {
		return found, false, nil
	}
	profile, err := c.find(name)
	if err != nil {
		return found, false, err
	}
	found = cli.Credentials{ProjectID: profile.ProjectID, BaseURL: profile.BaseURL, Source: "profile " + name}
	if withSecret {
		if found.Secret, err = p.store(profile.Store).get(ctx, profile); err != nil {
			return found, false, secretError(profile, err)
		}
	}
	return found, true, nil
}

// secretError says whose secret could not be read.
func secretError(profile Profile, err error) error {
	if errors.Is(err, errNoSecret) {
		err = cli.Errorf(cli.Auth, "%w: add it with stytchctl profile add %s --replace", err, profile.Name)
	}
	return cli.Errorf(cli.Classify(err), "profile %s: %w. Nothing was sent.", profile.Name, err)
}

func (c *config) find(name string) (Profile, error) {
	if profile, ok := c.profiles[name]; ok {
		return profile, nil
	}
	var known []string
	for _, profile := range c.sorted() {
		known = append(known, profile.Name)
	}
	return Profile{}, cli.Errorf(cli.NotFound, "there is no profile %q%s See stytchctl profile list. Nothing was done.", name, cli.Nearest(name, known))
}

// List are all profiles by name, and the name of the one in use.
func (p *Profiles) List() (all []Profile, inUse string, err error) {
	c, err := p.load()
	if err != nil {
		return nil, "", err
	}
	return c.sorted(), c.inUse, nil
}

// Add stores a profile and its secret. The first profile is in use from then on. The secret of a
// profile that is replaced is removed last: until the configuration is written, it is needed.
func (p *Profiles) Add(ctx context.Context, profile Profile, s secret.String, replace bool) (inUse bool, err error) {
	if err := profile.check(); err != nil {
		return false, cli.Usagef("profile %q: %w. Nothing was stored.", profile.Name, err)
	}
	if err := project.CheckSecret(s.Reveal()); err != nil {
		return false, cli.Usagef("--secret-file: %w. Nothing was stored.", err)
	}
	var old Profile
	var exists bool
	err = p.change(ctx, func(c *config) error {
		old, exists = c.profiles[profile.Name]
		if exists && !replace {
			return cli.Errorf(cli.Conflict, "profile %q exists already: give --replace to replace it. Nothing was stored.", profile.Name)
		}
		if err := p.store(profile.Store).put(ctx, profile, s); err != nil {
			return cli.Errorf(cli.Classify(err), "profile %s: %w. Nothing was stored.", profile.Name, err)
		}
		if c.inUse == "" {
			c.inUse = profile.Name
		}
		inUse = c.inUse == profile.Name
		c.profiles[profile.Name] = profile
		return nil
	})
	if err != nil || !exists || old.Store == profile.Store && old.ProjectID == profile.ProjectID {
		return inUse, err
	}
	if err := p.store(old.Store).remove(ctx, old); err != nil {
		return inUse, cli.Errorf(cli.Partial, "profile %s was stored, but its previous secret cannot be removed: %w", profile.Name, err)
	}
	return inUse, nil
}

// Use makes a profile the one that commands use unless another is named.
func (p *Profiles) Use(ctx context.Context, name string) (used Profile, err error) {
	err = p.change(ctx, func(c *config) error {
		used, err = c.find(name)
		c.inUse = name
		return err
	})
	return used, err
}

// Get is one profile.
func (p *Profiles) Get(name string) (Profile, error) {
	c, err := p.load()
	if err != nil {
		return Profile{}, err
	}
	return c.find(name)
}

// Remove forgets a profile and removes its secret from where it is stored. The secret stays valid
// at Stytch.
func (p *Profiles) Remove(ctx context.Context, name string) error {
	return p.change(ctx, func(c *config) error {
		profile, err := c.find(name)
		if err != nil {
			return err
		}
		if err := p.store(profile.Store).remove(ctx, profile); err != nil {
			return cli.Errorf(cli.Classify(err), "profile %s: its secret cannot be removed: %w. The profile is unchanged.", name, err)
		}
		delete(c.profiles, name)
		if c.inUse == name {
			c.inUse = ""
		}
		return nil
	})
}

// secretStore keeps the secrets of profiles.
type secretStore interface {
	get(context.Context, Profile) (secret.String, error)
	put(context.Context, Profile, secret.String) error
	remove(context.Context, Profile) error
}

func (p *Profiles) store(store Store) secretStore {
	if store == File {
		folder, _ := p.Folder() // config.yaml was read from it
		return fileStore{filepath.Join(folder, "secrets")}
	}
	return keyringStore{p.getenv}
}

// KeyringAvailable is why no profile can use the keyring, or nil. It does not touch the keyring.
func (p *Profiles) KeyringAvailable() error { return keyringStore{p.getenv}.available() }

// CheckSecretFile is why the file with the secret of a profile cannot be used, or nil.
func (p *Profiles) CheckSecretFile(profile Profile) error {
	_, err := p.store(profile.Store).get(context.Background(), profile)
	return err
}
