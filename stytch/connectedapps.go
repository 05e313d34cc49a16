package stytch

import (
	"context"
	"iter"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/secret"
)

// ConnectedApps manages Connected Apps. It is safe for concurrent use.
type ConnectedApps struct {
	Secrets *Secrets // rotation of the secrets of confidential apps; public ones are ErrNoSecret

	sender *sender
}

func newConnectedApps(s *sender) *ConnectedApps {
	return &ConnectedApps{Secrets: connectedAppSecrets(s), sender: s}
}

// Create creates an app. Apps of a confidential type get a secret, which is never shown again. A
// lost response is [ErrOutcomeUnknown], because repeating the request could create a second app. An
// app that is returned with an [ErrInvalidResponse] exists; see M2M.Create.
func (c *ConnectedApps) Create(ctx context.Context, r ConnectedAppCreate) (*ConnectedAppWithSecret, error) {
	if r.ClientType == "" {
		return nil, invalid(operation.CreateConnectedApp.ID, "ClientType must not be empty")
	}
	confidential := r.ClientType == FirstParty || r.ClientType == ThirdParty
	hasSecret := func(out *gen.CreateConnectedAppResponse) bool {
		return !confidential || !out.ConnectedApp.ClientSecret.IsZero()
	}
	resp, err := c.sender.api.CreateConnectedApp(ctx, r)
	out, err := decodeSecret(resp, err, func(out *gen.CreateConnectedAppResponse) (*string, *secret.String) {
		return &out.ConnectedApp.ClientID, &out.ConnectedApp.ClientSecret
	}, hasSecret)
	if out == nil {
		return nil, err
	}
	return &out.ConnectedApp, err
}

// Get reads an app. If the project has no app with this id, the error is [ErrNotFound].
// A field of another type is treated as in M2M.Get.
func (c *ConnectedApps) Get(ctx context.Context, clientID string) (*ConnectedApp, error) {
	if err := checkClientID(operation.GetConnectedApp, clientID); err != nil {
		return nil, err
	}
	out, err := decode[gen.GetConnectedAppResponse](c.sender.api.GetConnectedApp(ctx, clientID))
	if out == nil {
		return nil, err
	}
	return &out.ConnectedApp, err
}

// Update changes the fields that u sets and returns the app as it is afterwards. It is safe to
// repeat: of two concurrent updates, the last one wins. The type and the status of an app cannot be
// changed.
func (c *ConnectedApps) Update(ctx context.Context, clientID string, u ConnectedAppUpdate) (*ConnectedApp, error) {
	if err := checkClientID(operation.UpdateConnectedApp, clientID); err != nil {
		return nil, err
	}
	out, err := decode[gen.UpdateConnectedAppResponse](c.sender.api.UpdateConnectedApp(ctx, clientID, u))
	if out == nil {
		return nil, err
	}
	return &out.ConnectedApp, err
}

// Delete removes an app for good. An app that does not exist is [ErrNotFound], unless an earlier
// attempt of the same call may have removed it: then Delete succeeds.
func (c *ConnectedApps) Delete(ctx context.Context, clientID string) error {
	if err := checkClientID(operation.DeleteConnectedApp, clientID); err != nil {
		return err
	}
	_, err := decode[gen.DeleteConnectedAppResponse](c.sender.api.DeleteConnectedApp(ctx, clientID))
	return deleted(err)
}

// SearchPage reads one page: the first one, or the one of s.Cursor. It ignores Prefetch and OnPage.
func (c *ConnectedApps) SearchPage(ctx context.Context, s ConnectedAppSearch) (*Page[ConnectedApp], error) {
	return c.search(s).page(ctx)
}

// Search returns all apps, and reads page by page as they are used. It sends nothing until the loop
// starts, and stops after the first error. Each loop over the result searches again.
func (c *ConnectedApps) Search(ctx context.Context, s ConnectedAppSearch) iter.Seq2[ConnectedApp, error] {
	return c.search(s).all(ctx)
}

func (c *ConnectedApps) search(s ConnectedAppSearch) search[ConnectedApp] {
	return search[ConnectedApp]{
		op: operation.SearchConnectedApps, cursor: s.Cursor, limit: s.Limit, prefetch: s.Prefetch, onPage: s.OnPage,
		redactor: c.sender.redactor,
		fetch: func(ctx context.Context, cursor string) (*response, error) {
			return asResponse(c.sender.api.SearchConnectedApps(ctx, gen.SearchConnectedAppsRequest{Cursor: cursor, Limit: int32(s.Limit)}))
		},
		decode: func(r *response) (Page[ConnectedApp], error) {
			out, err := decodeOpen[gen.SearchConnectedAppsResponse](r)
			if out == nil {
				return Page[ConnectedApp]{}, err
			}
			return newPage(out.ConnectedApps, out.ResultsMetadata), err
		},
	}
}
