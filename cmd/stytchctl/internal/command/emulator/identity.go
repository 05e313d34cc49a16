package emulator

import (
	"crypto/rand"
	"encoding/json"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/store"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A credential is the secret of the project, and whether it may be shown: that of the seed and the
// default one are no secrets to anyone who starts the server.
type credential struct {
	projectID string
	secret    secret.String
	public    bool
	source    string // for people, if it is not public
}

// identify decides id and secret of the project: flags come first, then the seed, the data file and
// the default. What the data file holds must agree.
func (f *serveFlags) identify(app *cli.App, config *instance.Config) (credential, error) {
	c := credential{projectID: app.Flags.ProjectID}
	from := "--project-id"
	if c.projectID == "" && config.Seed != nil {
		c.projectID, from = config.Seed.Project.ID, config.Seed.File
	}
	stored, err := storedCredential(config.Store)
	if err != nil {
		return c, err
	}
	switch {
	case c.projectID == "" && stored.projectID != "":
		c.projectID = stored.projectID
	case c.projectID == "":
		c.projectID = seed.DefaultProjectID
	case stored.projectID != "" && stored.projectID != c.projectID:
		return c, cli.Errorf(cli.Conflict, "%s names the project %s, and %s holds the project %s: give another file to --data, or use that project. Nothing was started.",
			from, c.projectID, f.data, stored.projectID)
	}
	if err := project.CheckID(c.projectID); err != nil {
		return c, cli.Usagef("%s: %w. Nothing was started.", from, err)
	}
	if err := c.chooseSecret(app, f, config.Seed, stored); err != nil {
		return c, err
	}
	if !stored.secret.IsZero() && !stored.secret.Equal(c.secret) {
		return c, cli.Errorf(cli.Conflict, "%s holds another secret for the project %s: use that one, or give another file to --data. Nothing was started.", f.data, c.projectID)
	}
	config.ProjectID, config.Secret = c.projectID, c.secret
	return c, nil
}

func (c *credential) chooseSecret(app *cli.App, f *serveFlags, from *seed.Seed, stored credential) (err error) {
	switch {
	case app.Flags.ProjectSecretFile != "":
		if c.secret, err = app.ReadSecret("--project-secret-file", app.Flags.ProjectSecretFile); err != nil {
			return err
		}
		c.source = "that of --project-secret-file"
		if err := project.CheckSecret(c.secret.Reveal()); err != nil {
			return cli.Usagef("--project-secret-file: %w. Nothing was started.", err)
		}
	case from != nil && from.Project.ID == c.projectID && !from.Project.Secret.IsZero():
		c.secret, c.public = from.Project.Secret, true
	case !stored.secret.IsZero():
		c.secret, c.source = stored.secret, "that of "+f.data
		c.public = c.projectID == seed.DefaultProjectID && stored.secret.Equal(secret.New(seed.DefaultSecret))
	case c.projectID == seed.DefaultProjectID:
		c.secret, c.public = secret.New(seed.DefaultSecret), true
	default:
		c.secret, c.source = secret.New("secret-"+project.Environment(c.projectID)+"-"+rand.Text()), "in "+f.readyFile
		if f.readyFile == "" {
			return cli.Usagef("no secret of project %s is known: give --project-secret-file, or --ready-file for a random one. Nothing was started.", c.projectID)
		}
	}
	return nil
}

// storedCredential is what the data file holds; zero if it is new or there is none.
func storedCredential(s *store.Store) (c credential, err error) {
	if s == nil {
		return c, nil
	}
	projects, err := s.Records("project")
	if err != nil || len(projects) == 0 {
		return c, err
	}
	c.projectID = projects[0].ID
	secrets, err := s.Records("project_secret")
	if err != nil || len(secrets) == 0 {
		return c, err
	}
	var value struct {
		Secret secret.String `json:"secret"`
	}
	if json.Unmarshal(secrets[0].Value, &value) == nil { // else the emulator refuses the record, and names it
		c.secret = value.Secret
	}
	return c, nil
}
