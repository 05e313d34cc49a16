package verify

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/stytchkit/m2m/internal/baseurl"
	"github.com/stytchkit/m2m/internal/jwks"
)

// Option changes a setting of [New]. An option that is given a bad value makes New fail.
type Option func(*config) error

type config struct {
	kind         Kind
	issuers      []string
	audiences    []string
	leeway       time.Duration
	maxAge       time.Duration // 0: none
	maxLifetime  time.Duration
	maxBytes     int
	clock        func() time.Time // nil: time.Now
	clientIDs    map[string]struct{}
	clientIDFunc func(string) bool
	activeCheck  func(context.Context, string) (bool, error)
	cacheEntries int

	baseURL, keyURL string // at most one is set
	b2b             bool
	transport       http.RoundTripper
	fetchTimeout    time.Duration
	seed            *jwks.Set
	offline         bool
	maxStale        time.Duration
	observeKeys     func(jwks.Refresh)
}

func defaults(projectID string) config {
	return config{
		kind: M2M, issuers: []string{"stytch.com/" + projectID}, audiences: []string{projectID},
		leeway: 30 * time.Second, maxLifetime: time.Hour, maxBytes: 16 << 10, cacheEntries: 1000,
		clientIDs: map[string]struct{}{}, fetchTimeout: 5 * time.Second, maxStale: 24 * time.Hour,
	}
}

// check judges the options together.
func (c *config) check() error {
	if c.kind == ConnectedApp && c.clientIDFunc != nil {
		return invalid("WithClientIDFunc", "it is for M2M clients; name Connected Apps in ConnectedApps")
	}
	for id := range c.clientIDs {
		if c.kind == M2M && isForeign(id) {
			return invalid("WithClientIDs", "a client id must not begin like that of a user, a session or any other object of Stytch")
		}
	}
	if c.offline && c.seed == nil {
		return invalid("Offline", "it needs keys: use WithKeys or WithKeyFile")
	}
	return nil
}

// WithConnectedApps verifies access tokens of Connected Apps instead of M2M tokens: they have a user or member as subject and name
// the application in client_id. If ids are given, only these applications are accepted. See [WithAudiences] for an application
// with a custom audience.
func WithConnectedApps(ids ...string) Option {
	return func(c *config) error {
		c.kind = ConnectedApp
		return c.addClientIDs("ConnectedApps", ids)
	}
}

// WithClientIDs accepts these M2M clients too, whose ids were chosen when they were imported. Otherwise only ids that Stytch
// makes are accepted: m2m-client-test- or m2m-client-live-, by the project's environment.
func WithClientIDs(ids ...string) Option {
	return func(c *config) error {
		if c.kind == ConnectedApp {
			return invalid("WithClientIDs", "it is for M2M clients; name Connected Apps in ConnectedApps")
		}
		return c.addClientIDs("WithClientIDs", ids)
	}
}

func (c *config) addClientIDs(option string, ids []string) error {
	for _, id := range ids {
		if id == "" || strings.ContainsFunc(id, unicode.IsControl) {
			return invalid(option, "a client id must not be empty and must not have control characters")
		}
		c.clientIDs[id] = struct{}{}
	}
	return nil
}

// WithClientIDFunc is [WithClientIDs] with a function, which is asked at every token of another client. It must be quick and
// safe for concurrent use. Ids that begin like those of users, sessions or other objects of Stytch never get that far.
func WithClientIDFunc(accept func(clientID string) bool) Option {
	return func(c *config) error {
		if accept == nil {
			return invalid("WithClientIDFunc", "the function must not be nil")
		}
		c.clientIDFunc = accept
		return nil
	}
}

// WithIssuers also accepts tokens requested at custom domains: their iss is the address, such as https://login.example.com
// (documented for the Go and Python SDKs). The default, stytch.com/{project_id}, stays accepted. An issuer is compared as a
// whole; a slash at its end is not accepted, since Stytch sends none.
func WithIssuers(issuers ...string) Option {
	return func(c *config) error {
		for _, issuer := range issuers {
			u, err := parseAddress("WithIssuers", issuer)
			if err != nil {
				return err
			}
			if strings.HasSuffix(issuer, "/") || u.Path != "" {
				return invalid("WithIssuers", "an issuer must end behind its host, without a slash")
			}
			if !slices.Contains(c.issuers, issuer) {
				c.issuers = append(c.issuers, issuer)
			}
		}
		return nil
	}
}

// WithAudiences accepts tokens that are meant for one of these, instead of those meant for the project. Name the project's id
// among them to accept both.
func WithAudiences(audiences ...string) Option {
	return func(c *config) error {
		if len(audiences) == 0 || slices.Contains(audiences, "") {
			return invalid("WithAudiences", "there must be an audience, and none may be empty")
		}
		c.audiences = slices.Clone(audiences)
		return nil
	}
}

// WithLeeway allows the clocks of Stytch and of this machine to differ, 30 s by default and 5 min at most.
func WithLeeway(leeway time.Duration) Option {
	return func(c *config) error {
		if leeway < 0 || leeway > 5*time.Minute {
			return invalid("WithLeeway", "the leeway must be between 0 and 5 min")
		}
		c.leeway = leeway
		return nil
	}
}

// WithMaxAge refuses tokens issued longer ago than age. See also [MaxAge], for single calls.
func WithMaxAge(age time.Duration) Option {
	return func(c *config) error {
		if age <= 0 {
			return invalid("WithMaxAge", "the age must be positive")
		}
		c.maxAge = age
		return nil
	}
}

// WithMaxLifetime bounds exp - iat, 1 h by default: what Stytch gives an M2M token (documented). The leeway is added. Connected
// Apps may be set to more.
func WithMaxLifetime(lifetime time.Duration) Option {
	return func(c *config) error {
		if lifetime <= 0 || lifetime > 10*365*24*time.Hour {
			return invalid("WithMaxLifetime", "the lifetime must be positive and at most ten years")
		}
		c.maxLifetime = lifetime
		return nil
	}
}

// WithMaxBytes bounds the length of a token, 16 KiB by default. Stytch's custom claims are limited to about 4 KiB.
func WithMaxBytes(n int) Option {
	return func(c *config) error {
		if n < 256 || n > 1<<20 {
			return invalid("WithMaxBytes", "the limit must be between 256 B and 1 MiB")
		}
		c.maxBytes = n
		return nil
	}
}

// WithClock judges tokens by another clock than [time.Now]. It is called by many goroutines at once. The age of keys is not
// measured by it.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return invalid("WithClock", "the clock must not be nil")
		}
		c.clock = now
		return nil
	}
}

// WithCache sets how many verified tokens are remembered, 1,000 by default and none with 0. Each takes about half a kilobyte;
// all together never more than 1 KiB times the number. Time, age, client and scopes are judged at every call all the same.
func WithCache(entries int) Option {
	return func(c *config) error {
		if entries < 0 || entries > 10_000_000 {
			return invalid("WithCache", "the number must be between 0 and 10,000,000")
		}
		c.cacheEntries = entries
		return nil
	}
}

// WithActiveCheck asks f whether the client still exists and is active, which is the only way to have a token refused before
// it expires. An answer is believed for 60 s, a failure for 1 s; f has 5 s, runs at most once at a time per client, and its ctx
// ends with [Verifier.Close]. A typical f gets the client from Stytch's API. If it fails, the token is refused with
// [ErrCheckUnavailable], and the error of f becomes part of that.
func WithActiveCheck(f func(ctx context.Context, clientID string) (active bool, err error)) Option {
	return func(c *config) error {
		if f == nil {
			return invalid("WithActiveCheck", "the function must not be nil")
		}
		c.activeCheck = f
		return nil
	}
}

func checkProjectID(id string) error {
	switch {
	case id == "":
		return invalid("New", "project id must not be empty")
	case strings.HasPrefix(id, "secret-"):
		return invalid("New", "project id must not be a secret")
	case len(id) > 256 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`:/\?#%@"`, r) }):
		return invalid("New", "project id must be at most 256 letters, digits and hyphens")
	}
	return nil
}

func environmentOf(projectID string) string {
	if strings.HasPrefix(projectID, "project-live-") {
		return "live"
	}
	return "test"
}

// argumentError says what is wrong with an argument, by its name and rule, never by its value.
type argumentError struct{ text string }

func (e *argumentError) Error() string { return e.text }

func invalid(where, rule string) error { return &argumentError{"verify: " + where + ": " + rule} }

// parseAddress reads an https address, or an http one of this machine.
func parseAddress(option, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http":
		return nil, invalid(option, "an address must begin with https://")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, invalid(option, "an address must have a host")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(address, "#"):
		return nil, invalid(option, "an address must not have user info, query or fragment")
	case u.Scheme == "http" && !baseurl.IsLoopback(u.Hostname()):
		return nil, invalid(option, "an address must be https; plain http is for loopback addresses only")
	}
	return u, nil
}
