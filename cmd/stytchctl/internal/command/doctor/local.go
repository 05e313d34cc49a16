package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
	"github.com/stytchkit/m2m/internal/project"
)

// checkProfiles looks at config.yaml, and at the files with secrets.
func (e *examination) checkProfiles() {
	const check = "profiles"
	path, err := e.profiles.Path()
	if err != nil {
		e.add(check, good, "there is no folder for profiles, so there are none", "")
		return
	}
	all, inUse, err := e.profiles.List()
	switch {
	case err != nil:
		e.fail(check, err, "")
		return
	case len(all) == 0:
		e.good(check, "there are none; %s", existence(path))
		return
	case inUse == "":
		e.good(check, "%d in %s, none in use", len(all), path)
	default:
		e.good(check, "%d in %s, %s in use", len(all), path, inUse)
	}
	for _, p := range all {
		if p.Store == profile.File {
			if err := e.profiles.CheckSecretFile(p); err != nil {
				e.fail("profile "+p.Name, err, "")
			}
		}
	}
}

func existence(path string) string {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return path + " does not exist"
	}
	return path + " has none"
}

// checkKeyring reports whether the keyring could be used. It is not touched.
func (e *examination) checkKeyring() {
	const check = "keyring"
	err := e.profiles.KeyringAvailable()
	if err == nil {
		e.good(check, "there is one (%s)", runtime.GOOS)
		return
	}
	all, _, _ := e.profiles.List() // checkProfiles has reported the error
	for _, p := range all {
		if p.Store == profile.Keyring {
			e.fail(check, err, "profile "+p.Name+" needs it")
			return
		}
	}
	e.add(check, good, "there is none here, and no profile needs one", "")
}

// checkCredentials finds the credentials as every command does, and looks at their form.
func (e *examination) checkCredentials(ctx context.Context) {
	const check = "credentials"
	found, err := e.app.Credentials(ctx)
	if err != nil {
		e.fail(check, err, "")
		found, _ = e.app.Project(ctx) // enough for the other checks
	}
	if found.ProjectID == "" {
		return
	}
	if idErr := project.CheckID(found.ProjectID); idErr != nil {
		e.fail(check, idErr, "copy it from the dashboard of Stytch")
		return
	}
	if err == nil {
		if secretErr := project.CheckSecret(found.Secret.Reveal()); secretErr != nil {
			e.fail(check, secretErr, "copy it from the dashboard of Stytch, without spaces and quotation marks")
		} else {
			e.credentials = found
			e.good(check, "%s, from %s (%s project)", found.ProjectID, found.Source, project.Environment(found.ProjectID))
		}
	}
	base := project.BaseURL(found.ProjectID)
	if found.BaseURL != "" {
		if base, err = project.ParseBaseURL(found.BaseURL); err != nil {
			e.fail("address", err, "correct --base-url, STYTCH_BASE_URL or the profile")
			return
		}
	}
	e.base = base
}
