package stytch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/secret"
)

// createM2M is M2M.Create.
func createM2M(ctx context.Context, s *sender, r M2MCreate) (*M2MClientWithSecret, error) {
	if err := checkCreate(r); err != nil {
		return nil, err
	}
	if r.ClientID == "" || r.ClientSecret.IsZero() {
		return sendCreate(ctx, s, r)
	}
	ctx, cancel := s.oneCall(ctx)
	defer cancel()
	created, err := sendCreate(ctx, s, r)
	switch {
	case mayExist(err):
		return reconcileCreate(ctx, s, r, err)
	case created != nil && err != nil: // the client exists, but the response had a fault
		if existing, readErr := readCreated(s.api.GetM2MClient(ctx, r.ClientID)); readErr == nil {
			if same, conflict := compareCreated(r, existing, err); conflict == nil {
				return same, nil
			}
		}
	}
	return created, err
}

func checkCreate(r M2MCreate) error {
	op := operation.CreateM2MClient
	if r.ClientID != "" {
		if err := operation.CheckID(r.ClientID); err != nil {
			return invalid(op.ID, "ClientID %v", err)
		}
	}
	if text := r.ClientSecret.Reveal(); text != "" && len(text) < 8 {
		return invalid(op.ID, "ClientSecret must have at least 8 characters")
	}
	if _, err := r.ClientSecret.MarshalJSON(); err != nil {
		return invalid(op.ID, "ClientSecret cannot be sent: %v", err)
	}
	if len(r.Scopes) == 0 {
		return invalid(op.ID, "Scopes must not be empty")
	}
	if slices.Contains(r.Scopes, "") {
		return invalid(op.ID, "Scopes must not contain an empty scope")
	}
	return checkMetadata(op, r.TrustedMetadata)
}

func sendCreate(ctx context.Context, s *sender, r M2MCreate) (*M2MClientWithSecret, error) {
	resp, err := s.api.CreateM2MClient(ctx, r)
	out, err := decodeSecret(resp, err, func(out *gen.CreateM2MClientResponse) (*string, *secret.String) {
		return &out.M2MClient.ClientID, &out.M2MClient.ClientSecret
	}, func(out *gen.CreateM2MClientResponse) bool { return !out.M2MClient.ClientSecret.IsZero() })
	if out == nil {
		return nil, err
	}
	return &out.M2MClient, err
}

// mayExist reports that this very request may have created the client: its response was lost, or
// the id is taken, which an earlier request with the same id and secret may have caused.
func mayExist(err error) bool {
	return errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrAlreadyExists)
}

// reconcileCreate finds out what became of a create request whose outcome is unknown. The caller
// has the id and the secret, so reading the client is enough: either it exists and looks like the
// one that was sent, or the request can be sent again.
func reconcileCreate(ctx context.Context, s *sender, r M2MCreate, unknown error) (*M2MClientWithSecret, error) {
	policy := s.settings.policy
	waits := policy.Waits()
	for n := 1; ; n++ {
		existing, err := readCreated(s.api.GetM2MClient(ctx, r.ClientID))
		if err == nil {
			return compareCreated(r, existing, unknown)
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("%w; reading it failed too: %w; call Create again with the same ClientID and ClientSecret", unknown, err)
		}
		if n >= policy.MaxAttempts || !s.budget.Withdraw(false) {
			return nil, unknown
		}
		wait, _ := waits.Next(0, 0)
		if ended := sleep.For(ctx, wait); ended != nil {
			return nil, fmt.Errorf("%w: %w", unknown, ended)
		}
		created, err := sendCreate(ctx, s, r)
		if !mayExist(err) {
			return created, err
		}
		if errors.Is(err, ErrOutcomeUnknown) {
			unknown = err
		}
	}
}

// readCreated decodes a client as Create returns it. The two responses have the same shape but for
// the secret.
func readCreated(resp *http.Response, err error) (*M2MClientWithSecret, error) {
	out, err := decode[gen.CreateM2MClientResponse](resp, err)
	if err != nil {
		return nil, err
	}
	return &out.M2MClient, nil
}

// compareCreated accepts an existing client as the one that r created, if everything that can be
// compared is equal. Metadata may have been changed since.
func compareCreated(r M2MCreate, existing *M2MClientWithSecret, unknown error) (*M2MClientWithSecret, error) {
	conflict := &ConflictError{ClientID: r.ClientID}
	for name, equal := range map[string]bool{
		"client_secret": existing.ClientSecretLastFour != "" && strings.HasSuffix(r.ClientSecret.Reveal(), existing.ClientSecretLastFour),
		"client_name":   existing.ClientName == r.ClientName, "client_description": existing.ClientDescription == r.ClientDescription,
		"scopes": slices.Equal(setOf(existing.Scopes), setOf(r.Scopes)),
	} {
		if !equal {
			conflict.Differs = append(conflict.Differs, name)
		}
	}
	if len(conflict.Differs) == 0 {
		existing.ClientSecret = secret.String(r.ClientSecret)
		return existing, nil
	}
	slices.Sort(conflict.Differs)
	if errors.Is(unknown, ErrAlreadyExists) {
		conflict.cause = unknown
	}
	return nil, conflict
}
