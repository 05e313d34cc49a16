package stytch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/internal/project"
)

// Client is a client of the management API of one Stytch project. It opens no connection before the
// first call, starts no goroutine, and is safe for concurrent use. Create one and share it.
type Client struct {
	M2M           *M2M           // M2M clients
	ConnectedApps *ConnectedApps // Connected Apps
	OAuth         *OAuth         // what the project's authorization server offers to anyone

	sender *sender
}

// New returns a client for a project. It does not read the environment or use the network.
//
// The project id selects the host: the live API for project-live- ids, the test API for
// project-test- ids. The secret is one of the project's secrets, not a client secret. Every error
// is [ErrInvalidArgument], and names the argument or option and the rule it breaks.
func New(projectID, projectSecret string, options ...Option) (*Client, error) {
	if err := project.CheckCredentials(projectID, projectSecret); err != nil {
		return nil, invalid("", "%v", err)
	}
	settings, err := newSettings(options)
	if err != nil {
		return nil, err
	}
	s, err := newSender(projectID, projectSecret, settings.base, settings)
	if err != nil {
		return nil, err
	}
	oauth, err := newOAuth(s)
	if err != nil {
		return nil, err
	}
	return &Client{M2M: newM2M(s), ConnectedApps: newConnectedApps(s), OAuth: oauth, sender: s}, nil
}

// FromEnv is [New] with the project id and secret of the environment variables STYTCH_PROJECT_ID
// and STYTCH_PROJECT_SECRET and, if set, the base URL of STYTCH_BASE_URL. Options take precedence.
// Spaces, zero-width characters and quotation marks in or around a value are an error that names
// them; a byte order mark is skipped.
func FromEnv(options ...Option) (*Client, error) {
	var values [3]string
	for i, name := range []string{"STYTCH_PROJECT_ID", "STYTCH_PROJECT_SECRET", "STYTCH_BASE_URL"} {
		var err error
		if values[i], err = credentials.Variable(os.Getenv, name); err != nil {
			return nil, invalid("", "%v", err)
		}
	}
	id, text, base := values[0], values[1], values[2]
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
	if base != "" {
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

// BaseURL is the address that every request begins with, without a trailing slash.
func (c *Client) BaseURL() string { return c.sender.base.String() }

// ProjectID is the project that the client was created for.
func (c *Client) ProjectID() string { return c.sender.projectID }

// CloseIdleConnections closes the connections that no call is using. The client stays usable.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.sender.settings.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Do sends one request of the contract and adds what every call of this client has: the project's
// credentials where they belong, retries by the meaning of the operation, timeouts, a size limit,
// typed errors. It lets the generated client send its requests through this one:
//
//	raw, err := gen.NewClient(client.BaseURL(), gen.WithHTTPClient(client))
//
// The response is always a success with a JSON object as its body, held in memory; everything else
// is an error. Only a response that shows a secret is returned with an error too, an
// [ErrInvalidResponse] that names what else in it is not as the contract says. A request to another
// host, or for an operation that is not in the contract, is not sent: this also catches ids such as
// "..". The request itself is not changed.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	if req == nil || req.URL == nil {
		return nil, invalid("", "request must not be nil")
	}
	resp, err := c.sender.Do(req.Clone(req.Context()))
	if err != nil {
		return nil, err
	}
	r := resp.Body.(*response)
	err = r.check()
	if err != nil && !r.showsSecret() {
		defer r.Close()
		return nil, err
	}
	// The caller may close the body twice, or read it after closing it. So the buffer does not
	// return to the pool.
	resp.Body = io.NopCloser(&r.Buffer)
	resp.Request = req // without the credentials
	return resp, err
}
