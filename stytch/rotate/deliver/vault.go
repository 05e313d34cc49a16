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
	mount  string // as Vault spells it
	path   func(clientID string) string
	header http.Header
}

var (
	_ rotate.Deliverer = (*VaultSecrets)(nil)
	_ rotate.Reader    = (*VaultSecrets)(nil)
	_ rotate.Checker   = (*VaultSecrets)(nil)
)

// Vault stores credentials in a KV v2 engine of HashiCorp Vault, through its HTTP API. client_id,
// client_secret and, if there is one, previous_client_secret are keys of one secret per client; its
// other keys are kept. A new version is made only if something changes, and only on top of the
// version that was read (check-and-set). A deleted or destroyed version counts as absent and is
// followed by a new one. A delivery counts as made when Vault names the version that it made.
//
// Vault rounds numbers to 64-bit floating point when a secret is read. A secret in which another
// key has a number of more than 15 digits is therefore refused: store that number as a string.
//
// The policy needs "read", "create" and "update" on <mount>/data/<path>. Where a secret does not
// exist, the type of the mount is read from sys/internal/ui/mounts/<mount>, which every token with
// rights on the mount may do: in an engine of version 1 a delivery would be readable in another
// shape. Redirects are refused, so
// an address that may lead to a standby node must be one that forwards requests. Responses are
// limited to 1 MiB. Only the context limits the time;
// without a deadline, a delivery ends after a minute.
func Vault(cfg VaultConfig) (*VaultSecrets, error) {
	s, err := newServer("Vault", cfg.Address, cfg.HTTPClient, cfg.Token)
	if err != nil {
		return nil, err
	}
	mount := strings.Trim(cfg.Mount, "/")
	if _, err := escapePath(mount); err != nil {
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
	return untilUnchanged(ctx, v.server.name+": "+path, func(ctx context.Context) (bool, error) {
		stored, err := v.get(ctx, path, d.ClientID, redactorOf(d))
		switch {
		case err != nil:
			return false, err
		case stored.object.Holds(want):
			return true, nil
		}
		return v.put(ctx, path, stored, want, redactorOf(d).With(stored.object.Values()...))
	})
}

// Read implements [rotate.Reader]. A namespace or mount that does not exist, and a mount that is
// not a KV v2 engine, cannot be read.
func (v *VaultSecrets) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	path, err := v.locate(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	stored, err := v.get(ctx, path, clientID, nil)
	if err != nil {
		return rotate.Delivery{}, err
	}
	return deliveryOf(stored.held), nil
}

// Check implements [rotate.Checker]: by a write that Vault refuses last, because of its version.
func (v *VaultSecrets) Check(ctx context.Context, clientID string) error {
	path, err := v.locate(clientID)
	if err != nil {
		return err
	}
	stored, err := v.get(ctx, path, clientID, nil)
	if err == nil {
		err = v.exact(path, stored)
	}
	if err != nil {
		return err
	}
	_, err = v.write(ctx, path, neverVersion, neverVersion+1, []byte("{}"), nil) // not done: that is the version to be refused
	return err
}

// neverVersion is a version that no secret has.
const neverVersion = 1 << 30

func (v *VaultSecrets) locate(clientID string) (string, error) {
	if err := checkClientID("Vault", clientID); err != nil {
		return "", err
	}
	path, err := escapePath(v.path(clientID))
	if err != nil {
		return "", invalid("Vault", "Path of client %q: %w", clientID, err)
	}
	mount, err := escapePath(v.mount)
	return "/v1/" + mount + "/data/" + path, err
}

// get reads the current version of a secret.
func (v *VaultSecrets) get(ctx context.Context, path, clientID string, redactor *redact.Redactor) (vaultVersion, error) {
	req := request{method: http.MethodGet, path: path, header: v.header, redactor: redactor}
	resp, err := v.server.send(ctx, req)
	if err != nil {
		return vaultVersion{}, err
	}
	stored, said, err := parseVaultVersion(resp.status, resp.body)
	if err != nil {
		return vaultVersion{}, v.server.failure(req, resp, err.Error(), said)
	}
	if stored.number == 0 { // an engine of version 1 says so too
		return vaultVersion{}, v.engine(ctx, redactor)
	}
	if stored.held, err = stored.object.For(clientID); err != nil {
		return vaultVersion{}, fmt.Errorf("deliver: %s: %s: %w", v.server.name, path, err)
	}
	return stored, nil
}

// engine is nil if the mount is a KV v2 engine.
func (v *VaultSecrets) engine(ctx context.Context, redactor *redact.Redactor) error {
	mount, err := escapePath(v.mount)
	if err != nil {
		return err
	}
	req := request{method: http.MethodGet, path: "/v1/sys/internal/ui/mounts/" + mount, header: v.header, redactor: redactor}
	resp, err := v.server.send(ctx, req)
	if err != nil {
		return err
	}
	if said, err := parseVaultMount(resp.status, resp.body, v.mount); err != nil {
		return v.server.failure(req, resp, err.Error(), said)
	}
	return nil
}

// put makes the version that follows stored. It is not done if another process made that version
// first.
func (v *VaultSecrets) put(ctx context.Context, path string, stored vaultVersion, want credentials.Credentials, redactor *redact.Redactor) (done bool, err error) {
	if err := v.exact(path, stored); err != nil {
		return false, err
	}
	data, err := stored.object.With(want)
	if err != nil {
		return false, fmt.Errorf("deliver: %s: %s: %w", v.server.name, path, err)
	}
	return v.write(ctx, path, stored.number, stored.number+1, data.Bytes(), redactor)
}

// exact refuses a version that cannot be written again unchanged.
func (v *VaultSecrets) exact(path string, stored vaultVersion) error {
	if name, rounded := roundedMember(stored.object); rounded {
		return fmt.Errorf("deliver: %s: %s: key %.64q has a number of more than 15 digits, which Vault rounds: store it as a string", v.server.name, path, name)
	}
	return nil
}

// write makes the version made on top of the version cas. It is not done if that is not the current
// one.
func (v *VaultSecrets) write(ctx context.Context, path string, cas, made int64, data []byte, redactor *redact.Redactor) (done bool, err error) {
	req := request{http.MethodPost, path, v.header.Clone(), nil, redactor}
	req.header.Set("Content-Type", "application/json")
	req.body = fmt.Appendf(nil, `{"options":{"cas":%d},"data":%s}`, cas, data)
	resp, err := v.server.send(ctx, req)
	if err != nil {
		return false, err
	}
	if resp.status/100 == 2 {
		if resp.status == http.StatusOK && vaultMade(resp.body) == made {
			return true, nil
		}
		return false, v.server.failure(req, resp, "the response does not name the new version: the engine at this mount is not KV v2, or something else answered", "")
	}
	said := vaultErrors(resp.body)
	if resp.status == http.StatusBadRequest && strings.Contains(said, "did not match the current version") {
		return false, nil
	}
	return false, v.server.failure(req, resp, vaultMeaning(resp.status), said)
}
