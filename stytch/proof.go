package stytch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Probe proves whether Stytch accepts a secret of an M2M client, by asking for an access token with it and throwing the
// token away. Stytch bills each token, also one whose answer is lost; then Probe asks again, as often as [WithRetry] says.
//
// A refused secret is false and no error. Every error means that nothing was proved: [ErrInactive] for a client that gets no
// tokens, whatever its secret is, [ErrNotFound] for an unknown one, and what else may happen to a request. The secrets of
// Connected Apps cannot be proved by a token request: these are [ErrInvalidArgument].
func (s *Secrets) Probe(ctx context.Context, clientID string, value secret.String) (accepted bool, err error) {
	return s.family.probe(ctx, clientID, value)
}

func (f connectedAppSecrets) probe(context.Context, string, secret.String) (bool, error) {
	return false, invalid("", "the secret of a Connected App needs another proof than a token request of M2M clients")
}

func (f m2mSecrets) probe(ctx context.Context, id string, value secret.String) (bool, error) {
	op := operation.IssueM2MToken
	if err := checkClientID(op, id); err != nil {
		return false, err
	}
	if value.IsZero() {
		return false, invalid(op.ID, "client secret must not be empty")
	}
	if _, err := secret.Outgoing(value).MarshalJSON(); err != nil {
		return false, invalid(op.ID, "client secret cannot be sent: %v", err)
	}
	ctx, cancel := f.client.oneCall(ctx)
	defer cancel()
	err := f.requestToken(ctx, id, value)
	if err == nil {
		return true, nil
	}
	var e *Error
	if !errors.As(err, &e) || !e.refusesClient() {
		return false, err
	}
	// An inactive client is refused in the same words as a wrong secret.
	client, readErr := f.client.M2M.Get(ctx, id)
	switch {
	case readErr != nil:
		return false, fmt.Errorf("stytch: %s: refused, and the client cannot be read: %w", op.ID, readErr)
	case client.Status == Inactive:
		return false, fmt.Errorf("%w, so that its secret cannot be proved", ErrInactive)
	case client.Status != Active:
		return false, fmt.Errorf("stytch: %s: refused, and the status of the client is %q: %w", op.ID, printable(string(client.Status)), ErrInvalidResponse)
	case e.Type != "invalid_client":
		return false, err
	}
	return false, nil
}

// requestToken has no error only if a token came back. The credentials are in the body, as package token sends them: there
// every character can be written in one way only, unlike in HTTP Basic.
func (f m2mSecrets) requestToken(ctx context.Context, id string, value secret.String) error {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {value.Reveal()}}
	a, err := asAnswer(f.client.raw.IssueM2MTokenWithBody(ctx, f.client.projectID, "application/x-www-form-urlencoded", strings.NewReader(form.Encode())))
	if err != nil {
		return err
	}
	defer a.Close()
	var out gen.IssueM2MTokenResponse
	if err := a.decode(&out); err != nil {
		return err
	}
	if out.AccessToken.IsZero() || !strings.EqualFold(out.TokenType, "bearer") || topLevel(a.Bytes(), `"error"`) != nil {
		return a.invalid(errors.New("a success that is no bearer token"))
	}
	return nil
}

// refusesClient reports that the client or its secret was refused, in Stytch's own words. Which of the two it was is not said.
func (e *Error) refusesClient() bool {
	if e.StatusCode != http.StatusBadRequest && e.StatusCode != http.StatusUnauthorized {
		return false
	}
	return e.Type == "invalid_client" || e.Type == "unauthorized_client" || e.Type == "access_denied"
}
