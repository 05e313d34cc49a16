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
		return fail("unauthorized_credentials")
	}
	user, password, ok := parseBasic(headers[0])
	if len(headers) > 1 || !ok {
		return fail("invalid_authorization_header")
	}
	if project.CheckID(user) != nil {
		return fail("invalid_project_id_authentication")
	}
	if env := project.Environment(user); env != s.env {
		return fail(env + "_id_used_in_" + s.env + "_environment")
	}
	given := sha256.Sum256([]byte(password))
	same := subtle.ConstantTimeCompare(given[:], s.secret[:]) & subtle.ConstantTimeCompare([]byte(user), []byte(s.id))
	if same != 1 {
		return fail("unauthorized_credentials")
	}
	return nil
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
