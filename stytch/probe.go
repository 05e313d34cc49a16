package stytch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/stytchkit/m2m/internal/fastjson"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/secret"
)

// probeM2M is Secrets.Probe for M2M clients.
func probeM2M(ctx context.Context, s *sender, id string, value secret.String) (accepted bool, err error) {
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
	ctx, cancel := s.oneCall(ctx)
	defer cancel()
	err = requestToken(ctx, s, id, value)
	if err == nil {
		return true, nil
	}
	var e *Error
	if !errors.As(err, &e) || !refusesClient(e) {
		return false, err
	}
	// An inactive client is refused with the same error as a wrong secret.
	out, readErr := decode[struct {
		M2MClient struct {
			Status M2MClientStatus `json:"status"`
		} `json:"m2m_client"`
		StatusCode int32 `json:"status_code"`
	}](s.api.GetM2MClient(ctx, id))
	switch {
	case readErr != nil:
		return false, fmt.Errorf("stytch: %s: refused, and the client cannot be read: %w", op.ID, readErr)
	case out.M2MClient.Status == Inactive:
		return false, fmt.Errorf("%w, so its secret cannot be proved", ErrInactive)
	case out.M2MClient.Status != Active:
		return false, fmt.Errorf("stytch: %s: refused, and the status of the client is %q: %w", op.ID, redact.Printable(string(out.M2MClient.Status), maxText), ErrInvalidResponse)
	case e.Type != "invalid_client":
		return false, err
	}
	return false, nil
}

// requestToken has no error only if a token came back. The credentials are in the body, as package
// token sends them: there, unlike in HTTP Basic, every character has only one encoding.
func requestToken(ctx context.Context, s *sender, id string, value secret.String) error {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {value.Reveal()}}
	r, err := asResponse(s.api.IssueM2MTokenWithBody(ctx, s.projectID, "application/x-www-form-urlencoded", strings.NewReader(form.Encode())))
	if err != nil {
		return err
	}
	defer r.Close()
	out, err := decodeOpen[struct {
		AccessToken secret.String `json:"access_token"`
		TokenType   string        `json:"token_type"`
		StatusCode  int32         `json:"status_code"`
	}](r)
	if err != nil {
		return err
	}
	if out.AccessToken.IsZero() || !strings.EqualFold(out.TokenType, "bearer") || fastjson.Find(r.Bytes(), `"error"`) != nil {
		return r.invalid(errors.New("the success has no bearer token"))
	}
	return nil
}

// refusesClient reports that Stytch refused the client or its secret. The response does not say
// which of the two.
func refusesClient(e *Error) bool {
	if e.StatusCode != http.StatusBadRequest && e.StatusCode != http.StatusUnauthorized {
		return false
	}
	return e.Type == "invalid_client" || e.Type == "unauthorized_client" || e.Type == "access_denied"
}
