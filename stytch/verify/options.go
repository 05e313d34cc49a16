package verify

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
	"github.com/stytchkit/m2m/internal/project"
)

// Option changes a setting of [New]. It fails with [ErrInvalidArgument] if its value breaks a rule.
type Option func(*settings) error

type settings struct {
	kind          Kind
	apps          map[string]struct{} // Connected Apps; empty: all of them
	clientIDs     map[string]struct{} // M2M clients with ids that Stytch did not make
	clientIDFunc  func(string) bool
	documents     bool                // accept Connected Apps whose id is a URL
	documentIDs   map[string]struct{} // these; empty: all of them
	issuers       []string
	audiences     []string
	exactAudience bool
	leeway        time.Duration
	maxAge        time.Duration // 0: no limit
	maxLifetime   time.Duration
	maxBytes      int
	clock         func() time.Time // nil: time.Now
	activeCheck   func(context.Context, string) (bool, error)
	cacheEntries  int

	baseURL, keySetURL string // at most one is set
	b2b                bool
	transport          http.RoundTripper
	fetchTimeout       time.Duration
	seed               *jwks.Set
	offline            bool
	maxStale           time.Duration
	overlap            time.Duration
	observer           func(context.Context, Event)
}

func defaults(projectID string) settings {
	return settings{
		kind: M2M, issuers: []string{"stytch.com/" + projectID}, audiences: []string{projectID},
		leeway: 30 * time.Second, maxLifetime: time.Hour, maxBytes: 16 << 10, cacheEntries: 1000,
		apps: map[string]struct{}{}, clientIDs: map[string]struct{}{}, documentIDs: map[string]struct{}{},
		fetchTimeout: 5 * time.Second, maxStale: 24 * time.Hour, overlap: 15 * time.Minute,
	}
}

// check judges the options together, in whatever order they came.
func (s *settings) check() error {
	const forM2M = "it is for M2M clients; name Connected Apps in WithConnectedApps"
	switch {
	case s.kind == ConnectedApp && len(s.clientIDs) > 0:
		return invalid("WithClientIDs", forM2M)
	case s.kind == ConnectedApp && s.clientIDFunc != nil:
		return invalid("WithClientIDFunc", forM2M)
	case s.kind != ConnectedApp && s.documents:
		return invalid("WithClientMetadataDocuments", "it is for Connected Apps; add WithConnectedApps")
	case s.offline && s.seed == nil:
		return invalid("WithOffline", "it needs keys; add WithKeys or WithKeyFile")
	}
	return nil
}

// WithConnectedApps verifies access tokens of Connected Apps instead of M2M tokens: their subject
// is a user or member, and client_id names the application. With ids, only these applications are
// accepted; a list that is empty but not nil is refused. See [WithAudiences] for an application
// with a custom audience, and [WithClientMetadataDocuments] for one whose id is a URL.
func WithConnectedApps(ids ...string) Option {
	return func(s *settings) error {
		if isEmpty(ids) {
			return invalid("WithConnectedApps", "the list of client ids is empty: without a list, all Connected Apps are accepted")
		}
		s.kind = ConnectedApp
		return addClientIDs(s.apps, "WithConnectedApps", ids)
	}
}

// WithClientIDs accepts, of the M2M clients with an id of your choice, only these.
// Clients with ids that Stytch made, m2m-client-test- or m2m-client-live- by the project's
// environment, are accepted as well. By default an id of your choice is accepted unless it looks as
// if Stytch had made it: it begins with user-, member-, organization-, connected-app- or session-,
// or has m2m-client-test- or m2m-client-live- elsewhere or of the other environment. Name such a
// client here.
//
// An id is 1 to 256 bytes of UTF-8 without spaces and control characters. The ids of Stytch's other
// objects, such as user-test- with something after it, are never accepted.
func WithClientIDs(ids ...string) Option {
	return func(s *settings) error {
		if len(ids) == 0 {
			return invalid("WithClientIDs", "name at least one client id")
		}
		if err := addClientIDs(s.clientIDs, "WithClientIDs", ids); err != nil {
			return err
		}
		if slices.ContainsFunc(ids, isForeign) {
			return invalid("WithClientIDs", "a client id must not be the id of a user, a session or another object of Stytch")
		}
		return nil
	}
}

// WithClientMetadataDocuments also accepts Connected Apps whose client id is the https address of a
// client ID metadata document, as MCP clients use. With ids, only these of them are accepted; a
// list that is empty but not nil is refused. It needs [WithConnectedApps]. Stytch fetched the
// document when it issued the token: nothing is fetched here. An id must have a path, and no user
// info, query or fragment.
func WithClientMetadataDocuments(ids ...string) Option {
	return func(s *settings) error {
		if isEmpty(ids) {
			return invalid("WithClientMetadataDocuments", "the list of client ids is empty: without a list, all are accepted")
		}
		s.documents = true
		for _, id := range ids {
			if !isDocumentURL(id) {
				return invalid("WithClientMetadataDocuments", "a client id must be an https URL with a path, without user info, query and fragment")
			}
			s.documentIDs[id] = struct{}{}
		}
		return nil
	}
}

func addClientIDs(to map[string]struct{}, option string, ids []string) error {
	for _, id := range ids {
		if err := project.CheckClientID(id); err != nil {
			return invalid(option, err.Error())
		}
		to[id] = struct{}{}
	}
	return nil
}

// WithClientIDFunc is [WithClientIDs] with a function. With one that always returns false, only ids
// that Stytch made are accepted. It is called for every token of a client that neither Stytch nor
// WithClientIDs named, so it must be quick and safe for concurrent use. It never sees the id of a
// user, a session or another object of Stytch.
func WithClientIDFunc(accept func(clientID string) bool) Option {
	return func(s *settings) error {
		if accept == nil {
			return invalid("WithClientIDFunc", "the function must not be nil")
		}
		s.clientIDFunc = accept
		return nil
	}
}

// WithIssuers also accepts tokens requested at custom domains: their iss is the address, such as
// https://login.example.com (documented for the Go and Python SDKs). The default,
// stytch.com/{project_id}, stays accepted. Issuers are compared as strings, and a trailing slash is
// refused, because Stytch sends none.
func WithIssuers(issuers ...string) Option {
	return func(s *settings) error {
		if len(issuers) == 0 {
			return invalid("WithIssuers", "name at least one issuer")
		}
		for _, issuer := range issuers {
			u, err := project.ParseURL(issuer)
			if err != nil {
				return invalid("WithIssuers", err.Error())
			}
			if strings.HasSuffix(issuer, "/") || u.Path != "" {
				return invalid("WithIssuers", "an issuer must end after its host, without a slash")
			}
			if !slices.Contains(s.issuers, issuer) {
				s.issuers = append(s.issuers, issuer)
			}
		}
		return nil
	}
}

// WithAudiences accepts tokens for one of these audiences instead of the project. To accept both,
// include the project id. A token may have other audiences as well (RFC 7519, section 4.1.3): see
// [WithExactAudience].
func WithAudiences(audiences ...string) Option {
	return func(s *settings) error {
		if len(audiences) == 0 || slices.Contains(audiences, "") {
			return invalid("WithAudiences", "name at least one audience, and no empty one")
		}
		s.audiences = slices.Clone(audiences)
		return nil
	}
}

// WithExactAudience accepts only tokens that have one audience, which must be the project or one of
// [WithAudiences]. No other API then accepts a token that yours has seen. Stytch puts the project
// into the aud of every token (documented), beside a custom audience, so the tokens of a Connected
// App with a custom audience are refused.
func WithExactAudience() Option {
	return func(s *settings) error {
		s.exactAudience = true
		return nil
	}
}

// WithLeeway sets how far the clocks of Stytch and of this machine may differ: 30 s by default, 5
// min at most.
func WithLeeway(leeway time.Duration) Option {
	return func(s *settings) error {
		if leeway < 0 || leeway > 5*time.Minute {
			return invalid("WithLeeway", "the leeway must be between 0 and 5 min")
		}
		s.leeway = leeway
		return nil
	}
}

// WithMaxAge refuses tokens issued longer ago than age, with [ErrTooOld]. For single calls, use
// [MaxAge].
func WithMaxAge(age time.Duration) Option {
	return func(s *settings) error {
		if age <= 0 {
			return invalid("WithMaxAge", "the age must be positive")
		}
		s.maxAge = age
		return nil
	}
}

// WithMaxLifetime limits exp - iat. The default is 1 h, the lifetime of M2M tokens (documented);
// the lifetime of a Connected App's tokens can be set to more. The leeway is added.
func WithMaxLifetime(lifetime time.Duration) Option {
	return func(s *settings) error {
		if lifetime <= 0 || lifetime > 10*365*24*time.Hour {
			return invalid("WithMaxLifetime", "the lifetime must be positive and at most ten years")
		}
		s.maxLifetime = lifetime
		return nil
	}
}

// WithMaxBytes limits the length of a token: 16 KiB by default. Stytch limits custom claims to
// about 4 KiB.
func WithMaxBytes(n int) Option {
	return func(s *settings) error {
		if n < 256 || n > 1<<20 {
			return invalid("WithMaxBytes", "the limit must be between 256 B and 1 MiB")
		}
		s.maxBytes = n
		return nil
	}
}

// WithClock sets the clock that tokens are verified by, instead of [time.Now]. It must be safe for
// concurrent use. The age of keys is not measured by it.
func WithClock(now func() time.Time) Option {
	return func(s *settings) error {
		if now == nil {
			return invalid("WithClock", "the clock must not be nil")
		}
		s.clock = now
		return nil
	}
}

// WithCache sets how many verified tokens are remembered: 1,000 by default, none with 0. A plain
// token takes about half a kilobyte, and all of them together at most 1 KiB times the number. Time,
// age, client and scopes are still checked at every call.
func WithCache(entries int) Option {
	return func(s *settings) error {
		if entries < 0 || entries > 10_000_000 {
			return invalid("WithCache", "the number must be between 0 and 10,000,000")
		}
		s.cacheEntries = entries
		return nil
	}
}

// WithActiveCheck calls f to find out whether the client still exists and is active. Nothing else
// refuses a token before it expires. A typical f gets the client from Stytch's API. The result is
// kept for 60 s, a failure for 1 s; f has 5 s, runs at most once at a time per client, and its
// context also ends with [Verifier.Close]. If f fails, panics or ignores the end of its context,
// the token is refused with [ErrCheckUnavailable], which then wraps the error of f.
func WithActiveCheck(f func(ctx context.Context, clientID string) (active bool, err error)) Option {
	return func(s *settings) error {
		if f == nil {
			return invalid("WithActiveCheck", "the function must not be nil")
		}
		s.activeCheck = f
		return nil
	}
}
