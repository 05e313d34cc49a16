package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// VaultConfig says where in Vault secrets are. Address, Mount, Path and Token are required.
type VaultConfig struct {
	Address   string // https://host:port, or http:// on loopback; it may have a path in front of /v1
	Namespace string // "" for none
	Mount     string // where the KV v2 engine is, such as "secret"

	// Path is where in the engine the secret of a client is, such as "stytch/<client id>". Segments may hold any text but
	// control characters and backslashes. It must be safe for concurrent use.
	Path func(clientID string) string

	// Token gives the token for each request: [TokenFile] if an agent keeps it in a file. It must be safe for concurrent use.
	Token func(ctx context.Context) (secret.String, error)

	Client *http.Client // with the server's CA in its transport, if need be; nil for a plain one. It is copied
}

// VaultKV keeps secrets in HashiCorp Vault. [Vault] makes it.
type VaultKV struct {
	place
	*endpoint
	mount  string // escaped
	path   func(clientID string) string
	header http.Header
}

var (
	_ rotate.Deliverer = (*VaultKV)(nil)
	_ rotate.Reader    = (*VaultKV)(nil)
)

// Vault keeps secrets in a KV v2 engine of HashiCorp Vault, by its HTTP API: client_id, client_secret and, if there is one,
// next_client_secret, as keys of a secret per client. Other keys of it are kept. A new version is made only if something
// changes and, by check-and-set, only of the version that was read. What was deleted or destroyed counts as absent,
// and is followed by a new version.
//
// The policy needs "read", "create" and "update" on <mount>/data/<path>. Redirects are refused: an address that leads to a
// standby node has to be one that forwards. Answers are limited to 1 MiB. Only the context limits the time.
func Vault(cfg VaultConfig) (*VaultKV, error) {
	e, err := newEndpoint("Vault", cfg.Address, cfg.Client, cfg.Token)
	if err != nil {
		return nil, err
	}
	mount, err := escapePath(strings.Trim(cfg.Mount, "/"))
	if err != nil {
		return nil, wrong(rotate.ErrInvalidArgument, "Vault: Mount: %w", err)
	}
	if cfg.Path == nil {
		return nil, wrong(rotate.ErrInvalidArgument, "Vault: Path must not be nil")
	}
	if strings.ContainsFunc(cfg.Namespace, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, wrong(rotate.ErrInvalidArgument, "Vault: Namespace must be printable ASCII without spaces")
	}
	e.name = "Vault at " + e.base.Host
	e.limit = 1 << 20
	e.authorize = func(h http.Header, token string) { h.Set("X-Vault-Token", token) }
	header := http.Header{"X-Vault-Request": {"true"}} // agents may require it, as a guard against forged requests
	if cfg.Namespace != "" {
		header["X-Vault-Namespace"] = []string{cfg.Namespace}
	}
	return &VaultKV{place("deliver.Vault(" + e.base.Host + ", " + mount + ")"), e, mount, cfg.Path, header}, nil
}

// Deliver implements [rotate.Deliverer].
func (v *VaultKV) Deliver(ctx context.Context, d rotate.Delivery) error {
	if err := check(d); err != nil {
		return err
	}
	path, err := v.locate(d.ClientID)
	if err != nil {
		return err
	}
	return insist(ctx, v.name+": "+path, func() (bool, error) {
		stored, err := v.get(ctx, path, secretsOf(d))
		if err != nil {
			return false, err
		}
		held, err := heldFor(d.ClientID, stored.data)
		if err != nil {
			return false, fmt.Errorf("deliver: %s: %s: %w", v.name, path, err)
		}
		if same(held, d) {
			return true, nil
		}
		return v.put(ctx, path, stored, d)
	})
}

// Read implements [rotate.Reader].
func (v *VaultKV) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	path, err := v.locate(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	stored, err := v.get(ctx, path, nil)
	if err != nil {
		return rotate.Delivery{}, err
	}
	held, err := heldFor(clientID, stored.data)
	if err != nil {
		return rotate.Delivery{}, fmt.Errorf("deliver: %s: %s: %w", v.name, path, err)
	}
	return held, nil
}

func (v *VaultKV) locate(clientID string) (string, error) {
	if err := checkID(clientID); err != nil {
		return "", err
	}
	path, err := escapePath(v.path(clientID))
	if err != nil {
		return "", wrong(rotate.ErrInvalidArgument, "Vault: Path of client %q: %w", clientID, err)
	}
	return "/v1/" + v.mount + "/data/" + path, nil
}

// get is the current version of a secret.
func (v *VaultKV) get(ctx context.Context, path string, known confidential) (vaultSecret, error) {
	a, err := v.send(ctx, http.MethodGet, path, v.header, nil, known)
	if err != nil {
		return vaultSecret{}, err
	}
	stored, said, err := parseVault(a.status, a.body)
	if err != nil {
		return vaultSecret{}, v.problem(a, http.MethodGet, path, err.Error(), said)
	}
	return stored, nil
}

// put makes d the next version after stored. It reports false if there was another one in the meantime.
func (v *VaultKV) put(ctx context.Context, path string, stored vaultSecret, d rotate.Delivery) (done bool, err error) {
	data, err := filled(stored.data, d)
	if err != nil {
		return false, fmt.Errorf("deliver: %s: %s: %w", v.name, path, err)
	}
	body := fmt.Appendf(nil, `{"options":{"cas":%d},"data":%s}`, stored.version, data.bytes())
	header := v.header.Clone()
	header.Set("Content-Type", "application/json")
	known := secretsOf(d).and(stored.data) // a proxy may send back what it was sent
	a, err := v.send(ctx, http.MethodPost, path, header, body, known)
	if err != nil {
		return false, err
	}
	if a.status == http.StatusOK || a.status == http.StatusNoContent {
		return true, nil
	}
	said := vaultErrors(a.body)
	if a.status == http.StatusBadRequest && strings.Contains(said, "did not match the current version") {
		return false, nil
	}
	return false, v.problem(a, http.MethodPost, path, vaultMeaning(a.status), said)
}

// vaultSecret is the current version of a secret; 0 and no data if there never was one.
type vaultSecret struct {
	version int64
	data    object
}

// parseVault reads the answer to the reading of a secret. Of an error it also says what the server said.
func parseVault(status int, body []byte) (stored vaultSecret, said string, err error) {
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
		return vaultSecret{}, vaultErrors(body), errors.New(vaultMeaning(status))
	}
	if json.Unmarshal(body, &read) != nil {
		return vaultSecret{}, "", errors.New("the answer is not one of Vault")
	}
	versioned := read.Data != nil && read.Data.Metadata != nil && read.Data.Metadata.Version > 0
	switch {
	case versioned && status == http.StatusNotFound: // deleted or destroyed
		return vaultSecret{version: read.Data.Metadata.Version}, "", nil
	case versioned:
		data, err := parseObject(read.Data.Data)
		if err != nil {
			return vaultSecret{}, "", fmt.Errorf("the data: %w", err)
		}
		return vaultSecret{read.Data.Metadata.Version, data}, "", nil
	case status == http.StatusOK:
		return vaultSecret{}, "", errors.New("the answer has no version: the engine at this mount is not KV v2")
	case read.Errors == nil:
		return vaultSecret{}, "", errors.New("the answer is not one of Vault")
	case len(*read.Errors) > 0:
		return vaultSecret{}, vaultErrors(body), errors.New("there is no KV v2 engine at this mount and namespace")
	}
	return vaultSecret{}, "", nil // the secret was never written
}

// vaultErrors is the list of errors in an answer; "" if it is not one of Vault.
func vaultErrors(body []byte) string {
	var list struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(body, &list) != nil {
		return ""
	}
	return strings.Join(slices.DeleteFunc(list.Errors, func(s string) bool { return s == "" }), "; ")
}

// vaultMeaning is what to do about a status.
func vaultMeaning(status int) string {
	switch status {
	case http.StatusForbidden:
		return `the token is not valid, or its policy lacks "read", "create" or "update" on this path`
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "there is no KV v2 engine at this mount and namespace"
	case http.StatusPreconditionFailed:
		return "the node has not caught up with an earlier write"
	case http.StatusTooManyRequests:
		return "the rate limit is exceeded, or the node is a standby"
	case 472, 473:
		return "the node is a standby that does not answer"
	case http.StatusServiceUnavailable:
		return "Vault is sealed, not initialised or in maintenance"
	}
	return ""
}
