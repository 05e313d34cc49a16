// Package selfsigned makes a certificate for a local server, and the authority that clients trust.
// The key of the authority is forgotten at once, so that it can sign nothing else.
package selfsigned

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

const (
	lifetime = 397 * 24 * time.Hour // longer ones are refused by some clients
	remains  = 7 * 24 * time.Hour   // one that ends sooner is replaced
)

// Files are a certificate and where its authority is.
type Files struct {
	Certificate tls.Certificate
	CA          string // a file for clients
}

// Load reads the files of a folder, or writes new ones if there are none, they end soon, or they
// lack one of the hosts. Without its folder, they are made again and clients must trust the new
// authority.
func Load(dir string, hosts []string, now time.Time) (Files, error) {
	files := Files{CA: filepath.Join(dir, "ca.pem")}
	chainFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certificate, err := tls.LoadX509KeyPair(chainFile, keyFile)
	switch {
	case err == nil && usable(certificate.Leaf, hosts, now):
		files.Certificate = certificate
		return files, checkKey(keyFile)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return files, fmt.Errorf("selfsigned: read cert.pem and key.pem: %w: remove them, and new ones are made", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return files, fmt.Errorf("selfsigned: %w", err)
	}
	made, err := create(hosts, now)
	if err != nil {
		return files, err
	}
	for name, text := range map[string][]byte{keyFile: made.key, chainFile: made.chain, files.CA: made.ca} {
		mode := fs.FileMode(0o644)
		if name == keyFile {
			mode = 0o600
		}
		if err := write(name, text, mode); err != nil {
			return files, fmt.Errorf("selfsigned: %w", err)
		}
	}
	files.Certificate, err = tls.X509KeyPair(made.chain, made.key)
	return files, err
}

func usable(leaf *x509.Certificate, hosts []string, now time.Time) bool {
	if leaf == nil || now.Before(leaf.NotBefore) || now.Add(remains).After(leaf.NotAfter) {
		return false
	}
	for _, host := range append([]string{"localhost", "127.0.0.1", "::1"}, hosts...) {
		if leaf.VerifyHostname(host) != nil {
			return false
		}
	}
	return true
}

// checkKey refuses a key that others could have read or put there.
func checkKey(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("selfsigned: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("selfsigned: others can read %s: remove it, and a new one is made", name)
	}
	return nil
}

// write replaces a file. The old one goes first: it may have other permissions. What another user
// of the folder puts there in between, such as a symbolic link, is not written to.
func write(name string, text []byte, mode fs.FileMode) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // in the folder that the user names
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

type pair struct{ ca, chain, key []byte }

func create(hosts []string, now time.Time) (pair, error) {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	authority := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "stytchctl emulator, local authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	leaf := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "stytchctl emulator"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return pair{}, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), authorityKey)
	if err != nil {
		return pair{}, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair{}, err
	}
	encode := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	return pair{ca: encode("CERTIFICATE", authorityDER), chain: encode("CERTIFICATE", leafDER), key: encode("PRIVATE KEY", keyDER)}, nil
}

// serial is a random serial number of 120 bits.
func serial() *big.Int {
	var b [15]byte
	_, _ = rand.Read(b[:])
	b[0] |= 1
	return new(big.Int).SetBytes(b[:])
}
