package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// API is a client for the project that flags, environment or profile name, with further options.
func (a *App) API(ctx context.Context, more ...stytch.Option) (*stytch.Client, error) {
	credentials, err := a.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	return a.Client(credentials, more...)
}

// Client is [App.API] for credentials that were read before.
func (a *App) Client(credentials Credentials, more ...stytch.Option) (*stytch.Client, error) {
	options := []stytch.Option{stytch.WithUserAgent("stytchctl/" + stytch.Version)}
	if credentials.BaseURL != "" {
		options = append(options, stytch.WithBaseURL(credentials.BaseURL))
	}
	if a.Flags.Verbose {
		options = append(options, stytch.WithObserver(a.logAttempt))
	}
	return stytch.New(credentials.ProjectID, credentials.Secret.Reveal(), append(options, more...)...)
}

// logAttempt prints what -v promises: no body, no header, no id.
func (a *App) logAttempt(_ context.Context, attempt stytch.Attempt) {
	method, path := "", attempt.Operation
	for _, op := range operation.All {
		if op.ID == attempt.Operation {
			method, path = op.Method, op.Path
		}
	}
	status := fmt.Sprint(attempt.StatusCode)
	if attempt.StatusCode == 0 {
		status = "no response"
	}
	a.say("", fmt.Sprintf("%s %s: %s, request id %s, %v",
		method, path, status, orNone(attempt.RequestID), attempt.Duration.Round(time.Millisecond)))
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// Credentials finds id and secret of the project: flags come first, then the environment, then the
// profile.
func (a *App) Credentials(ctx context.Context) (Credentials, error) {
	return a.project(ctx, true)
}

// Project is [App.Credentials] without the secret, for commands that do not need one.
func (a *App) Project(ctx context.Context) (Credentials, error) { return a.project(ctx, false) }

func (a *App) project(ctx context.Context, withSecret bool) (Credentials, error) {
	profile := a.Flags.Profile
	if profile == "" {
		profile = a.Getenv("STYTCH_PROFILE")
	}
	found := Credentials{Source: "the environment"}
	if a.Flags.Profile != "" || profile != "" && a.Getenv("STYTCH_PROJECT_ID") == "" {
		var err error
		if found, _, err = a.Profiles.Find(ctx, profile, withSecret && a.Flags.ProjectSecretFile == ""); err != nil {
			return Credentials{}, err
		}
	} else if err := a.fromEnvironment(&found, withSecret); err != nil {
		return Credentials{}, err
	}
	if found.ProjectID == "" && a.Flags.ProjectID == "" && profile == "" { // the profile in use
		inUse, ok, err := a.Profiles.Find(ctx, "", withSecret && a.Flags.ProjectSecretFile == "")
		if err != nil {
			return Credentials{}, err
		}
		if ok {
			found = inUse
		}
	}
	if a.Flags.ProjectID != "" {
		if found.ProjectID != a.Flags.ProjectID && found.ProjectID != "" && a.Flags.ProjectSecretFile == "" && withSecret {
			return Credentials{}, Usagef("--project-id: it differs from the project of %s, whose secret does not fit it: give --project-secret-file too. Nothing was sent.", found.Source)
		}
		found.ProjectID = a.Flags.ProjectID
	}
	if a.Flags.BaseURL != "" {
		found.BaseURL = a.Flags.BaseURL
	}
	if withSecret && a.Flags.ProjectSecretFile != "" {
		secret, err := a.ReadSecret("--project-secret-file", a.Flags.ProjectSecretFile)
		if err != nil {
			return Credentials{}, err
		}
		found.Secret, found.Source = secret, "--project-secret-file"
	}
	return found, a.complete(found, withSecret)
}

func (a *App) complete(found Credentials, withSecret bool) error {
	const how = "Set STYTCH_PROJECT_ID and STYTCH_PROJECT_SECRET, or use a profile (stytchctl profile add). Nothing was sent."
	switch {
	case found.ProjectID == "":
		return Errorf(Auth, "no project is known. %s", how)
	case withSecret && found.Secret.Reveal() == "":
		return Errorf(Auth, "no secret of project %s is known. %s", found.ProjectID, how)
	}
	return nil
}

func (a *App) fromEnvironment(found *Credentials, withSecret bool) error {
	found.ProjectID, found.BaseURL = a.Getenv("STYTCH_PROJECT_ID"), a.Getenv("STYTCH_BASE_URL")
	if !withSecret {
		return nil
	}
	long, short := a.Getenv("STYTCH_PROJECT_SECRET"), a.Getenv("STYTCH_SECRET")
	if long != "" && short != "" && long != short {
		return Usagef("STYTCH_PROJECT_SECRET and STYTCH_SECRET are both set and differ: unset one. Nothing was sent.")
	}
	if long == "" {
		long = short
	}
	if long != "" {
		found.Secret = secret.New(long)
	}
	return nil
}
