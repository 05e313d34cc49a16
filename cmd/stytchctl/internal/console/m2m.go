package console

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

var m2mClients = &kind{
	path: "clients", section: "clients", one: "M2M client", many: "M2M clients", scopes: true,
	lead:   "Machine identities: a client id, a secret, and the scopes that its tokens may have.",
	filter: "A whole client id, a whole name or one scope, as the API finds them.",
	page:   m2mPage, get: m2mGet, create: m2mCreate, update: m2mUpdate, blank: m2mBlank, filled: m2mFilled,
	remove:  func(ctx context.Context, api *stytch.Client, id string) error { return api.M2M.Delete(ctx, id) },
	secrets: func(api *stytch.Client) *stytch.Secrets { return api.M2M.Secrets },
}

func m2mPage(ctx context.Context, api *stytch.Client, q listQuery) (listPage, error) {
	search := stytch.M2MSearch{Cursor: q.Cursor, Limit: pageSize}
	if q.Filter != "" {
		search.Filter = stytch.Any(stytch.ClientIDIn(q.Filter), stytch.ClientNameIn(q.Filter), stytch.HasScope(q.Filter))
	}
	found, err := api.M2M.SearchPage(ctx, search)
	if err != nil {
		return listPage{}, err
	}
	p := listPage{Next: found.Next, Total: found.Total}
	for _, item := range found.Items {
		p.Clients = append(p.Clients, fromM2M(item))
	}
	return p, nil
}

func m2mGet(ctx context.Context, api *stytch.Client, id string) (client, error) {
	found, err := api.M2M.Get(ctx, id)
	if err != nil {
		return client{}, err
	}
	return fromM2M(*found), nil
}

func fromM2M(m stytch.M2MClient) client {
	c := client{
		ID: m.ClientID, Name: m.ClientName, Description: m.ClientDescription, Status: string(m.Status), Scopes: m.Scopes,
		Current: m.ClientSecretLastFour, Confidential: true, Metadata: indented(m.TrustedMetadata),
	}
	if m.NextClientSecretLastFour != nil {
		c.Next = *m.NextClientSecretLastFour
	}
	return c
}

func indented(o stytch.Metadata) string {
	if o.IsZero() || o.String() == "{}" {
		return "{}"
	}
	values, err := o.Map()
	if err != nil {
		return o.String()
	}
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return o.String()
	}
	return string(text)
}

func m2mBlank() form { return newForm("trusted_metadata", "{}") }

func m2mFilled(c client) form {
	return newForm("client_name", c.Name, "client_description", c.Description, "scopes", strings.Join(c.Scopes, "\n"),
		"trusted_metadata", c.Metadata, "status", c.Status)
}

// metadataOf reads the metadata of a form.
func metadataOf(f *form) (stytch.Metadata, map[string]any) {
	text := strings.TrimSpace(f.Value("trusted_metadata"))
	if text == "" {
		text = "{}"
	}
	object, err := stytch.NewMetadata(json.RawMessage(text))
	if err != nil {
		f.fail("trusted_metadata", `Enter a JSON object, such as {"team": "billing"}.`)
		return nil, nil
	}
	values, err := object.Map()
	if err != nil {
		f.fail("trusted_metadata", `Enter a JSON object, such as {"team": "billing"}.`)
		return nil, nil
	}
	return object, values
}

func m2mCreate(ctx context.Context, api *stytch.Client, f *form) (string, secret.String, error) {
	object, _ := metadataOf(f)
	chosen := secret.New(f.Value("client_secret"))
	f.Values.Del("client_secret") // a form that is shown again does not repeat it
	if f.Failed() {
		return "", secret.String{}, nil
	}
	created, err := api.M2M.Create(ctx, stytch.M2MCreate{
		ClientID: strings.TrimSpace(f.Value("client_id")), ClientSecret: secret.Outgoing(chosen),
		ClientName: f.Value("client_name"), ClientDescription: f.Value("client_description"),
		Scopes: fieldsOf(f, "scopes"), TrustedMetadata: object,
	})
	if err != nil {
		return "", secret.String{}, err
	}
	return created.ClientID, created.ClientSecret, nil
}

func m2mUpdate(ctx context.Context, api *stytch.Client, old client, f *form) error {
	_, values := metadataOf(f)
	if f.Failed() {
		return nil
	}
	// Stytch merges metadata: what is no longer there has to be removed by name.
	before, err := stytch.NewMetadata(json.RawMessage(old.Metadata))
	if err != nil {
		return err
	}
	keys, err := before.Map()
	if err != nil {
		return err
	}
	for key := range keys {
		if _, kept := values[key]; !kept {
			values[key] = nil
		}
	}
	object, err := stytch.NewMetadata(values)
	if err != nil {
		return err
	}
	_, err = api.M2M.Update(ctx, old.ID, stytch.M2MUpdate{
		ClientName: stytch.Set(f.Value("client_name")), ClientDescription: stytch.Set(f.Value("client_description")),
		Scopes: stytch.Set(fieldsOf(f, "scopes")), Status: stytch.Set(stytch.M2MClientStatus(f.Value("status"))),
		TrustedMetadata: stytch.Set(object),
	})
	return err
}

// fieldsOf are the words of a field, none as an empty list.
func fieldsOf(f *form, name string) []string {
	return append([]string{}, strings.Fields(f.Value(name))...)
}
