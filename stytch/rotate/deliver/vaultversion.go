package deliver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/credentials"
)

// vaultVersion is the current version of a secret. It is the zero value if there never was one; its
// object is empty if the version was deleted.
type vaultVersion struct {
	number int64
	object credentials.Object
}

// errNotVault means that something else than Vault sent the response.
var errNotVault = errors.New("the response is not one of Vault")

// parseVaultVersion reads the response to a read. Beside an error it returns what the server said.
func parseVaultVersion(status int, body []byte) (stored vaultVersion, said string, err error) {
	var read struct {
		Errors *[]string `json:"errors"`
		Data   *struct {
			Data     json.RawMessage `json:"data"`
			Metadata *struct {
				Version int64 `json:"version"`
			} `json:"metadata"`
		} `json:"data"`
	}
	if status != http.StatusOK && status != http.StatusNotFound {
		return vaultVersion{}, vaultErrors(body), errors.New(vaultMeaning(status))
	}
	if json.Unmarshal(body, &read) != nil {
		return vaultVersion{}, "", errNotVault
	}
	versioned := read.Data != nil && read.Data.Metadata != nil && read.Data.Metadata.Version > 0
	switch {
	case versioned && status == http.StatusNotFound: // deleted or destroyed
		return vaultVersion{number: read.Data.Metadata.Version}, "", nil
	case versioned:
		object, err := credentials.Parse(read.Data.Data)
		if err != nil {
			return vaultVersion{}, "", fmt.Errorf("the data of the secret: %w", err)
		}
		return vaultVersion{read.Data.Metadata.Version, object}, "", nil
	case status == http.StatusOK:
		return vaultVersion{}, "", errors.New("the response has no version: the engine at this mount is not KV v2")
	case read.Errors == nil:
		return vaultVersion{}, "", errNotVault
	case len(*read.Errors) > 0:
		return vaultVersion{}, vaultErrors(body), errors.New("there is no KV v2 engine at this mount and namespace")
	}
	return vaultVersion{}, "", nil // the secret was never written
}

// vaultErrors joins the errors in a response; "" if it has none.
func vaultErrors(body []byte) string {
	var list struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(body, &list) != nil {
		return ""
	}
	return strings.Join(slices.DeleteFunc(list.Errors, func(s string) bool { return s == "" }), "; ")
}

// vaultMeaning explains a status.
func vaultMeaning(status int) string {
	switch status {
	case http.StatusForbidden:
		return `the token is invalid, or its policy lacks "read", "create" or "update" on this path`
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "there is no KV v2 engine at this mount and namespace"
	case http.StatusPreconditionFailed:
		return "the node has not caught up with an earlier write"
	case http.StatusTooManyRequests:
		return "the rate limit is exceeded, or the node is a standby"
	case 472, 473:
		return "the node is a standby that serves no requests"
	case http.StatusServiceUnavailable:
		return "Vault is sealed, not initialized or in maintenance"
	}
	return ""
}
