package fastjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// nextCursor is what a search needs of a page.
func nextCursor(body []byte) string {
	return FindString(Find(body, `"results_metadata"`), `"next_cursor"`)
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ body, requestID, cursor string }{
		{`{"request_id":"r","results_metadata":{"total":1,"next_cursor":"c"},"status_code":200}`, "r", "c"},
		{" {\n\"request_id\" :\t\"r\" , \"results_metadata\" : { \"next_cursor\" : \"c\" } } ", "r", "c"},
		{`{"request_id":"a\"b\\c\u0064","results_metadata":{"next_cursor":"\u00e9="}}`, `a"b\cd`, "é="},
		{`{"request\u005fid":"r","results_metad\u0061ta":{"next\u005fcursor":"c"}}`, "r", "c"},
		{`{"x":"\\","request_id":"r"}`, "r", ""},
		{`{"x":"\"request_id\":\"no\"","request_id":"r"}`, "r", ""},
		{`{"x":{"request_id":"no"},"y":["request_id",{"request_id":"no"}],"request_id":"r"}`, "r", ""},
		{`{"x":"request_id","request_id":"r"}`, "r", ""},
		{`{"results_metadata":null,"x":{"next_cursor":"no"}}`, "", ""},
		{`{"results_metadata":{},"x":{"next_cursor":"no"}}`, "", ""},
		{`{"results_metadata":[{"next_cursor":"no"}],"next_cursor":"no"}`, "", ""},
		{`{"results_metadata":"next_cursor","x":{"next_cursor":"no"}}`, "", ""},
		{`{"results_metadata":{"next_cursor":null},"next_cursor":"no"}`, "", ""},
		{`{"results_metadata":{"next_cursor":["no"]}}`, "", ""},
		{`{"Request_ID":"no"}`, "", ""},
		{`{"request_id":7}`, "", ""}, {`{"request_id":null}`, "", ""}, {`{"request_id":{}}`, "", ""},
		// broken further on, or from the beginning
		{`{"request_id":"r"`, "r", ""}, {`{"request_id":"r","x`, "r", ""}, {`{"request_id":"r"]]]]`, "r", ""}, {`{"request_id":"r`, "", ""},
		{`{"request_id":`, "", ""}, {`{"request_id"`, "", ""}, {`{"request_id`, "", ""}, {`{"request_id":"\`, "", ""}, {`{"request_id":"\u00`, "", ""},
		{``, "", ""}, {`null`, "", ""}, {`[{"request_id":"no"}]`, "", ""}, {`"request_id":"no"`, "", ""}, {`{}"request_id":"no"`, "", ""},
		{`{}{"request_id":"no"}`, "", ""}, {`}{"request_id":"no"}`, "", ""}, {`<html>{"request_id":"no"}`, "", ""},
	} {
		if got := FindString([]byte(c.body), `"request_id"`); got != c.requestID {
			t.Errorf("request id of %s: %q, want %q", c.body, got, c.requestID)
		}
		if got := nextCursor([]byte(c.body)); got != c.cursor {
			t.Errorf("cursor of %s: %q, want %q", c.body, got, c.cursor)
		}
	}
}

func TestUniqueKeys(t *testing.T) {
	for body, want := range map[string]bool{
		`{}`: true, `[]`: true, `null`: true, `"a"`: true, `1e400`: true, `{"a":1,"b":2}`: true, `[{"a":1},{"a":2}]`: true,
		`{"a":{"a":{"a":1}}}`: true, `{"a":1,"a":1}`: false, `{"a":1,"\u0061":2}`: false, `{"x":[{"a":1,"a":2}]}`: false,
		`{"x":{"y":{"z":{"a":1,"a":2}}}}`: false, `{"":1,"":2}`: false, `{"a":"a","b":"a"}`: true,
		`{"Secret":1,"secret":2}`: false, `{"c":{"Secret":1,"secret":2}}`: false, `{"c":{"m":{"Plan":1,"plan":2}}}`: true,
		"{\"c\":{\"\u212aey\":1,\"key\":2}}": false, "{\"\u017fecret\":1,\"secret\":2}": false, `[{"A":1,"a":2}]`: false, `[[{"A":1,"a":2}]]`: true,
	} {
		if err := UniqueKeys([]byte(body)); (err == nil) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
	deep := strings.Repeat(`{"a":`, 9_000) + `{"b":1,"b":2}` + strings.Repeat(`}`, 9_000)
	if err := UniqueKeys([]byte(deep)); !errors.Is(err, ErrDuplicateKey) {
		t.Errorf("9,000 levels down: %v", err)
	}
}

// oracleDuplicates finds an object with duplicate keys by another way: it decodes objects member by
// member.
func oracleDuplicates(t *testing.T, value json.RawMessage, depth int) bool {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber() // or it refuses numbers beyond float64
	token, err := decoder.Token()
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	var names []string
	for decoder.More() {
		if token == json.Delim('{') {
			name, err := decoder.Token()
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name.(string))
		}
		if token != json.Delim('{') && token != json.Delim('[') {
			break
		}
		var member json.RawMessage
		if err := decoder.Decode(&member); err != nil {
			t.Fatal(err)
		}
		if oracleDuplicates(t, member, depth+1) {
			return true
		}
	}
	for i, a := range names {
		for _, b := range names[:i] {
			if a == b || depth <= 2 && strings.EqualFold(a, b) {
				return true
			}
		}
	}
	return false
}

// FuzzFind: on a JSON object without duplicate keys, Find finds what encoding/json finds. On
// anything else it finds nothing outside of the body.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{
		`{"request_id":"r","results_metadata":{"total":1,"next_cursor":"c"}}`, `{"request\u005fid":"r"}`, `{"x":{"request_id":"no"},"request_id":"r"}`,
		`{"results_metadata":null,"x":{"next_cursor":"no"}}`, `{"results_metadata":[{"next_cursor":"no"}]}`, `{"x":"\\","request_id":"a\"b"}`,
		`{"a":1,"A":2}`, `{"a":{"b":[{"c":1,"c":2}]}}`, `{"request_id":"r"`, `[]`, `2e400`, "{\"\u212a\":1,\"k\":2}", "{\"request_id\":\"\xff\\ud800\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		id, cursor := FindString(body, `"request_id"`), nextCursor(body)
		for _, key := range []string{`"request_id"`, `"results_metadata"`, `"next_cursor"`} {
			if rest := Find(body, key); rest != nil && !bytes.HasSuffix(body, rest) {
				t.Fatalf("%s is found outside of the body", key)
			}
		}
		if !json.Valid(body) {
			return
		}
		duplicates := oracleDuplicates(t, body, 1)
		if err := UniqueKeys(body); (err != nil) != duplicates {
			t.Fatalf("UniqueKeys: %v, want a duplicate: %t", err, duplicates)
		}
		var top map[string]json.RawMessage
		if duplicates || json.NewDecoder(bytes.NewReader(body)).Decode(&top) != nil {
			return
		}
		var meta map[string]json.RawMessage
		_ = json.Unmarshal(top["results_metadata"], &meta)
		for name, pair := range map[string][2]string{"request id": {id, stringOf(top["request_id"])}, "cursor": {cursor, stringOf(meta["next_cursor"])}} {
			if pair[0] != pair[1] {
				t.Errorf("%s: %q, and %q by encoding/json", name, pair[0], pair[1])
			}
		}
	})
}

// stringOf decodes a string, or gives "".
func stringOf(value json.RawMessage) (text string) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	if err := decoder.Decode(&text); err != nil && err != io.EOF {
		return ""
	}
	return text
}
