package stytch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/retry"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	liveURL = "https://api.stytch.com"
	testURL = "https://test.stytch.com"
)

// Client calls the management API of one Stytch project. It holds no connection of its own making until it is used, starts no
// goroutine, and is safe for concurrent use; make one and share it.
type Client struct {
	M2M           *M2M           // M2M clients
	ConnectedApps *ConnectedApps // Connected Apps

	base          *url.URL // without a trailing slash
	projectID     string
	secret        secret.String
	authorization func() []string // the header made of both, ready to be put into a request
	transport     http.RoundTripper
	raw           *gen.Client
	settings      settings
	budget        retry.Budget
}

// New returns a client for a project. It reads no environment and touches no network.
//
// The project id chooses the host: the live API for ids that begin with project-live-, the test API for all others. The
// secret is one of the project's secrets, not a client's. Every error names the argument or option and the rule that it
// breaks, and is [ErrInvalidArgument].
func New(projectID, projectSecret string, options ...Option) (*Client, error) {
	if err := checkCredentials(projectID, projectSecret); err != nil {
		return nil, err
	}
	c := &Client{projectID: projectID, secret: secret.New(projectSecret), authorization: basicAuth(projectID, projectSecret), settings: defaults()}
	for i, option := range options {
		if option == nil {
			return nil, invalid("", "option %d is nil", i)
		}
		if err := option(&c.settings); err != nil {
			return nil, err
		}
	}
	c.base = c.settings.base
	if c.base == nil {
		c.base, _ = url.Parse(testURL)
		if strings.HasPrefix(projectID, "project-live-") {
			c.base, _ = url.Parse(liveURL)
		}
	}
	c.useTransport()

	raw, err := gen.NewClient(c.BaseURL(), gen.WithHTTPClient(ownDoer{c}))
	if err != nil {
		return nil, fmt.Errorf("stytch: %w", err)
	}
	c.raw = raw
	c.M2M = &M2M{client: c, Secrets: &Secrets{family: m2mSecrets{c}}}
	c.ConnectedApps = &ConnectedApps{client: c, Secrets: &Secrets{family: connectedAppSecrets{c}}}
	return c, nil
}

// FromEnv is [New] with the project id and secret of the environment variables STYTCH_PROJECT_ID and
// STYTCH_PROJECT_SECRET and, if it is set, the base URL of STYTCH_BASE_URL. Options that are given win.
func FromEnv(options ...Option) (*Client, error) {
	id, text := os.Getenv("STYTCH_PROJECT_ID"), os.Getenv("STYTCH_PROJECT_SECRET")
	var missing []error
	if id == "" {
		missing = append(missing, invalid("", "environment variable STYTCH_PROJECT_ID is not set"))
	}
	if text == "" {
		missing = append(missing, invalid("", "environment variable STYTCH_PROJECT_SECRET is not set"))
	}
	if len(missing) > 0 {
		return nil, errors.Join(missing...)
	}
	if base := os.Getenv("STYTCH_BASE_URL"); base != "" {
		fromEnv := func(s *settings) error {
			if err := WithBaseURL(base)(s); err != nil {
				return fmt.Errorf("%w (in environment variable STYTCH_BASE_URL)", err)
			}
			return nil
		}
		options = append([]Option{fromEnv}, options...)
	}
	return New(id, text, options...)
}

// BaseURL is the address that every request begins with, without a trailing slash. With it, the generated client can be
// put on top of this one: gen.NewClient(c.BaseURL(), gen.WithHTTPClient(c)).
func (c *Client) BaseURL() string { return c.base.String() }

// ProjectID is the project that the client was made for.
func (c *Client) ProjectID() string { return c.projectID }

// CloseIdleConnections closes the connections that no call uses at the moment. The client stays usable.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func basicAuth(user, password string) func() []string {
	header := []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
	return func() []string { return header }
}

// checkCredentials never quotes what it refuses: the two are easily swapped.
func checkCredentials(projectID, projectSecret string) error {
	notPlain := func(r rune) bool { return r <= ' ' || r > '~' }
	switch {
	case projectID == "":
		return invalid("", "project id must not be empty")
	case strings.HasPrefix(projectID, "secret-"):
		return invalid("", "project id must not be a secret: the arguments seem to be swapped")
	case len(projectID) > 256 || strings.ContainsFunc(projectID, func(r rune) bool { return notPlain(r) || strings.ContainsRune(`:/\?#%@`, r) }):
		return invalid("", "project id must be a plain identifier such as project-test-… of at most 256 characters")
	case projectSecret == "":
		return invalid("", "project secret must not be empty")
	case strings.HasPrefix(projectSecret, "project-"):
		return invalid("", "project secret must not be a project id: the arguments seem to be swapped")
	case strings.Contains(projectSecret, secret.Placeholder):
		return invalid("", "project secret was redacted on the way here")
	case len(projectSecret) > 1024 || strings.ContainsFunc(projectSecret, notPlain):
		return invalid("", "project secret must be plain characters without spaces, at most 1024")
	}
	return nil
}
