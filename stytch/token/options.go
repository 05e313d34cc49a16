package token

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Option changes a setting of [New]. New fails if an option is given a bad value.
type Option func(*settings) error

type settings struct {
	project         string
	request         Request
	base            *url.URL
	path            string // of the token endpoint
	http            *http.Client
	userAgent       string
	refreshFraction float64
	minLife         time.Duration
	perHour         int
	alarm           func(used, perHour int)
	observer        func(context.Context, Event)
	store           Store
	storeKeys       []secret.String
	attempt, call   time.Duration
}

func newSettings(projectID string, options []Option) (*settings, error) {
	s := &settings{
		project: projectID,
		base:    project.BaseURL(projectID), path: operation.IssueM2MToken.URL(projectID), userAgent: project.UserAgent,
		refreshFraction: 0.8, minLife: time.Minute,
		attempt: 10 * time.Second, call: 30 * time.Second,
	}
	for i, option := range options {
		if option == nil {
			return nil, invalid("New", "option %d must not be nil", i+1)
		}
		if err := option(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// WithScopes requests these scopes instead of all that the client has.
func WithScopes(scopes ...string) Option {
	return func(s *settings) error {
		if _, err := (Request{Scopes: scopes}).normalize(); err != nil {
			return invalid("WithScopes", "%v", err)
		}
		s.request.Scopes = scopes
		return nil
	}
}

// WithParameters sends further parameters with each token request, for the token template of the
// project; see [Request].
func WithParameters(parameters map[string]string) Option {
	return func(s *settings) error {
		if _, err := (Request{Parameters: parameters}).normalize(); err != nil {
			return invalid("WithParameters", "%v", err)
		}
		s.request.Parameters = parameters
		return nil
	}
}

// WithBaseURL sends token requests to another address: a custom domain, a proxy, a local Stytch. It
// must be https, or http to a loopback address, without user info, query or fragment. It may have a
// path; a trailing slash changes nothing. An empty address leaves the default, so the value of an
// environment variable that may be unset can be passed as it is.
func WithBaseURL(address string) Option {
	return baseURL("WithBaseURL", address, project.ParseBaseURL)
}

// WithInsecureBaseURL is [WithBaseURL], but takes plain http to any host, such as a local Stytch in
// another container: http://stytch:4000. Anyone who can see the network between the two reads every
// secret and token, and can change every response.
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
			return invalid(option, "%v", err)
		}
		s.base, s.path = base, operation.IssueM2MToken.URL(s.project)
		return nil
	}
}

// WithProjectDomain sends token requests to the domain of the project, such as
// example.customers.stytch.com or a custom domain, which then is the iss of the tokens: a verifier
// needs the option of the same name. An empty domain leaves the default. Of this option and
// [WithBaseURL], the last one counts.
func WithProjectDomain(domain string) Option {
	return func(s *settings) error {
		if domain == "" {
			return nil
		}
		base, err := project.ParseDomain(domain)
		if err != nil {
			return invalid("WithProjectDomain", "%v", err)
		}
		s.base, s.path = base, operation.IssueM2MTokenOnProjectDomain.Path
		return nil
	}
}

// WithHTTPClient sends token requests through the Transport of this client, for a proxy, a client
// certificate or instrumentation. The client is never changed. Its Timeout bounds each request. Its
// Jar and CheckRedirect are not used, because the source sends no cookies and follows no redirects:
// a redirect would carry the client's secret to wherever the response points.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return invalid("WithHTTPClient", "http.Client must not be nil")
		}
		if client.Transport != nil && isNil(client.Transport) {
			return invalid("WithHTTPClient", "Transport of the http.Client must not be a nil pointer")
		}
		s.http = client
		return nil
	}
}

// WithUserAgent puts a product such as "billing/1.4" in front of the SDK's own in the User-Agent
// header. An empty one changes nothing.
func WithUserAgent(product string) Option {
	return func(s *settings) error {
		if product == "" {
			return nil
		}
		if strings.ContainsFunc(product, func(r rune) bool { return r < ' ' || r > '~' }) {
			return invalid("WithUserAgent", "product must be printable ASCII")
		}
		s.userAgent = product + " " + project.UserAgent
		return nil
	}
}

// WithRefreshAt sets the fraction of its life after which a token is refreshed in the background,
// 0.8 by default. Each refresh comes up to a tenth earlier, at random, so that a fleet does not
// refresh at once.
func WithRefreshAt(fraction float64) Option {
	return func(s *settings) error {
		if !(fraction > 0 && fraction <= 1) { // which NaN fails, too
			return invalid("WithRefreshAt", "fraction must be greater than 0 and at most 1")
		}
		s.refreshFraction = fraction
		return nil
	}
}

// WithMinLife sets how much life a token must have left to be handed out, 1 min by default: enough
// for the call that it is for. A new token that has less, or does not say how much it has, goes to
// the callers that waited for it, and is not cached.
func WithMinLife(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 || d > maxLife {
			return invalid("WithMinLife", "minimum life must be from 0 to %v", maxLife)
		}
		s.minLife = d
		return nil
	}
}

// WithBudget limits how many tokens Stytch issues to the source in any hour. Requests beyond it are
// not sent and fail with [ErrBudget]; cached tokens are still handed out. Every request
// that may have been billed counts, also if its response was lost or is an error. Only a refusal
// (400, 401, 429) and a request that was never sent do not.
//
// alarm may be nil. It is called when four fifths of the budget are used, and when the first
// request is refused; each of them again only after usage fell below four fifths. It must be quick,
// and safe for concurrent use.
func WithBudget(perHour int, alarm func(used, perHour int)) Option {
	return func(s *settings) error {
		if perHour < 1 || perHour > maxBudget {
			return invalid("WithBudget", "budget must be from 1 to %d tokens per hour", maxBudget)
		}
		s.perHour, s.alarm = perHour, alarm
		return nil
	}
}

// WithObserver calls f after every refresh, successful or not, when the shared store fails, and
// when code that the source was given panics. What happened waits for f, which runs in a goroutine
// of its own. The context carries the values of the call that caused the refresh, for tracing. f
// must be quick and safe for concurrent use, and must not call Close. If it panics, Stats counts
// that.
func WithObserver(f func(context.Context, Event)) Option {
	return func(s *settings) error {
		if f == nil {
			return invalid("WithObserver", "observer must not be nil")
		}
		s.observer = f
		return nil
	}
}

// WithStore shares tokens with other processes through store. They are encrypted with the first key
// and decrypted with any of them, so that a key can be replaced. A key has at least 32 random
// bytes. Without keys, one is derived from the secret that obtained the token, so a
// secret that Stytch no longer accepts reads no new token.
func WithStore(store Store, keys ...secret.String) Option {
	return func(s *settings) error {
		if isNil(store) {
			return invalid("WithStore", "store must not be nil")
		}
		s.store, s.storeKeys = store, keys
		return nil
	}
}

// WithTimeouts bounds one request, from sending it to the last byte of its response (attempt, 10 s
// by default), and all requests of one refresh (call, 30 s by default). Reading the credentials may
// take as long as a call.
func WithTimeouts(attempt, call time.Duration) Option {
	return func(s *settings) error {
		if attempt <= 0 || call <= 0 {
			return invalid("WithTimeouts", "both timeouts must be positive")
		}
		s.attempt, s.call = attempt, call
		return nil
	}
}
