package stytch

import (
	"context"
	"errors"
	"iter"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
)

// M2M manages M2M clients. It is safe for concurrent use.
type M2M struct {
	Secrets *Secrets // rotation of client secrets

	sender *sender
}

func newM2M(s *sender) *M2M { return &M2M{Secrets: m2mSecrets(s), sender: s} }

// Create creates a client and returns it with its secret, which is never shown again. At least one
// scope is required. If a client is returned with an [ErrInvalidResponse], it exists and its secret
// is valid, but another field of the response is not as the contract says.
//
// A lost response is [ErrOutcomeUnknown], because repeating the request could create a second
// client. It is not if r has both ClientID and ClientSecret (see secret.Generate): then Create
// reads the client to find out, and sends the request again if there is none. So it is also safe to
// call Create again with the same r. If the client with this id differs from r, the error is a
// [*ConflictError], which says in what; see [M2M.Ensure] to update it.
//
// An id of your own should not look as if Stytch had made it, such as user-service: package verify
// accepts the tokens of such a client only if it is named, see verify.WithClientIDs.
func (m *M2M) Create(ctx context.Context, r M2MCreate) (*M2MClientWithSecret, error) {
	return createM2M(ctx, m.sender, r)
}

// Get reads a client. If the project has no client with this id, the error is [ErrNotFound]. If a
// field has another type than in the contract, there are both an [ErrInvalidResponse] that names it
// and the client without it.
func (m *M2M) Get(ctx context.Context, clientID string) (*M2MClient, error) {
	if err := checkClientID(operation.GetM2MClient, clientID); err != nil {
		return nil, err
	}
	out, err := decode[gen.GetM2MClientResponse](m.sender.api.GetM2MClient(ctx, clientID))
	if out == nil {
		return nil, err
	}
	return &out.M2MClient, err
}

// Update changes the fields that u sets and returns the client as it is afterwards. It is safe to
// repeat: of two concurrent updates, the last one wins. Scopes and status apply to tokens issued
// from then on.
func (m *M2M) Update(ctx context.Context, clientID string, u M2MUpdate) (*M2MClient, error) {
	op := operation.UpdateM2MClient
	if err := checkClientID(op, clientID); err != nil {
		return nil, err
	}
	if m, err := u.TrustedMetadata.Get(); err == nil {
		if err := checkMetadata(op, m); err != nil {
			return nil, err
		}
	}
	out, err := decode[gen.UpdateM2MClientResponse](m.sender.api.UpdateM2MClient(ctx, clientID, u))
	if out == nil {
		return nil, err
	}
	return &out.M2MClient, err
}

// Delete removes a client for good. Tokens it already has stay valid until they expire. A client
// that does not exist is [ErrNotFound], unless an earlier attempt of the same call may have removed
// it: then Delete succeeds.
func (m *M2M) Delete(ctx context.Context, clientID string) error {
	if err := checkClientID(operation.DeleteM2MClient, clientID); err != nil {
		return err
	}
	_, err := decode[gen.DeleteM2MClientResponse](m.sender.api.DeleteM2MClient(ctx, clientID))
	return deleted(err)
}

// SearchPage reads one page: the first one, or the one of s.Cursor. It ignores Prefetch and OnPage.
func (m *M2M) SearchPage(ctx context.Context, s M2MSearch) (*Page[M2MClient], error) {
	return m.search(s).page(ctx)
}

// Search returns all clients that match, and reads page by page as they are used. It sends nothing
// until the loop starts, and stops after the first error. Each loop over the result searches again.
// See [M2MSearch] for how to resume.
func (m *M2M) Search(ctx context.Context, s M2MSearch) iter.Seq2[M2MClient, error] {
	return m.search(s).all(ctx)
}

func (m *M2M) search(s M2MSearch) search[M2MClient] {
	return search[M2MClient]{
		op: operation.SearchM2MClients, cursor: s.Cursor, limit: s.Limit, prefetch: s.Prefetch, onPage: s.OnPage,
		filter: s.Filter, redactor: m.sender.redactor,
		fetch: func(ctx context.Context, cursor string) (*response, error) {
			body := gen.SearchM2MClientsRequest{Cursor: cursor, Limit: int32(s.Limit)}
			if s.Filter != nil {
				body.Query = s.Filter.query()
			}
			return asResponse(m.sender.api.SearchM2MClients(ctx, body))
		},
		decode: func(r *response) (Page[M2MClient], error) {
			out, err := decodeOpen[gen.SearchM2MClientsResponse](r)
			if out == nil {
				return Page[M2MClient]{}, err
			}
			return newPage(out.M2MClients, out.ResultsMetadata), err
		},
	}
}

// deleted turns "not found" into success if an earlier attempt of the same call may have removed
// the client.
func deleted(err error) error {
	var e *Error
	if errors.As(err, &e) && e.mayHaveWorked && errors.Is(e, ErrNotFound) {
		return nil
	}
	return err
}
