package inventory

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A Project is where clients and apps are.
type Project struct{ api *stytch.Client }

// In is the project of an API client.
func In(api *stytch.Client) Project { return Project{api} }

// ID is the id of the project.
func (p Project) ID() string { return p.api.ProjectID() }

// NewID is an id of the form that Stytch gives to M2M clients, so that package verify accepts the
// tokens of the client. With an id of its own, a client is found again after a lost response.
func (p Project) NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("m2m-client-%s-%x-%x-%x-%x-%x", project.Environment(p.ID()), b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Made is a new client or app.
type Made struct {
	Object
	Secret secret.String // zero for public apps
}

// ID is the id of the new one.
func (m Made) ID() string { return m.Text(fieldID) }

// Create creates what an entry describes. If the error comes with a result, the client or app
// exists and its secret is valid, but something was not as it should be.
func (p Project) Create(ctx context.Context, e Entry) (*Made, error) {
	request := Object{}
	for name, value := range e.Fields {
		if !slices.Contains(e.Kind.late, name) {
			request[name] = value
		}
	}
	if meta, ok := request[fieldMeta]; ok { // a null removes a key, and there is none
		request.Set(fieldMeta, mergeInto(nil, meta))
	}
	made, err := e.Kind.backend(p.api).create(ctx, request, e.ID, e.Secret)
	if made == nil || err != nil {
		return made, err
	}
	late := Entry{Kind: e.Kind, Fields: Object{}}
	for _, name := range e.Kind.late {
		if value, ok := e.Fields[name]; ok {
			late.Fields[name] = value
		}
	}
	changes := late.Compare(made.Object)
	if len(changes) == 0 {
		return made, nil
	}
	updated, err := p.Update(ctx, e.Kind, made.ID(), changes)
	if err != nil {
		return made, fmt.Errorf("it was created, but its %s could not be set: %w", changes[0].Field, err)
	}
	made.Object = updated
	return made, nil
}

// Get reads one.
func (p Project) Get(ctx context.Context, k *Kind, id string) (Object, error) {
	return k.backend(p.api).get(ctx, id)
}

// Update makes changes that [Entry.Compare] found.
func (p Project) Update(ctx context.Context, k *Kind, id string, changes []Change) (Object, error) {
	return k.backend(p.api).update(ctx, id, updateOf(changes))
}

// Merge sends the fields of an update as they are: metadata is merged into what is there.
func (p Project) Merge(ctx context.Context, k *Kind, id string, fields Object) (Object, error) {
	return k.backend(p.api).update(ctx, id, fields)
}

// Delete removes one for good.
func (p Project) Delete(ctx context.Context, k *Kind, id string) error {
	return k.backend(p.api).remove(ctx, id)
}

// All are all clients or apps of the project.
func (p Project) All(ctx context.Context, k *Kind) iter.Seq2[Object, error] {
	return k.backend(p.api).all(ctx)
}

// backend is the API for one kind, with fields instead of models.
type backend interface {
	create(ctx context.Context, fields Object, id string, chosen secret.String) (*Made, error)
	get(ctx context.Context, id string) (Object, error)
	update(ctx context.Context, id string, fields Object) (Object, error)
	remove(ctx context.Context, id string) error
	all(ctx context.Context) iter.Seq2[Object, error]
}

// pageSize is the largest page of a search.
const pageSize = 1000

type m2mBackend struct{ api *stytch.M2M }

func (b m2mBackend) create(ctx context.Context, fields Object, id string, chosen secret.String) (*Made, error) {
	var request stytch.M2MCreate
	if err := convert(fields, &request); err != nil {
		return nil, err
	}
	request.ClientID, request.ClientSecret = id, secret.Outgoing(chosen)
	created, err := b.api.Create(ctx, request)
	if created == nil {
		return nil, err
	}
	return made(created, created.ClientSecret, err)
}

func (b m2mBackend) get(ctx context.Context, id string) (Object, error) {
	client, err := b.api.Get(ctx, id)
	return object(client, err)
}

func (b m2mBackend) update(ctx context.Context, id string, fields Object) (Object, error) {
	var request stytch.M2MUpdate
	if err := convert(fields, &request); err != nil {
		return nil, err
	}
	client, err := b.api.Update(ctx, id, request)
	return object(client, err)
}

func (b m2mBackend) remove(ctx context.Context, id string) error { return b.api.Delete(ctx, id) }

func (b m2mBackend) all(ctx context.Context) iter.Seq2[Object, error] {
	return objects(b.api.Search(ctx, stytch.M2MSearch{Limit: pageSize, Prefetch: true}))
}

type appBackend struct{ api *stytch.ConnectedApps }

func (b appBackend) create(ctx context.Context, fields Object, _ string, _ secret.String) (*Made, error) {
	var request stytch.ConnectedAppCreate
	if err := convert(fields, &request); err != nil {
		return nil, err
	}
	created, err := b.api.Create(ctx, request)
	if created == nil {
		return nil, err
	}
	return made(created, created.ClientSecret, err)
}

func (b appBackend) get(ctx context.Context, id string) (Object, error) {
	app, err := b.api.Get(ctx, id)
	return object(app, err)
}

func (b appBackend) update(ctx context.Context, id string, fields Object) (Object, error) {
	var request stytch.ConnectedAppUpdate
	if err := convert(fields, &request); err != nil {
		return nil, err
	}
	app, err := b.api.Update(ctx, id, request)
	return object(app, err)
}

func (b appBackend) remove(ctx context.Context, id string) error { return b.api.Delete(ctx, id) }

func (b appBackend) all(ctx context.Context) iter.Seq2[Object, error] {
	return objects(b.api.Search(ctx, stytch.ConnectedAppSearch{Limit: pageSize, Prefetch: true}))
}

// convert turns fields into a request.
func convert(fields Object, request any) error {
	text, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(text, request)
	}
	return err
}

// object turns a response into fields.
func object[T any](response *T, err error) (Object, error) {
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(response)
	if err != nil {
		return nil, err
	}
	fields := Object{}
	return fields, json.Unmarshal(text, &fields)
}

// made is object for a response with a secret, which is not among the fields.
func made[T any](response *T, s secret.String, responseErr error) (*Made, error) {
	fields, err := object(response, nil)
	if err != nil {
		return nil, err
	}
	delete(fields, fieldSecret)
	return &Made{fields, s}, responseErr
}

func objects[T any](all iter.Seq2[T, error]) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for item, err := range all {
			fields, err := object(&item, err)
			if !yield(fields, err) || err != nil {
				return
			}
		}
	}
}
