package stytch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// setting is one way to set a field of an update, and what must appear on the wire because of it.
type setting struct {
	name  string
	value any
	wire  string
}

// settings of a field by its type. An update field of a type that is missing here fails the test:
// add its empty, nil and full values.
func settingsOf(field reflect.Type) []setting {
	for _, known := range [][]setting{
		{
			{"null", stytch.Clear[string](), `null`}, {"empty", stytch.Set(""), `""`},
			{"value", stytch.Set("ä\"<\u2028"), `"ä\"\u003c\u2028"`},
		},
		{
			{"null", stytch.Clear[bool](), `null`}, {"empty", stytch.Set(false), `false`}, {"value", stytch.Set(true), `true`},
		},
		{
			{"null", stytch.Clear[int32](), `null`}, {"empty", stytch.Set(int32(0)), `0`}, {"value", stytch.Set(int32(-1)), `-1`},
		},
		{
			{"null", stytch.Clear[stytch.M2MClientStatus](), `null`}, {"empty", stytch.Set(stytch.M2MClientStatus("")), `""`},
			{"value", stytch.Set(stytch.Inactive), `"inactive"`},
		},
		{
			{"null", stytch.Clear[[]string](), `null`}, {"empty", stytch.Set([]string{}), `[]`}, {"nil", stytch.Set([]string(nil)), `[]`},
			{"no items", stytch.List[string](), `[]`}, {"nil items", stytch.List([]string(nil)...), `[]`},
			{"value", stytch.List("b", "", "a"), `["b","","a"]`},
		},
		{
			{"null", stytch.Clear[stytch.Metadata](), `null`}, {"nil", stytch.Set[stytch.Metadata](nil), `{}`},
			{"zero length", stytch.Set(stytch.Metadata{}), `{}`}, {"empty", stytch.Set(stytch.Metadata(`{}`)), `{}`},
			{"value", stytch.Set(stytch.Metadata(`{"n":9007199254740993,"huge":1e400,"gone":null}`)), `{"n":9007199254740993,"huge":1e400,"gone":null}`},
		},
	} {
		if reflect.TypeOf(known[0].value) == field {
			return known
		}
	}
	return nil
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// TestUpdateOnTheWire sets every field of every update in every way, alone: that appears in the
// request, nothing else does.
func TestUpdateOnTheWire(t *testing.T) {
	type update struct {
		name string
		typ  reflect.Type
		send func(context.Context, *stytch.Client, reflect.Value) error
	}
	covered := map[*operation.Operation]bool{}
	for _, u := range []update{
		{"M2MUpdate", reflect.TypeFor[stytch.M2MUpdate](), func(ctx context.Context, c *stytch.Client, v reflect.Value) error {
			_, err := c.M2M.Update(ctx, "the-client", v.Interface().(stytch.M2MUpdate))
			return err
		}},
		{"ConnectedAppUpdate", reflect.TypeFor[stytch.ConnectedAppUpdate](), func(ctx context.Context, c *stytch.Client, v reflect.Value) error {
			_, err := c.ConnectedApps.Update(ctx, "the-client", v.Interface().(stytch.ConnectedAppUpdate))
			return err
		}},
	} {
		var sent []string
		client := clientInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			op, _ := operation.Match(r.Method, r.URL.EscapedPath())
			covered[op] = true
			body, _ := io.ReadAll(r.Body)
			sent = append(sent, r.Method+" "+string(body))
			writeJSON(w, 200, `{"status_code":200,"m2m_client":{},"connected_app":{}}`)
		})
		check := func(t *testing.T, value reflect.Value, want string) {
			sent = nil
			if err := u.send(t.Context(), client, value); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(sent, []string{"PUT " + want}) {
				t.Errorf("sent %q, want %s", sent, want)
			}
		}
		t.Run(u.name+"/nothing", func(t *testing.T) { check(t, reflect.New(u.typ).Elem(), `{}`) })

		everything := reflect.New(u.typ).Elem()
		var members []string
		for i := range u.typ.NumField() {
			field := u.typ.Field(i)
			settings := settingsOf(field.Type)
			if settings == nil {
				t.Errorf("%s.%s has the type %s: say in settingsOf what its empty values are", u.name, field.Name, field.Type)
				continue
			}
			for _, s := range settings {
				t.Run(u.name+"/"+field.Name+"/"+s.name, func(t *testing.T) {
					value := reflect.New(u.typ).Elem()
					value.Field(i).Set(reflect.ValueOf(s.value))
					check(t, value, fmt.Sprintf("{%q:%s}", jsonName(field), s.wire))
				})
				everything.Field(i).Set(reflect.ValueOf(s.value)) // the last one, a value
			}
			members = append(members, fmt.Sprintf("%q:%s", jsonName(field), settings[len(settings)-1].wire))
		}
		t.Run(u.name+"/everything", func(t *testing.T) { check(t, everything, "{"+strings.Join(members, ",")+"}") })
	}
	for _, op := range operation.All {
		if strings.HasPrefix(op.ID, "Update") && !covered[op] {
			t.Errorf("%s is in the contract and not covered: add its update to the list of this test", op.ID)
		}
	}
}

// Nothing that Set and List are given is changed.
func TestSetLeavesItsArgumentAlone(t *testing.T) {
	var none []string
	var absent stytch.Metadata
	stytch.Set(none)
	stytch.List(none...)
	stytch.Set(absent)
	if none != nil || absent != nil {
		t.Errorf("Set changed its argument: %v, %v", none, absent)
	}
	if m := stytch.Set(map[string]int(nil)).MustGet(); m == nil {
		t.Error("a nil map was not made empty")
	}
}

// TestMetadataSurvives sends metadata and reads it again; numbers that float64 cannot hold come
// back as they were.
func TestMetadataSurvives(t *testing.T) {
	const text = `{"big":9007199254740993,"huge":1e400,"one":1.0,"nested":{"list":[-0.0,null,"ä"]},"limit":-9223372036854775808}`
	client := clientInMemory(t, func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Metadata json.RawMessage `json:"trusted_metadata"`
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		writeJSON(w, 200, `{"status_code":200,"m2m_client":{"client_id":"a","client_secret":"not-a-real-one","trusted_metadata":`+string(request.Metadata)+`}}`)
	})
	meta, err := stytch.NewMetadata(json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	created, err := client.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"a"}, TrustedMetadata: meta})
	if err != nil {
		t.Fatal(err)
	}
	updated, err := client.M2M.Update(t.Context(), "a", stytch.M2MUpdate{TrustedMetadata: stytch.Set(created.TrustedMetadata)})
	if err != nil {
		t.Fatal(err)
	}
	if got := updated.TrustedMetadata.String(); got != text {
		t.Errorf("came back as %s", got)
	}

	// Into a type of the caller's, and through a map into a second update.
	var into struct {
		Big    int64
		Limit  int64
		Huge   json.Number
		Nested struct{ List []any }
	}
	if err := updated.TrustedMetadata.Decode(&into); err != nil || into.Big != 9007199254740993 || into.Limit != -1<<63 || into.Huge != "1e400" || into.Nested.List[0] != json.Number("-0.0") {
		t.Errorf("decoded %+v, %v", into, err)
	}
	values, err := updated.TrustedMetadata.Map()
	if err != nil {
		t.Fatal(err)
	}
	again, err := stytch.NewMetadata(values)
	if err != nil {
		t.Fatal(err)
	}
	third, err := client.M2M.Update(t.Context(), "a", stytch.M2MUpdate{TrustedMetadata: stytch.Set(again)})
	if err != nil || !third.TrustedMetadata.Equal(meta) {
		t.Errorf("came back as %s, %v", third.TrustedMetadata, err)
	}
}

// What is wrong with a request is said by field and rule, before anything is sent, and without the
// secret.
func TestBadRequestsAreNotSent(t *testing.T) {
	client := clientInMemory(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	own := func(text string) secret.Outgoing { return secret.Outgoing(secret.New(text)) }
	create := func(r stytch.M2MCreate) error { return must(client.M2M.Create(t.Context(), r)) }
	updateMetadata := func(m stytch.Metadata) error {
		return must(client.M2M.Update(t.Context(), "a", stytch.M2MUpdate{TrustedMetadata: stytch.Set(m)}))
	}
	scopes := []string{"a"}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"no scopes":              {create(stytch.M2MCreate{}), "CreateM2MClient: Scopes must not be empty"},
		"empty scopes":           {create(stytch.M2MCreate{Scopes: []string{}}), "CreateM2MClient: Scopes must not be empty"},
		"an empty scope":         {create(stytch.M2MCreate{Scopes: []string{"a", ""}}), "CreateM2MClient: Scopes must not contain an empty scope"},
		"bad id":                 {create(stytch.M2MCreate{Scopes: scopes, ClientID: "a/b"}), "CreateM2MClient: ClientID must not contain"},
		"short secret":           {create(stytch.M2MCreate{Scopes: scopes, ClientSecret: own("canary1")}), "CreateM2MClient: ClientSecret must have at least 8 characters"},
		"redacted secret":        {create(stytch.M2MCreate{Scopes: scopes, ClientSecret: own("canary" + secret.Placeholder)}), "CreateM2MClient: ClientSecret cannot be sent"},
		"secret of invalid text": {create(stytch.M2MCreate{Scopes: scopes, ClientSecret: own("canary\xff\xfe\xfd")}), "CreateM2MClient: ClientSecret cannot be sent"},
		"metadata, cut off":      {create(stytch.M2MCreate{Scopes: scopes, TrustedMetadata: stytch.Metadata(`{"canary":`)}), "CreateM2MClient: TrustedMetadata must be a JSON object"},
		"metadata, an array":     {create(stytch.M2MCreate{Scopes: scopes, TrustedMetadata: stytch.Metadata(`["canary"]`)}), "CreateM2MClient: TrustedMetadata must be a JSON object"},
		"update to no JSON":      {updateMetadata(stytch.Metadata(`{"canary"}`)), "UpdateM2MClient: TrustedMetadata must be a JSON object"},
		"update to an array":     {updateMetadata(stytch.Metadata(`[]`)), "UpdateM2MClient: TrustedMetadata must be a JSON object"},
		"no type":                {must(client.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{})), "CreateConnectedApp: ClientType must not be empty"},
	} {
		if !errors.Is(tt.err, stytch.ErrInvalidArgument) || !strings.Contains(tt.err.Error(), tt.want) || strings.Contains(tt.err.Error(), "canary") {
			t.Errorf("%s: got %v, want %q", name, tt.err, tt.want)
		}
	}
}
