package stytch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/secret"
)

// M2M manages M2M clients. It is safe for concurrent use.
type M2M struct {
	Secrets *Secrets // rotation of client secrets

	client *Client
}

// Create makes a client and answers with its secret, which is never shown again. At least one scope is needed.
//
// A lost answer is [ErrOutcomeUnknown], because repeating the request could make a second client. It is not if r carries both
// ClientID and ClientSecret (see secret.Generate): then Create finds out by reading the client and, if there is none, asks
// again, so that it may also be called again with the same r. An id that is taken by another client is [ErrAlreadyExists].
func (m *M2M) Create(ctx context.Context, r M2MCreate) (*M2MClientWithSecret, error) {
	if err := checkCreate(r); err != nil {
		return nil, err
	}
	if r.ClientID == "" || r.ClientSecret.IsZero() {
		return m.create(ctx, r)
	}
	ctx, cancel := m.client.oneCall(ctx)
	defer cancel()
	created, err := m.create(ctx, r)
	if doubtful(err) {
		return m.settle(ctx, r, err)
	}
	return created, err
}

func (m *M2M) create(ctx context.Context, r M2MCreate) (*M2MClientWithSecret, error) {
	a, err := asAnswer(m.client.raw.CreateM2MClient(ctx, r))
	if err != nil {
		return nil, err
	}
	out, err := decodeSecret(a, func(out *gen.CreateM2MClientResponse) bool { return !out.M2MClient.ClientSecret.IsZero() })
	if err != nil {
		return nil, err
	}
	return &out.M2MClient, nil
}

func checkCreate(r M2MCreate) error {
	op := operation.CreateM2MClient.ID
	if r.ClientID != "" {
		if err := operation.CheckID(r.ClientID); err != nil {
			return invalid(op, "ClientID %v", err)
		}
	}
	if text := r.ClientSecret.Reveal(); text != "" && len(text) < 8 {
		return invalid(op, "ClientSecret must have at least 8 characters")
	}
	if _, err := r.ClientSecret.MarshalJSON(); err != nil {
		return invalid(op, "ClientSecret cannot be sent: %v", err)
	}
	if len(r.Scopes) == 0 {
		return invalid(op, "Scopes must not be empty")
	}
	if slices.Contains(r.Scopes, "") {
		return invalid(op, "Scopes must not hold an empty scope")
	}
	return checkMetadata(op, r.TrustedMetadata)
}

func checkMetadata(op string, m Metadata) error {
	if text, err := m.MarshalJSON(); err != nil || !json.Valid(text) {
		return invalid(op, "TrustedMetadata must be a JSON object")
	}
	return nil
}

// doubtful reports that the client may exist because of this very request: its answer was lost, or the id is taken, which
// an earlier request with the same id and secret may have done.
func doubtful(err error) bool {
	return errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrAlreadyExists)
}

// settle finds out what became of a create request in doubt. The caller keeps id and secret, so reading the client tells: it
// is there and looks like the one that was sent, or it is not and the request can be sent again.
func (m *M2M) settle(ctx context.Context, r M2MCreate, doubt error) (*M2MClientWithSecret, error) {
	policy := m.client.settings.policy
	waits := policy.Waits()
	for n := 1; ; n++ {
		// The answer has the shape of that to Create, without the secret.
		got, err := decode[gen.CreateM2MClientResponse](m.client.raw.GetM2MClient(ctx, r.ClientID))
		if err == nil {
			return adopt(r, &got.M2MClient, doubt)
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("%w; reading it failed too: %w; Create may be called again with the same ClientID and ClientSecret", doubt, err)
		}
		if n >= policy.MaxAttempts || !m.client.budget.Withdraw(false) {
			return nil, doubt
		}
		wait, _ := waits.Next(0, 0)
		if ended := sleep(ctx, wait); ended != nil {
			return nil, fmt.Errorf("%w: %w", doubt, ended)
		}
		created, err := m.create(ctx, r)
		if !doubtful(err) {
			return created, err
		}
		if errors.Is(err, ErrOutcomeUnknown) {
			doubt = err
		}
	}
}

// adopt takes an existing client for the one that r made, if everything that can be compared agrees.
func adopt(r M2MCreate, got *M2MClientWithSecret, doubt error) (*M2MClientWithSecret, error) {
	set := func(scopes []string) []string { return slices.Compact(slices.Sorted(slices.Values(scopes))) }
	same := got.ClientSecretLastFour != "" && strings.HasSuffix(r.ClientSecret.Reveal(), got.ClientSecretLastFour) &&
		got.ClientName == r.ClientName && got.ClientDescription == r.ClientDescription && slices.Equal(set(got.Scopes), set(r.Scopes))
	switch {
	case same:
		got.ClientSecret = secret.String(r.ClientSecret)
		return got, nil
	case errors.Is(doubt, ErrAlreadyExists):
		return nil, doubt
	}
	return nil, &callError{operation: operation.CreateM2MClient.ID, attempts: 1,
		cause: fmt.Errorf("%w: a client with this id exists, and it is not the one that was sent", ErrAlreadyExists)}
}

// Get reads a client. An id that the project does not know is [ErrNotFound].
func (m *M2M) Get(ctx context.Context, clientID string) (*M2MClient, error) {
	if err := checkClientID(operation.GetM2MClient, clientID); err != nil {
		return nil, err
	}
	out, err := decode[gen.GetM2MClientResponse](m.client.raw.GetM2MClient(ctx, clientID))
	if err != nil {
		return nil, err
	}
	return &out.M2MClient, nil
}

// Update changes the fields that u sets and answers with the client as it is then. It may be repeated after a lost answer:
// of two writers, the last one wins. Scopes and status take effect for later tokens only.
func (m *M2M) Update(ctx context.Context, clientID string, u M2MUpdate) (*M2MClient, error) {
	if err := checkClientID(operation.UpdateM2MClient, clientID); err != nil {
		return nil, err
	}
	if m, err := u.TrustedMetadata.Get(); err == nil {
		if err := checkMetadata(operation.UpdateM2MClient.ID, m); err != nil {
			return nil, err
		}
	}
	out, err := decode[gen.UpdateM2MClientResponse](m.client.raw.UpdateM2MClient(ctx, clientID, u))
	if err != nil {
		return nil, err
	}
	return &out.M2MClient, nil
}

// Delete removes a client for good. Tokens that it has stay valid until they expire. If an earlier attempt of the same call
// may have removed it already, not finding it is a success; otherwise it is [ErrNotFound].
func (m *M2M) Delete(ctx context.Context, clientID string) error {
	if err := checkClientID(operation.DeleteM2MClient, clientID); err != nil {
		return err
	}
	_, err := decode[gen.DeleteM2MClientResponse](m.client.raw.DeleteM2MClient(ctx, clientID))
	return deleted(err)
}

// SearchPage reads one page: the first one, or the one that s.Cursor asks for. Prefetch and OnPage are for Search.
func (m *M2M) SearchPage(ctx context.Context, s M2MSearch) (*Page[M2MClient], error) {
	return m.search(s).page(ctx)
}

// Search walks over all clients that match, page by page as they are needed. It sends nothing until it is ranged over, can
// be ranged over again, which asks anew, and ends after the first error. See [M2MSearch] for how to resume.
func (m *M2M) Search(ctx context.Context, s M2MSearch) iter.Seq2[M2MClient, error] {
	return m.search(s).all(ctx)
}

func (m *M2M) search(s M2MSearch) search[M2MClient] {
	return search[M2MClient]{
		op: operation.SearchM2MClients, cursor: s.Cursor, limit: s.Limit, prefetch: s.Prefetch, onPage: s.OnPage,
		check: s.Filter.check,
		fetch: func(ctx context.Context, cursor string) (*answer, error) {
			return asAnswer(m.client.raw.SearchM2MClients(ctx, gen.SearchM2MClientsRequest{Cursor: cursor, Limit: int32(s.Limit), Query: s.Filter.query()}))
		},
		decode: func(a *answer) (Page[M2MClient], error) {
			out, err := decodeAnswer[gen.SearchM2MClientsResponse](a)
			if err != nil {
				return Page[M2MClient]{}, err
			}
			return newPage(out.M2MClients, out.ResultsMetadata), nil
		},
	}
}

func checkClientID(op *operation.Operation, id string) error {
	if err := operation.CheckID(id); err != nil {
		return invalid(op.ID, "client id %v", err)
	}
	return nil
}

// deleted makes a success of not finding what an earlier attempt of the same call may have removed.
func deleted(err error) error {
	var e *Error
	if errors.As(err, &e) && e.mayHaveWorked && errors.Is(e, ErrNotFound) {
		return nil
	}
	return err
}
