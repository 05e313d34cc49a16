package deliver

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// VaultConfig locates secrets in Vault. Address, Mount, Path and Token are required.
type VaultConfig struct {
	Address   string // https://host:port, or http:// on loopback; a path may precede /v1
	Namespace string // "" for none
	Mount     string // of the KV v2 engine, such as "secret"

	// Path returns where in the engine the secret of a client is, such as "stytch/<client id>". A
	// segment is any text without control characters and backslashes. Path must be safe for
	// concurrent use.
	Path func(clientID string) string

	// Token provides the token for each request: [TokenFile] if an agent keeps it in a file. It
	// must be safe for concurrent use.
	Token func(ctx context.Context) (secret.String, error)

	HTTPClient *http.Client // its transport must trust the server's CA; nil for a plain client. It is copied
}

// VaultSecrets stores credentials in HashiCorp Vault. [Vault] makes it.
type VaultSecrets struct {
	description
	server *server
	mount  string // escaped
	path   func(clientID string) string
	header http.Header
}

var (
	_ rotate.Deliverer = (*VaultSecrets)(nil)
	_ rotate.Reader    = (*VaultSecrets)(nil)
)

// Vault stores credentials in a KV v2 engine of HashiCorp Vault, through its HTTP API. client_id,
// client_secret and, if there is one, previous_client_secret are keys of one secret per client; its
// other keys are kept. A new version is made only if something changes, and only on top of the
// version that was read (check-and-set). A deleted or destroyed version counts as absent and is
// followed by a new one.
//
// The policy needs "read", "create" and "update" on <mount>/data/<path>. Redirects are refused, so
// an address that may lead to a standby node must be one that forwards requests. Responses are
// limited to 1 MiB. Only the context limits the time.
func Vault(cfg VaultConfig) (*VaultSecrets, error) {
	s, err := newServer("Vault", cfg.Address, cfg.HTTPClient, cfg.Token)
	if err != nil {
		return nil, err
	}
	mount, err := escapePath(strings.Trim(cfg.Mount, "/"))
	if err != nil {
		return nil, invalid("Vault", "Mount: %w", err)
	}
	if cfg.Path == nil {
		return nil, invalid("Vault", "Path must not be nil")
	}
	if strings.ContainsFunc(cfg.Namespace, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, invalid("Vault", "Namespace must be printable ASCII without spaces")
	}
	s.limit = 1 << 20
	s.authorize = func(h http.Header, token string) { h.Set("X-Vault-Token", token) }
	header := http.Header{"X-Vault-Request": {"true"}} // a Vault agent may require it, against forged requests
	if cfg.Namespace != "" {
		header["X-Vault-Namespace"] = []string{cfg.Namespace}
	}
	return &VaultSecrets{description("deliver.Vault(" + s.base.Host + ", " + mount + ")"), s, mount, cfg.Path, header}, nil
}

// Deliver implements [rotate.Deliverer].
func (v *VaultSecrets) Deliver(ctx context.Context, d rotate.Delivery) error {
	if err := checkDelivery("Vault", d); err != nil {
		return err
	}
	path, err := v.locate(d.ClientID)
	if err != nil {
		return err
	}
	want := credentialsOf(d)
	return untilUnchanged(ctx, v.server.name+": "+path, func() (bool, error) {
		stored, err := v.get(ctx, path, redactorOf(d))
		if err != nil {
			return false, err
		}
		if _, err := stored.object.For(d.ClientID); err != nil {
			return false, fmt.Errorf("deliver: %s: %s: %w", v.server.name, path, err)
		}
		if stored.object.Holds(want) {
			return true, nil
		}
		return v.put(ctx, path, stored, want, redactorOf(d).With(stored.object.Values()...))
	})
}

// Read implements [rotate.Reader].
func (v *VaultSecrets) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	path, err := v.locate(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	stored, err := v.get(ctx, path, nil)
	if err != nil {
		return rotate.Delivery{}, err
	}
	held, err := stored.object.For(clientID)
	if err != nil {
		return rotate.Delivery{}, fmt.Errorf("deliver: %s: %s: %w", v.server.name, path, err)
	}
	return deliveryOf(held), nil
}

func (v *VaultSecrets) locate(clientID string) (string, error) {
	if err := checkClientID("Vault", clientID); err != nil {
		return "", err
	}
	path, err := escapePath(v.path(clientID))
	if err != nil {
		return "", invalid("Vault", "Path of client %q: %w", clientID, err)
	}
	return "/v1/" + v.mount + "/data/" + path, nil
}

// get reads the current version of a secret.
func (v *VaultSecrets) get(ctx context.Context, path string, redactor *redact.Redactor) (vaultVersion, error) {
	req := request{method: http.MethodGet, path: path, header: v.header, redactor: redactor}
	resp, err := v.server.send(ctx, req)
	if err != nil {
		return vaultVersion{}, err
	}
	stored, said, err := parseVaultVersion(resp.status, resp.body)
	if err != nil {
		return vaultVersion{}, v.server.failure(req, resp, err.Error(), said)
	}
	return stored, nil
}

// put makes the version that follows stored. It is not done if another process made that version
// first.
func (v *VaultSecrets) put(ctx context.Context, path string, stored vaultVersion, want credentials.Credentials, redactor *redact.Redactor) (done bool, err error) {
	data, err := stored.object.With(want)
	if err != nil {
		return false, fmt.Errorf("deliver: %s: %s: %w", v.server.name, path, err)
	}
	req := request{http.MethodPost, path, v.header.Clone(), nil, redactor}
	req.header.Set("Content-Type", "application/json")
	req.body = fmt.Appendf(nil, `{"options":{"cas":%d},"data":%s}`, stored.number, data.Bytes())
	resp, err := v.server.send(ctx, req)
	if err != nil {
		return false, err
	}
	if resp.status == http.StatusOK || resp.status == http.StatusNoContent {
		return true, nil
	}
	said := vaultErrors(resp.body)
	if resp.status == http.StatusBadRequest && strings.Contains(said, "did not match the current version") {
		return false, nil
	}
	return false, v.server.failure(req, resp, vaultMeaning(resp.status), said)
}
