package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/stytch"
)

// A record is the expected state of a client or an app.
type record struct {
	id            string
	fields        map[string]any // as on the wire, without nulls
	current, next string         // secrets; empty if there is none
}

// A family is one of the two kinds of clients: its methods and its records.
type family struct {
	createSchema, updateSchema string
	records                    []*record
	empty                      map[string]any // fields that were never set, and those that null has emptied
	tame                       func(request map[string]any, kind string)
	create                     func(ctx context.Context, request []byte) (id, secret string, err error)
	update                     func(ctx context.Context, id string, request []byte) (any, error)
	get                        func(ctx context.Context, id string) (any, error)
	remove                     func(ctx context.Context, id string) error
	secrets                    *stytch.Secrets
}

func m2mFamily(api *stytch.Client, w *tamer) *family {
	return &family{
		createSchema: "CreateM2MClientRequest", updateSchema: "UpdateM2MClientRequest", secrets: api.M2M.Secrets, remove: api.M2M.Delete,
		empty: map[string]any{"client_name": "", "client_description": "", "scopes": []any{}, "trusted_metadata": map[string]any{}},
		tame:  func(request map[string]any, _ string) { w.m2m(request) },
		create: func(ctx context.Context, request []byte) (string, string, error) {
			var r stytch.M2MCreate
			if err := json.Unmarshal(request, &r); err != nil {
				return "", "", err
			}
			if len(r.Scopes) == 0 { // which the wrapper refuses to send
				r.Scopes = []string{"scope:0"}
			}
			created, err := api.M2M.Create(ctx, r)
			if err != nil {
				return "", "", err
			}
			return created.ClientID, created.ClientSecret.Reveal(), nil
		},
		update: func(ctx context.Context, id string, request []byte) (any, error) {
			var u stytch.M2MUpdate
			if err := json.Unmarshal(request, &u); err != nil {
				return nil, err
			}
			return api.M2M.Update(ctx, id, u)
		},
		get: func(ctx context.Context, id string) (any, error) { return api.M2M.Get(ctx, id) },
	}
}

func appFamily(api *stytch.Client, w *tamer) *family {
	return &family{
		createSchema: "CreateConnectedAppRequest", updateSchema: "UpdateConnectedAppRequest", secrets: api.ConnectedApps.Secrets, remove: api.ConnectedApps.Delete,
		empty: map[string]any{
			"client_name": "", "client_description": "", "redirect_urls": []any{}, "post_logout_redirect_urls": []any{}, "full_access_allowed": false,
			"bypass_consent_for_offline_access": false, "access_token_expiry_minutes": json.Number("60"), "access_token_template_content": "",
			"id_token_template_content": "", "access_token_custom_audience": "", "logo_url": "", "creation_method": "MANUAL",
		},
		tame: w.app,
		create: func(ctx context.Context, request []byte) (string, string, error) {
			var r stytch.ConnectedAppCreate
			if err := json.Unmarshal(request, &r); err != nil {
				return "", "", err
			}
			created, err := api.ConnectedApps.Create(ctx, r)
			if err != nil {
				return "", "", err
			}
			return created.ClientID, created.ClientSecret.Reveal(), nil
		},
		update: func(ctx context.Context, id string, request []byte) (any, error) {
			var u stytch.ConnectedAppUpdate
			if err := json.Unmarshal(request, &u); err != nil {
				return nil, err
			}
			return api.ConnectedApps.Update(ctx, id, u)
		},
		get: func(ctx context.Context, id string) (any, error) { return api.ConnectedApps.Get(ctx, id) },
	}
}

// random returns a valid, tamed request.
func (m *model) random(name string, fill contract.Fill, tame func(map[string]any)) map[string]any {
	request := contract.Random(m.rng, schema(m.t, name), fill).(map[string]any)
	tame(request)
	return request
}

// add creates a client or an app with a random request, and its record.
func (m *model) add(f *family) {
	request := m.random(f.createSchema, contract.Fill(m.rng.IntN(3)), func(r map[string]any) {
		kind, _ := r["client_type"].(string)
		f.tame(r, kind)
	})
	id, secret, err := f.create(m.t.Context(), encoded(request))
	if err != nil {
		m.t.Fatalf("%s with the fields %v: %v", f.createSchema, slices.Sorted(maps.Keys(request)), err)
	}
	r := &record{id: id, fields: maps.Clone(f.empty), current: secret}
	r.fields["client_id"], r.fields["status"] = id, "active"
	if f.createSchema == "CreateM2MClientRequest" && len(request["scopes"].([]any)) == 0 {
		request["scopes"] = []any{"scope:0"}
	}
	sent, _ := request["client_secret"].(string)
	if delete(request, "client_secret"); sent != "" && sent != secret || request["client_id"] != nil && request["client_id"] != id {
		m.t.Error("the id or the secret is not the one that was sent")
	}
	if !m.apply(f, r, request) {
		m.t.Error("a creation has set metadata beyond the limits")
	}
	f.records = append(f.records, r)
	m.check(f, r)
}

// change sends a random update. Fields that it does not contain must stay.
func (m *model) change(f *family, r *record) {
	kind, _ := r.fields["client_type"].(string)
	request := m.random(f.updateSchema, contract.Fill(m.rng.IntN(3)), func(u map[string]any) { f.tame(u, kind); m.aimAtKeys(r, u) })
	response, err := f.update(m.t.Context(), r.id, encoded(request))
	before := maps.Clone(r.fields)
	if !m.apply(f, r, request) {
		if r.fields = before; !errors.Is(err, stytch.ErrInvalidRequest) {
			m.t.Errorf("metadata beyond its limits: %v; want a refusal", err)
		}
	} else if err != nil {
		m.t.Errorf("%s with the fields %v: %v", f.updateSchema, slices.Sorted(maps.Keys(request)), err)
	} else {
		m.compare(f, r, response)
	}
	m.check(f, r)
}

// aimAtKeys has a change of metadata remove some keys that are there.
func (m *model) aimAtKeys(r *record, request map[string]any) {
	change, _ := request["trusted_metadata"].(map[string]any)
	if change == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(r.fields["trusted_metadata"].(map[string]any))) {
		if m.rng.IntN(3) == 0 {
			change[key] = nil
		}
	}
}

// apply does to the record what a request is documented to do, and null what the emulator assumes.
// It reports whether the metadata are within their limits.
func (m *model) apply(f *family, r *record, request map[string]any) bool {
	for name, value := range request {
		switch {
		case name == "trusted_metadata" && value != nil:
			merged := maps.Clone(r.fields[name].(map[string]any))
			maps.Copy(merged, value.(map[string]any))
			maps.DeleteFunc(merged, func(_ string, v any) bool { return v == nil })
			if len(merged) > 20 || len(encoded(merged)) > 4096 {
				return false
			}
			r.fields[name] = merged
		case value == nil && name == "status": // there is nothing to clear
		case value == nil:
			r.fields[name] = f.empty[name]
		default:
			r.fields[name] = value
		}
	}
	return true
}

// check reads the record from the server.
func (m *model) check(f *family, r *record) {
	m.t.Helper()
	response, err := f.get(m.t.Context(), r.id)
	if err != nil {
		m.t.Fatalf("get: %v", err)
	}
	m.compare(f, r, response)
}

func (m *model) compare(f *family, r *record, response any) {
	m.t.Helper()
	got, want := decoded(m.t, encoded(response)).(map[string]any), maps.Clone(r.fields)
	if want["client_secret_last_four"] = end(r.current); r.current == "" {
		delete(want, "client_secret_last_four")
	}
	if r.next != "" {
		want["next_client_secret_last_four"] = end(r.next)
	}
	for name, value := range want { // a pointer that is nil is left out, and for these "" is as good as none
		if value == "" && got[name] == nil {
			delete(want, name)
		}
	}
	if !reflect.DeepEqual(got, want) {
		for name := range maps.Keys(want) {
			if !reflect.DeepEqual(got[name], want[name]) {
				m.t.Errorf("%s is %.200q, and %.200q was sent; if the contract has gained it, serve it in stytch/emulator", name, fmt.Sprint(got[name]), fmt.Sprint(want[name]))
			}
		}
		m.t.Fatalf("the fields are %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func end(secret string) string { return secret[max(0, len(secret)-4):] }

// encoded writes JSON without the escapes for HTML, which do not count toward limits.
func encoded(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // decoded JSON can be encoded
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func decoded(tb testing.TB, data []byte) (v any) {
	tb.Helper()
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		tb.Fatal(err)
	}
	return v
}
