package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// endpoint is a token endpoint in memory.
type endpoint struct {
	latency  time.Duration
	life     int  // seconds, of each token
	failing  bool // answers 503
	requests atomic.Int64
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	n := e.requests.Add(1)
	if e.latency > 0 {
		timer := time.NewTimer(e.latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if e.failing {
		return answer(r, http.StatusServiceUnavailable, []byte(`{"error":"server_error"}`)), nil
	}
	body := fmt.Sprintf(`{"access_token":"opaque-%d","token_type":"bearer","expires_in":%d}`, n, e.life)
	return answer(r, http.StatusOK, []byte(body)), nil
}

func answer(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// tokenFunc gets a token.
type tokenFunc func() error

// newSource is a source of ours.
func newSource(e *endpoint, options ...token.Option) (tokenFunc, *token.Source) {
	s, err := token.New(project, token.Static(client, secret.New("Correct-Horse-9-Battery")),
		append([]token.Option{token.WithHTTPClient(&http.Client{Transport: e})}, options...)...)
	must(err)
	ctx := context.Background()
	return func() error {
		_, err := s.Token(ctx)
		return err
	}, s
}

// newOAuth2 is the source of x/oauth2, which is fresh as long as its token has more than 10 s left.
func newOAuth2(e *endpoint) tokenFunc {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: e})
	config := clientcredentials.Config{
		ClientID: client, ClientSecret: "Correct-Horse-9-Battery", TokenURL: "https://test.stytch.com/token",
		AuthStyle: oauth2.AuthStyleInParams,
	}
	s := config.TokenSource(ctx)
	return func() error {
		_, err := s.Token()
		return err
	}
}
