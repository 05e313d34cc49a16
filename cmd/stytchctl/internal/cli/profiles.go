package cli

import (
	"context"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Credentials are those of a project, and where they were found.
type Credentials struct {
	ProjectID string
	Secret    secret.String // zero if it was not asked for
	BaseURL   string        // "" for Stytch itself
	Source    string        // for people: "the environment", "profile prod"
}

// Profiles finds the credentials of a profile; the name "" stands for the profile in use. Found is
// false if there is none in use.
type Profiles interface {
	Find(ctx context.Context, name string, withSecret bool) (credentials Credentials, found bool, err error)
}

type noProfiles struct{}

func (noProfiles) Find(_ context.Context, name string, _ bool) (Credentials, bool, error) {
	if name != "" {
		return Credentials{}, false, Errorf(NotFound, "there is no profile %q. Nothing was sent.", name)
	}
	return Credentials{}, false, nil
}
