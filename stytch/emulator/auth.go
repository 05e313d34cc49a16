package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

// authenticate checks the project's HTTP Basic credentials.
func (s *state) authenticate(h http.Header) error {
	headers := h.Values("Authorization")
	if len(headers) == 0 {
		return fail("unauthorized_credentials").why("the Authorization header is missing: send the project's ID and secret as HTTP Basic")
	}
	user, password, ok := parseBasic(headers[0])
	if len(headers) > 1 {
		return fail("invalid_authorization_header").why("there are %d Authorization headers: send one", len(headers))
	}
	if !ok {
		return fail("invalid_authorization_header").why("the Authorization header is not HTTP Basic: it must be Basic and the base64 of the project's ID, a colon and the project's secret")
	}
	if project.CheckID(user) != nil {
		return fail("invalid_project_id_authentication").why("%s", notAProject(user))
	}
	if env := project.Environment(user); env != s.env {
		return fail(env+"_id_used_in_"+s.env+"_environment").why("the project ID is of the %s environment, and this is the project %s", env, s.id)
	}
	given := sha256.Sum256([]byte(password))
	same := subtle.ConstantTimeCompare(given[:], s.secret[:]) & subtle.ConstantTimeCompare([]byte(user), []byte(s.id))
	if same != 1 {
		return fail("unauthorized_credentials").why("%s", s.wrongCredentials(user, password))
	}
	return nil
}

// notAProject says what is wrong with the user name of HTTP Basic. It does not show it: it may be a
// secret in the wrong place.
func notAProject(user string) string {
	const prefix = "the user name of HTTP Basic is not a project ID"
	switch {
	case user == "":
		return prefix + ": it is empty"
	case project.CheckID(strings.TrimSpace(user)) == nil:
		return prefix + ": remove the space or line break around it"
	case strings.HasPrefix(user, "secret-"):
		return prefix + ": it looks like the secret, so the two seem to be swapped"
	case strings.HasPrefix(user, "m2m-client-"):
		return prefix + " but that of an M2M client: this operation takes the credentials of the project"
	}
	return prefix + ": it begins with project-test- or project-live-"
}

func (s *state) wrongCredentials(user, password string) string {
	switch {
	case user != s.id:
		return "the project ID is not that of this emulator, " + s.id
	case password == "":
		return "the project's secret is empty"
	case sha256.Sum256([]byte(strings.TrimSpace(password))) == s.secret:
		return "the project's secret has a space or line break around it: remove it"
	}
	return "the secret is not that of the project " + s.id
}

// parseBasic differs from http.Request.BasicAuth in that a malformed header can be distinguished
// from a missing one.
func parseBasic(header string) (user, password string, ok bool) {
	scheme, credentials, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimLeft(credentials, " "))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(plain), ":")
}
