package fastjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/gen"
)

const client = `{"client_description":"Charges cards at night","client_id":"m2m-client-test-1","client_name":"Billing","client_secret_last_four":"DzJj","next_client_secret_last_four":null,"scopes":["read:users","write:users"],"status":"active","trusted_metadata":{"tier":2,"a":[1,{"b":"}"}]}}`

func page(clients ...string) string {
	return `{"m2m_clients":[` + strings.Join(clients, ",") + `],"request_id":"r","results_metadata":{"next_cursor":"c","total":3},"status_code":200}`
}

// pages are texts on both sides of what is plain.
var pages = []string{
	page(), page(client), page(client, client, client),
	strings.ReplaceAll(page(client, client), ",", " ,\n\t"),
	strings.ReplaceAll(page(client), ":", " : "),
	page(strings.Replace(client, "Billing", `B\u00e9\n"`, 1)), page(strings.Replace(client, "Billing", `B\u00e9\n\"é`, 1)),
	page(strings.Replace(client, "Billing", "é\xff", 1)), page(strings.Replace(client, "Billing", "a\nb", 1)),
	page(strings.Replace(client, "client_name", "CLIENT_NAME", 1)), page(strings.Replace(client, "client_name", "client_\\u006eame", 1)),
	page(strings.Replace(client, "client_name", "client_id", 1)), page(strings.Replace(client, `"client_name":"Billing"`, `"new":{"a":[1,"]"]},"client_name":null`, 1)),
	page(strings.Replace(client, `"new":`, ``, 1)), page(strings.Replace(client, `["read:users","write:users"]`, `null`, 1)),
	page(strings.Replace(client, `["read:users","write:users"]`, `[]`, 1)), page(strings.Replace(client, `["read:users","write:users"]`, `[1]`, 1)),
	page(strings.Replace(client, `["read:users","write:users"]`, `["a",null,"b"]`, 1)),
	page(strings.Replace(client, `{"tier":2,"a":[1,{"b":"}"}]}`, `null`, 1)), page(strings.Replace(client, `{"tier":2,"a":[1,{"b":"}"}]}`, `[]`, 1)),
	page(strings.Replace(client, `{"tier":2,`, `{"tier":02,`, 1)), page(strings.Replace(client, `{"tier":2,`, `{"tier"2,`, 1)),
	page(strings.Replace(client, `null`, `"abcd"`, 1)), page(strings.Replace(client, `null`, `nul`, 1)), page(`null`), page(`1`), page(client + "]"),
	strings.Replace(page(), `3}`, `-1}`, 1), strings.Replace(page(), `3}`, `01}`, 1), strings.Replace(page(), `3}`, `1e2}`, 1), strings.Replace(page(), `3}`, `1.0}`, 1),
	strings.Replace(page(), `3}`, `12345678901}`, 1), strings.Replace(page(), `3}`, `-0}`, 1), strings.Replace(page(), `3}`, `-}`, 1), strings.Replace(page(), `3}`, `2147483648}`, 1),
	// encoding/json decodes a second list into the items of the first one, whose other fields stay.
	`{"m2m_clients":[` + client + `],"m2m_clients":[{"client_id":"second"}],"status_code":200}`,
	`{"results_metadata":{"next_cursor":"c","total":3},"results_metadata":{"total":4}}`,
	`{}`, `null`, `[]`, ``, ` `, `{`, `{"`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{,}`, `{"m2m_clients":[`, `{"m2m_clients":[{}`, `{"m2m_clients":[{},]}`, page(client) + `x`, page(client) + ` `,
	`{"m2m_clients":{}}`, `{"status_code":"200"}`, `{"status_code":true}`, `{"request_id":"\ud800"}`, `{"request_id":"a\`, `{"x":"\`, "\ufeff{}",
}

func compare(t *testing.T, data []byte) {
	t.Helper()
	var got, want gen.SearchM2MClientsResponse
	gotErr, wantErr := Unmarshal(data, &got), json.Unmarshal(data, &want)
	if (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
		t.Fatalf("%q: error %v, want %v", data, gotErr, wantErr)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q:\n got %+v\nwant %+v", data, got, want)
	}
	var app, wantApp gen.GetConnectedAppResponse
	if gotErr, wantErr = Unmarshal(data, &app), json.Unmarshal(data, &wantApp); (gotErr == nil) != (wantErr == nil) || !reflect.DeepEqual(app, wantApp) {
		t.Fatalf("%q as another type: error %v, want %v", data, gotErr, wantErr)
	}
}

func TestSameAsEncodingJSON(t *testing.T) {
	for _, text := range pages {
		compare(t, []byte(text))
	}
}

// TestFastPath makes sure that the usual responses take it.
func TestFastPath(t *testing.T) {
	for _, text := range pages[:5] {
		var response gen.SearchM2MClientsResponse
		d := decoder{lexer{data: []byte(text)}}
		if !d.value(reflect.ValueOf(&response).Elem(), planOf(reflect.TypeFor[gen.SearchM2MClientsResponse]())) || !d.end() {
			t.Errorf("not fast: %s", text)
		}
	}
	for _, v := range []any{gen.SearchConnectedAppsResponse{}, gen.GetM2MClientResponse{}, gen.GetConnectedAppResponse{}, gen.JWKSResponse{}} {
		if planOf(reflect.TypeOf(v)).kind != reflect.Struct {
			t.Errorf("%T has no plan", v)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, text := range pages {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) { compare(t, data) })
}

func BenchmarkPage(b *testing.B) {
	text := []byte(page(strings.Split(strings.Repeat(client+"\n", 999)+client, "\n")...))
	for _, c := range []struct {
		name      string
		unmarshal func([]byte, any) error
	}{{"fastjson", Unmarshal}, {"encoding-json", json.Unmarshal}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var response gen.SearchM2MClientsResponse
				if err := c.unmarshal(text, &response); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
