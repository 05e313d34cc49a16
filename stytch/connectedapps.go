package stytch

import (
	"context"
	"iter"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
)

// ConnectedApps manages Connected Apps. It is safe for concurrent use.
type ConnectedApps struct {
	Secrets *Secrets // rotation of the secrets of confidential apps; public ones are ErrNoSecret

	client *Client
}

// Create makes an app. The confidential types get a secret, which is never shown again. A lost answer is
// [ErrOutcomeUnknown], because repeating the request could make a second app.
func (c *ConnectedApps) Create(ctx context.Context, r ConnectedAppCreate) (*ConnectedAppWithSecret, error) {
	if r.ClientType == "" {
		return nil, invalid(operation.CreateConnectedApp.ID, "ClientType must not be empty")
	}
	a, err := asAnswer(c.client.raw.CreateConnectedApp(ctx, r))
	if err != nil {
		return nil, err
	}
	confidential := r.ClientType == FirstParty || r.ClientType == ThirdParty
	out, err := decodeSecret(a, func(out *gen.CreateConnectedAppResponse) bool {
		return !confidential || !out.ConnectedApp.ClientSecret.IsZero()
	})
	if err != nil {
		return nil, err
	}
	return &out.ConnectedApp, nil
}

// Get reads an app. An id that the project does not know is [ErrNotFound].
func (c *ConnectedApps) Get(ctx context.Context, clientID string) (*ConnectedApp, error) {
	if err := checkClientID(operation.GetConnectedApp, clientID); err != nil {
		return nil, err
	}
	out, err := decode[gen.GetConnectedAppResponse](c.client.raw.GetConnectedApp(ctx, clientID))
	if err != nil {
		return nil, err
	}
	return &out.ConnectedApp, nil
}

// Update changes the fields that u sets and answers with the app as it is then. It may be repeated after a lost answer: of
// two writers, the last one wins. Neither the type nor the status of an app can be changed.
func (c *ConnectedApps) Update(ctx context.Context, clientID string, u ConnectedAppUpdate) (*ConnectedApp, error) {
	if err := checkClientID(operation.UpdateConnectedApp, clientID); err != nil {
		return nil, err
	}
	out, err := decode[gen.UpdateConnectedAppResponse](c.client.raw.UpdateConnectedApp(ctx, clientID, u))
	if err != nil {
		return nil, err
	}
	return &out.ConnectedApp, nil
}

// Delete removes an app for good. If an earlier attempt of the same call may have removed it already, not finding it is a
// success; otherwise it is [ErrNotFound].
func (c *ConnectedApps) Delete(ctx context.Context, clientID string) error {
	if err := checkClientID(operation.DeleteConnectedApp, clientID); err != nil {
		return err
	}
	_, err := decode[gen.DeleteConnectedAppResponse](c.client.raw.DeleteConnectedApp(ctx, clientID))
	return deleted(err)
}

// SearchPage reads one page: the first one, or the one that s.Cursor asks for. Prefetch and OnPage are for Search.
func (c *ConnectedApps) SearchPage(ctx context.Context, s ConnectedAppSearch) (*Page[ConnectedApp], error) {
	return c.search(s).page(ctx)
}

// Search walks over all apps, page by page as they are needed. It sends nothing until it is ranged over, can be ranged
// over again, which asks anew, and ends after the first error.
func (c *ConnectedApps) Search(ctx context.Context, s ConnectedAppSearch) iter.Seq2[ConnectedApp, error] {
	return c.search(s).all(ctx)
}

func (c *ConnectedApps) search(s ConnectedAppSearch) search[ConnectedApp] {
	return search[ConnectedApp]{
		op: operation.SearchConnectedApps, cursor: s.Cursor, limit: s.Limit, prefetch: s.Prefetch, onPage: s.OnPage,
		fetch: func(ctx context.Context, cursor string) (*answer, error) {
			return asAnswer(c.client.raw.SearchConnectedApps(ctx, gen.SearchConnectedAppsRequest{Cursor: cursor, Limit: int32(s.Limit)}))
		},
		decode: func(a *answer) (Page[ConnectedApp], error) {
			out, err := decodeAnswer[gen.SearchConnectedAppsResponse](a)
			if err != nil {
				return Page[ConnectedApp]{}, err
			}
			return newPage(out.ConnectedApps, out.ResultsMetadata), nil
		},
	}
}
