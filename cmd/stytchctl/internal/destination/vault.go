package destination

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

func parseVault(text string, env func(string) string) (*target, error) {
	if err := checkTemplate("vault", text); err != nil {
		return nil, err
	}
	mount, path, found := strings.Cut(text, ":")
	if !found {
		mount, path, found = strings.Cut(text, "/")
	}
	if path = strings.Trim(path, "/"); !found || path == "" || mount == "" {
		return nil, cli.Usagef("vault: %q has no path: write vault:MOUNT/PATH", text)
	}
	if perClient(mount) {
		return nil, cli.Usagef("vault: %s cannot be in the mount: put it into the path", clientIDMark)
	}
	cfg := deliver.VaultConfig{
		Address: env("VAULT_ADDR"), Namespace: env("VAULT_NAMESPACE"), Mount: mount,
		Path: func(clientID string) string { return fill(path, clientID) },
	}
	if cfg.Address == "" {
		return nil, cli.Usagef("vault: VAULT_ADDR is not set: set it to the address of Vault")
	}
	var err error
	if cfg.Token, err = vaultToken(env); err != nil {
		return nil, err
	}
	if cfg.HTTPClient, err = vaultHTTP(env("VAULT_CACERT")); err != nil {
		return nil, err
	}
	vault, err := deliver.Vault(cfg)
	if err != nil {
		return nil, cli.Usagef("vault: %w", err)
	}
	return &target{Deliverer: vault, name: func(clientID string) string { return "vault:" + fill(text, clientID) }, many: perClient(path)}, nil
}

func vaultToken(env func(string) string) (func(context.Context) (secret.String, error), error) {
	if token := env("VAULT_TOKEN"); token != "" {
		held := secret.New(token)
		return func(context.Context) (secret.String, error) { return held, nil }, nil
	}
	if file := env("VAULT_TOKEN_FILE"); file != "" {
		return deliver.TokenFile(file), nil
	}
	if home := env("HOME"); home != "" {
		if file := filepath.Join(home, ".vault-token"); exists(file) {
			return deliver.TokenFile(file), nil
		}
	}
	return nil, cli.Usagef("vault: there is no token: set VAULT_TOKEN or VAULT_TOKEN_FILE, or log in with Vault's own command")
}

// vaultHTTP trusts the certificates in a file, or those of the system.
func vaultHTTP(caFile string) (*http.Client, error) {
	if caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(caFile) //nolint:gosec // the user's file
	if err != nil {
		return nil, cli.Usagef("vault: VAULT_CACERT: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, cli.Usagef("vault: VAULT_CACERT: %q has no certificate in PEM", caFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}
