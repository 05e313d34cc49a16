package verify

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
	"github.com/stytchkit/m2m/internal/project"
)

// WithBaseURL fetches the key set from another host than Stytch's, such as a custom domain or a
// local Stytch. The address must be https, or http to a loopback address; it may have a path. It
// does not change which issuers are accepted: see [WithIssuers]. An empty address leaves the
// default, so the value of an environment variable that may be unset, such as STYTCH_BASE_URL, can
// be passed as it is.
func WithBaseURL(address string) Option {
	return baseURL("WithBaseURL", address, project.ParseBaseURL)
}

// WithInsecureBaseURL is [WithBaseURL], but takes plain http to any host, such as a local Stytch in
// another container: http://stytch:4000. Anyone who can change the traffic between the two chooses
// the keys, and with them which tokens are accepted.
func WithInsecureBaseURL(address string) Option {
	return baseURL("WithInsecureBaseURL", address, project.ParseInsecureBaseURL)
}

func baseURL(option, address string, parse func(string) (*url.URL, error)) Option {
	return func(s *settings) error {
		if address == "" {
			return nil
		}
		base, err := parse(address)
		if err != nil {
			return invalid(option, err.Error())
		}
		s.baseURL, s.keySetURL = base.String(), ""
		return nil
	}
}

// WithProjectDomain fetches the key set from the domain of the project, such as
// example.customers.stytch.com or a custom domain, and also accepts the tokens that were requested
// there, whose iss is that domain (see [WithIssuers]). An empty domain leaves the default. Of this
// option and those that name another address of the key set, the last one counts.
func WithProjectDomain(domain string) Option {
	return func(s *settings) error {
		if domain == "" {
			return nil
		}
		base, err := project.ParseDomain(domain)
		if err != nil {
			return invalid("WithProjectDomain", err.Error())
		}
		s.baseURL, s.keySetURL = "", base.String()+"/.well-known/jwks.json"
		return WithIssuers(base.String())(s)
	}
}

// WithJWKSURL fetches the key set from exactly this address, which must be https, or http to a
// loopback address. An empty one leaves the default.
func WithJWKSURL(address string) Option {
	return func(s *settings) error {
		if address == "" {
			return nil
		}
		if _, err := project.ParseURL(address); err != nil {
			return invalid("WithJWKSURL", err.Error())
		}
		s.baseURL, s.keySetURL = "", address
		return nil
	}
}

// WithB2B fetches the key set of a B2B project, which has another path.
func WithB2B() Option {
	return func(s *settings) error {
		s.b2b = true
		return nil
	}
}

// keySetAddress is where the key set of the project is fetched from.
func (s *settings) keySetAddress(projectID string) string {
	if s.keySetURL != "" {
		return s.keySetURL
	}
	base := s.baseURL
	if base == "" {
		base = project.BaseURL(projectID).String()
	}
	if s.b2b {
		return base + "/v1/b2b/sessions/jwks/" + projectID
	}
	return base + "/v1/sessions/jwks/" + projectID
}

// WithHTTPClient fetches the key set through the Transport of this http.Client, and with its
// Timeout if that is less than 5 s. Without a Transport, the verifier has one of its own, never
// [http.DefaultTransport]. Its Jar and CheckRedirect are not used: redirects are never
// followed.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return invalid("WithHTTPClient", "http.Client must not be nil")
		}
		s.transport = client.Transport
		if client.Timeout > 0 {
			s.fetchTimeout = min(s.fetchTimeout, client.Timeout)
		}
		return nil
	}
}

// WithKeys starts with this key set, a JSON Web Key Set (RFC 7517), so that the first token does
// not wait for Stytch. The set counts as fetched now; the first token refreshes it in the
// background. See also [WithOffline].
func WithKeys(document []byte) Option {
	return func(s *settings) error { return s.setKeys("WithKeys", document) }
}

// WithKeyFile is [WithKeys] with a file, which [New] reads once.
func WithKeyFile(path string) Option {
	return func(s *settings) error {
		document, err := os.ReadFile(path) //nolint:gosec // the caller's own choice
		if err != nil {
			return &argumentError{"WithKeyFile", err.Error(), err}
		}
		return s.setKeys("WithKeyFile", document)
	}
}

func (s *settings) setKeys(option string, document []byte) (err error) {
	if s.seed, err = jwks.Parse(document); err != nil {
		return invalid(option, "the key set must hold a usable RSA key: "+err.Error())
	}
	return nil
}

// WithOffline never fetches keys. Those of [WithKeys] or [WithKeyFile] are used, and do not expire.
func WithOffline() Option {
	return func(s *settings) error {
		s.offline = true
		return nil
	}
}

// WithMaxStale sets how long keys are used while new ones cannot be fetched: 24 h by default. After
// that, every token is refused with [ErrKeysUnavailable].
func WithMaxStale(age time.Duration) Option {
	return func(s *settings) error {
		if age < 15*time.Minute || age > 30*24*time.Hour {
			return invalid("WithMaxStale", "the age must be between 15 min and 30 days")
		}
		s.maxStale = age
		return nil
	}
}

// WithKeyOverlap sets how long a key that a download of the key set lacks is used after the last
// download that had it: 15 min by default, 1 h at most. Servers behind one address may differ for a
// while. Within that time the key set is downloaded about every 30 s. With 0, each download
// replaces all keys at once.
func WithKeyOverlap(overlap time.Duration) Option {
	return func(s *settings) error {
		if overlap < 0 || overlap > time.Hour {
			return invalid("WithKeyOverlap", "the time must be between 0 and 1 h")
		}
		s.overlap = overlap
		return nil
	}
}

// WithObserver calls f for every [Event].
//
// [KeySetFetched] and [Panicked] are reported in a background goroutine: no call of
// [Verifier.Verify] waits for f. [Verifier.Close] does, so f must not call it. The context ends
// with Close. [TokenRefused] is reported in the goroutine of the call that is refused, with its
// context and before it returns, so f must be quick. f must be safe for concurrent use. If it
// panics, the event is dropped, see [Stats].
func WithObserver(f func(context.Context, Event)) Option {
	return func(s *settings) error {
		if f == nil {
			return invalid("WithObserver", "the observer must not be nil")
		}
		s.observer = f
		return nil
	}
}

// newKeys makes the cache of the project's key set. changed is called after other keys are in
// place.
func (s *settings) newKeys(projectID string, changed func(), w *watch) *jwks.Cache {
	return jwks.New(jwks.Config{
		URL: s.keySetAddress(projectID), Transport: s.transport, Timeout: s.fetchTimeout,
		Seed: s.seed, Offline: s.offline, MaxStale: s.maxStale, Overlap: s.overlap, Changed: changed,
		Observe: func(ctx context.Context, f jwks.Fetch) {
			w.report(ctx, Event{
				Kind: KeySetFetched, Err: f.Err, Duration: f.Duration, Stack: stackOf(f.Err),
				Keys: f.Keys, Kept: f.Kept, Dropped: f.Dropped, Changed: f.Changed, Age: f.Age, Failures: f.Failures, UnknownKeys: f.UnknownKeys,
			})
		},
	})
}
