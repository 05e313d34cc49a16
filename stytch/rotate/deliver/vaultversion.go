package deliver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/internal/credentials"
)

// vaultVersion is the current version of a secret. It is the zero value if there never was one; its
// object is empty if the version was deleted.
type vaultVersion struct {
	number int64
	object credentials.Object
	held   credentials.Credentials
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
		return vaultVersion{number: read.Data.Metadata.Version, object: object}, "", nil
	case status == http.StatusOK:
		return vaultVersion{}, "", errors.New("the response has no version: the engine at this mount is not KV v2")
	case read.Errors == nil:
		return vaultVersion{}, "", errNotVault
	case len(*read.Errors) > 0:
		return vaultVersion{}, vaultErrors(body), errors.New("there is no KV v2 engine at this mount and namespace")
	}
	return vaultVersion{}, "", nil // the secret was never written
}

// parseVaultMount reads the description of a mount, which must be a KV v2 engine. Beside an error
// it returns what the server said.
func parseVaultMount(status int, body []byte, mount string) (said string, err error) {
	var read struct {
		Data struct {
			Path    string `json:"path"`
			Type    string `json:"type"`
			Options struct {
				Version string `json:"version"`
			} `json:"options"`
		} `json:"data"`
	}
	switch {
	case status == http.StatusForbidden:
		return vaultErrors(body), errors.New("there is no such mount or namespace, or the token has no rights there")
	case status != http.StatusOK:
		return vaultErrors(body), errors.New("cannot find out whether the engine at this mount is KV v2: write a first version of the secret by hand")
	case json.Unmarshal(body, &read) != nil || read.Data.Type == "":
		return "", errNotVault
	}
	if strings.TrimSuffix(read.Data.Path, "/") != mount || read.Data.Type != "kv" || read.Data.Options.Version != "2" {
		return "", errors.New("the engine at this mount is not KV v2")
	}
	return "", nil
}

// vaultMade is the version that a response to a write names; 0 if it names none.
func vaultMade(body []byte) int64 {
	var read struct {
		Data struct {
			Version int64 `json:"version"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &read) != nil {
		return 0
	}
	return read.Data.Version
}

// roundedMember finds a number that Vault may have rounded: it has more digits than every 64-bit
// floating-point number keeps.
func roundedMember(o credentials.Object) (name string, found bool) {
	for name, value := range o.Members() {
		d := json.NewDecoder(bytes.NewReader(value))
		d.UseNumber()
		for token, err := d.Token(); err == nil; token, err = d.Token() {
			if n, ok := token.(json.Number); ok && rounded(n.String()) {
				return name, true
			}
		}
	}
	return "", false
}

func rounded(number string) bool {
	const digits, limit = 15, 1 << 53
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || math.Abs(value) >= limit {
		return true
	}
	number, _, _ = strings.Cut(strings.ToLower(number), "e")
	number = strings.Trim(strings.ReplaceAll(number, ".", ""), "-0")
	return len(number) > digits
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
