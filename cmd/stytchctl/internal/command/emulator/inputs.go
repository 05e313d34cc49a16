package emulator

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/selfsigned"
)

const (
	maxSeed = 64 << 20
	maxPEM  = 1 << 20
)

// readSeed reads --seed, or the seed in the working folder; nil if there is none.
func (f *serveFlags) readSeed(app *cli.App) (*seed.Seed, error) {
	name := f.seed
	if name == "" {
		if _, err := os.Stat(seed.FileName); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		name = seed.FileName
	}
	text, err := app.ReadFile("--seed", name, maxSeed)
	if err != nil {
		return nil, err
	}
	s, err := seed.Parse(name, text)
	if err != nil {
		return nil, cli.Usagef("%w. Nothing was started.", err)
	}
	return s, nil
}

// readSigningKey reads an RSA key. Its text stays out of errors.
func readSigningKey(app *cli.App, name string) (*rsa.PrivateKey, error) {
	text, err := app.ReadFile("--signing-key", name, maxPEM)
	if err != nil {
		return nil, err
	}
	refused := cli.Usagef("--signing-key: it must be one RSA key of at least 2048 bits in PEM, without a passphrase. Nothing was started.")
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, refused
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return checked(key, refused)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, refused
	}
	return checked(key, refused)
}

func checked(key *rsa.PrivateKey, refused error) (*rsa.PrivateKey, error) {
	if key.N.BitLen() < 2048 || key.Validate() != nil {
		return nil, refused
	}
	return key, nil
}

// tls is how to serve HTTPS; nil for HTTP.
func (f *serveFlags) tls(app *cli.App) (*tls.Config, error) {
	var certificate tls.Certificate
	switch {
	case f.tlsSelfSigned != "":
		files, err := selfsigned.Load(f.tlsSelfSigned, f.hosts, app.Now())
		if err != nil {
			return nil, cli.Errorf(cli.Usage, "--tls-self-signed: %w. Nothing was started.", err)
		}
		certificate = files.Certificate
		app.Note("clients must trust %s: NODE_EXTRA_CA_CERTS or SSL_CERT_FILE names it", files.CA)
	case f.tlsCert != "":
		chain, err := app.ReadFile("--tls-cert", f.tlsCert, maxPEM)
		if err != nil {
			return nil, err
		}
		key, err := app.ReadFile("--tls-key", f.tlsKey, maxPEM)
		if err != nil {
			return nil, err
		}
		if certificate, err = tls.X509KeyPair(chain, key); err != nil {
			return nil, cli.Usagef("--tls-cert, --tls-key: they are no certificate chain and its key in PEM. Nothing was started.")
		}
	default:
		return nil, nil
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, nil
}

// listenError describes an address that cannot be used.
func listenError(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return cli.Errorf(cli.Conflict, "--listen: the address is already in use: stop what uses it, or give another one. Nothing was started.")
	}
	return cli.Usagef("--listen: %w. Nothing was started.", err)
}
