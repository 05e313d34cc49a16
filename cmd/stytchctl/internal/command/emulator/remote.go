package emulator

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const (
	defaultURL = "http://127.0.0.1:4010"
	urlName    = "STYTCH_EMULATOR_URL"
	apiName    = "STYTCH_BASE_URL"
	maxReply   = 1 << 30
)

// A remote is an emulator that is running.
type remote struct {
	app                *cli.App
	url, tokenFile, ca string
}

// command adds the flags that find the emulator.
func (r *remote) command(cmd *cobra.Command) *cobra.Command {
	flags := cmd.Flags()
	flags.StringVar(&r.url, "url", "", "`address` of the emulator; STYTCH_EMULATOR_URL, STYTCH_BASE_URL, else "+defaultURL)
	flags.StringVar(&r.tokenFile, "admin-token-file", "", "`file` with the admin token of the emulator; - is stdin")
	flags.StringVar(&r.ca, "tls-ca", "", "`file` with the certificate authority of the emulator, such as ca.pem of --tls-self-signed")
	return cmd
}

// group is a group whose commands talk to an emulator.
func (r *remote) group(use, short, long string, children ...*cobra.Command) *cobra.Command {
	for _, child := range children {
		r.command(child)
	}
	return cli.Group(use, short, long, children...)
}

// base is the address of the emulator. A person who works with one that listens elsewhere has set
// STYTCH_BASE_URL, and must not reset another one by mistake.
func (r *remote) base() (string, error) {
	address, from := r.url, "--url"
	if address == "" {
		address, from = r.app.Getenv(urlName), urlName
	}
	if address == "" {
		address, from = r.app.Getenv(apiName), apiName
	}
	if address == "" {
		return defaultURL, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "", cli.Usagef("%s: it must be an address such as %s. Nothing was sent.", from, defaultURL)
	}
	if from == apiName && strings.HasSuffix(strings.ToLower("."+u.Hostname()), ".stytch.com") {
		return "", cli.Usagef("%s: it is the address of Stytch itself: give that of the emulator with --url. Nothing was sent.", from)
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(admin.Base, "/"))
	if path != "" {
		return "", cli.Usagef("%s: it must have no path: give an address such as %s. Nothing was sent.", from, defaultURL)
	}
	return u.Scheme + "://" + u.Host, nil
}

func (r *remote) client() (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if r.ca != "" {
		pem, err := r.app.ReadFile("--tls-ca", r.ca, 1<<20)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, cli.Usagef("--tls-ca: there is no certificate in the file. Nothing was sent.")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// open sends a request and returns a response whose status is a success.
func (r *remote) open(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	base, err := r.base()
	if err != nil {
		return nil, err
	}
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, base+admin.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Content-Type", "application/json")
	if r.tokenFile != "" {
		token, err := r.app.ReadSecret("--admin-token-file", r.tokenFile)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, noAnswer(ctx, method, base, err)
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, refusal(response, base)
}

// noAnswer says whether the request may have taken effect.
func noAnswer(ctx context.Context, method, base string, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	var dial *net.OpError
	notSent := errors.As(err, &dial) && dial.Op == "dial"
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var certificate *tls.CertificateVerificationError
	switch {
	case notSent:
		return cli.Errorf(cli.Unavailable, "no emulator answers at %s: %w. Start one with stytchctl emulator serve, or give its address with --url. Nothing was sent.", base, err)
	case errors.As(err, &certificate):
		return cli.Errorf(cli.Unavailable, "%s: %w. Give its certificate authority with --tls-ca. Nothing was sent.", base, err)
	case method == http.MethodGet:
		return cli.Errorf(cli.Unavailable, "%s did not answer: %w", base, err)
	}
	return cli.Errorf(cli.OutcomeUnknown, "%s did not answer: %w. The change may have taken effect: look at it before you repeat the command.", base, err)
}

var classes = map[int]cli.Class{
	http.StatusBadRequest: cli.Usage, http.StatusUnauthorized: cli.Auth, http.StatusForbidden: cli.Auth, http.StatusNotFound: cli.NotFound,
	http.StatusConflict: cli.Conflict, http.StatusRequestEntityTooLarge: cli.Usage, http.StatusTooManyRequests: cli.Unavailable,
	http.StatusServiceUnavailable: cli.Unavailable,
}

// refusal makes an error of a response.
func refusal(response *http.Response, base string) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // half of a body is no JSON
	var refused admin.Error
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields() // an error of Stytch's API has more fields
	if decoder.Decode(&refused) != nil || refused.ErrorMessage == "" {
		return cli.Errorf(cli.Unavailable, "%s has no admin API: it responded with status %d. Give the address of stytchctl emulator serve with --url.", base, response.StatusCode)
	}
	class, ok := classes[response.StatusCode]
	if !ok {
		class = cli.Internal
	}
	message := refused.ErrorMessage
	if response.StatusCode == http.StatusUnauthorized {
		message += " Give it with --admin-token-file."
	}
	return &cli.Error{Class: class, Type: refused.ErrorType, Message: message}
}

// call sends a request with a JSON body, which may be nil, and decodes the response.
func call[T any](ctx context.Context, r *remote, method, path string, body any) (result T, err error) {
	ctx, cancel := r.app.Context(ctx)
	defer cancel()
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return result, err
		}
	}
	response, err := r.open(ctx, method, path, nil, text)
	if err != nil {
		return result, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return result, nil
	}
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err == nil {
		err = json.Unmarshal(reply, &result)
	}
	if err != nil {
		return result, fmt.Errorf("the response of the emulator cannot be read: %w", err)
	}
	return result, nil
}

// none is the result of a request whose response has no body.
type none struct{}
