package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/stytchkit/m2m/stytch/token"
)

// statusCanceled is the status of a request whose caller left before the response, in the log. It
// is never sent.
const statusCanceled = 499

const seeLog = " See the log of the proxy."

// problemOf describes why a request got no response. It is nil if the caller has left, who cannot
// read one.
func problemOf(ctx context.Context, err error) *problem {
	var upstream *upstreamError
	var caller *callerError
	switch {
	case exchangeOf(ctx).body.callerFailed() != nil || errors.As(err, &caller):
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return newProblem(http.StatusRequestTimeout, "request_timeout", "The body did not arrive in time."+nothingForwarded)
		}
		return nil
	case ctx.Err() != nil && !errors.Is(err, errUpstreamTimeout):
		return nil
	case errors.As(err, &upstream):
		return upstreamProblem(err)
	}
	return tokenProblem(err)
}

func upstreamProblem(err error) *problem {
	var dial *net.OpError
	notSent := errors.As(err, &dial) && dial.Op == "dial"
	switch {
	case isTLS(err):
		return newProblem(http.StatusBadGateway, "upstream_tls", "The certificate or the TLS settings of the upstream "+
			"are not accepted."+seeLog+nothingForwarded)
	case notSent && !isTimeout(err):
		return newProblem(http.StatusBadGateway, "upstream_unreachable", "There is no connection to the upstream."+seeLog+nothingForwarded)
	case notSent:
		return newProblem(http.StatusGatewayTimeout, "upstream_timeout", "The connection to the upstream took too long."+seeLog+nothingForwarded)
	case isTimeout(err):
		return newProblem(http.StatusGatewayTimeout, "upstream_timeout", "The upstream did not respond in time. "+
			"It may have carried out the request: look before you repeat it.")
	}
	return newProblem(http.StatusBadGateway, "upstream_failed", "The connection to the upstream ended without a response. "+
		"It may have carried out the request: look before you repeat it."+seeLog)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, errUpstreamTimeout) || errors.As(err, &network) && network.Timeout()
}

// isTLS finds the errors of a handshake, which have no common type.
func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &unknown) || errors.As(err, &name)
}

// tokenProblem is for a request that was not forwarded because there is no token.
func tokenProblem(err error) *problem {
	var budget *token.BudgetError
	var response *token.Error
	var p *problem
	switch {
	case errors.As(err, &budget):
		p = newProblem(http.StatusServiceUnavailable, "token_budget", "The budget of tokens for this hour is used up."+nothingForwarded)
		p.retryAfter = max(time.Second, time.Until(budget.Until))
		return p
	case errors.Is(err, token.ErrClosed):
		p = newProblem(http.StatusServiceUnavailable, "draining", "The proxy is stopping."+nothingForwarded)
		p.retryAfter = time.Second
		return p
	case errors.Is(err, token.ErrCredentials):
		p = newProblem(http.StatusBadGateway, "token_credentials", "The credentials of the client cannot be read."+seeLog+nothingForwarded)
	case errors.Is(err, token.ErrInvalidClient):
		p = newProblem(http.StatusBadGateway, "token_refused", "Stytch refuses the client or its secret."+seeLog+nothingForwarded)
	case errors.Is(err, token.ErrInvalidScope):
		p = newProblem(http.StatusBadGateway, "token_scope", "The client does not have a scope that the proxy requests."+seeLog+nothingForwarded)
	case errors.Is(err, token.ErrRateLimited):
		p = newProblem(http.StatusBadGateway, "token_rate_limited", "Stytch limits the rate of token requests."+seeLog+nothingForwarded)
	default:
		p = newProblem(http.StatusBadGateway, "token_unavailable", "There is no token."+seeLog+nothingForwarded)
	}
	if errors.As(err, &response) {
		p.retryAfter = response.RetryAfter
	}
	return p
}
