package verify

import (
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
)

// WithBaseURL fetches keys from another host than Stytch's: a custom domain, a local Stytch. It must be https, or http to a
// loopback address; it may have a path. It does not change which issuers are accepted: see [WithIssuers].
func WithBaseURL(address string) Option {
	return func(c *config) error {
		if _, err := parseAddress("WithBaseURL", address); err != nil {
			return err
		}
		c.baseURL, c.keyURL = strings.TrimRight(address, "/"), ""
		return nil
	}
}

// WithJWKSURL fetches keys from exactly this address. See [WithBaseURL] for what it may be.
func WithJWKSURL(address string) Option {
	return func(c *config) error {
		if _, err := parseAddress("WithJWKSURL", address); err != nil {
			return err
		}
		c.baseURL, c.keyURL = "", address
		return nil
	}
}

// WithB2B fetches the keys of a B2B project, which stand at another path.
func WithB2B() Option {
	return func(c *config) error {
		c.b2b = true
		return nil
	}
}

func (c *config) keyAddress(projectID string) string {
	if c.keyURL != "" {
		return c.keyURL
	}
	base := c.baseURL
	if base == "" {
		base = "https://test.stytch.com"
		if environmentOf(projectID) == "live" {
			base = "https://api.stytch.com"
		}
	}
	if c.b2b {
		return base + "/v1/b2b/sessions/jwks/" + projectID
	}
	return base + "/v1/sessions/jwks/" + projectID
}

// WithHTTPClient fetches keys through the Transport of another http.Client, and with its Timeout if that is under 5 s. Its Jar
// and CheckRedirect have no part: a redirect is never followed.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return invalid("WithHTTPClient", "http.Client must not be nil")
		}
		c.transport = client.Transport
		if client.Timeout > 0 {
			c.fetchTimeout = min(c.fetchTimeout, client.Timeout)
		}
		return nil
	}
}

// WithKeys starts with this key set, a JSON Web Key Set (RFC 7517), so that the first token waits for nothing and an outage of
// Stytch at that moment harms nobody. It counts as fetched now, and is fetched anew behind the first token's back. See also
// [WithOffline].
func WithKeys(document []byte) Option {
	return func(c *config) error { return c.setKeys("WithKeys", document) }
}

// WithKeyFile is [WithKeys] with a file, which New reads once.
func WithKeyFile(path string) Option {
	return func(c *config) error {
		document, err := os.ReadFile(path) //nolint:gosec // the caller's own choice
		if err != nil {
			return &fileError{err}
		}
		return c.setKeys("WithKeyFile", document)
	}
}

func (c *config) setKeys(option string, document []byte) (err error) {
	if c.seed, err = jwks.Parse(document); err != nil {
		return invalid(option, "the key set must hold a usable RSA key: "+err.Error())
	}
	return nil
}

// fileError keeps the cause of a file that cannot be read.
type fileError struct{ err error }

func (e *fileError) Error() string { return "verify: WithKeyFile: " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// WithOffline never fetches keys: those of [WithKeys] or [WithKeyFile] are all there are, and do not age.
func WithOffline() Option {
	return func(c *config) error {
		c.offline = true
		return nil
	}
}

// WithMaxStale sets how long keys are used while new ones cannot be fetched, 24 h by default. After that every token is
// refused with [ErrKeysUnavailable].
func WithMaxStale(age time.Duration) Option {
	return func(c *config) error {
		if age < 15*time.Minute || age > 30*24*time.Hour {
			return invalid("WithMaxStale", "the age must be between 15 min and 30 days")
		}
		c.maxStale = age
		return nil
	}
}

// A KeyRefresh is one attempt at fetching the key set.
type KeyRefresh struct {
	Err      error         // nil: it was fetched. It never holds what the other side sent
	Keys     int           // usable keys now at hand
	Changed  bool          // other keys than before
	Age      time.Duration // of the keys that were at hand before, 0 if there were none
	Failures int           // in a row, this one included
	Unknown  int64         // tokens of unknown keys since the attempt before
	Took     time.Duration
}

// WithObserver calls f after every attempt at fetching the key set, in the goroutine that fetched. Nobody who verifies waits
// for f; [Verifier.Close] does, so f must not call it.
func WithObserver(f func(KeyRefresh)) Option {
	return func(c *config) error {
		if f == nil {
			return invalid("WithObserver", "the observer must not be nil")
		}
		c.observeKeys = func(r jwks.Refresh) { f(KeyRefresh(r)) }
		return nil
	}
}
