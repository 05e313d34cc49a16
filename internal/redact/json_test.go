package redact

import (
	"encoding/json"
	"testing"
)

func TestJSON(t *testing.T) {
	const p = `"[REDACTED]"`
	for _, c := range []struct{ secret, value, want string }{
		{"canary-01234567", ``, ``},
		{"canary-01234567", `null`, `null`},
		{"canary-01234567", `{"a": [1.50, "b", true]}`, `{"a": [1.50, "b", true]}`},
		{"canary-01234567", `{"a" : "x canary-01234567 y", "b":1}`, `{"a" : "x [REDACTED] y", "b":1}`},
		{"canary-01234567", `{"a":"\u0063anary-\u0030\u0031\u0032\u0033\u0034\u0035\u0036\u0037"}`, `{"a":` + p + `}`},
		{"canary-01234567", `{"canary-01234567":1}`, `{` + p + `:1}`},
		{"canary-01234567", `{"a":"{\"b\":\"canary-01234567\"}"}`, `{"a":"{\"b\":\"[REDACTED]\"}"}`},
		{`q"u\o/t<e>s`, `["q\"u\\o\/t\u003ce>s","\"","\\"]`, `[` + p + `,"\"","\\"]`},
		{"0123456789", `{"a":10123456789}`, p},
		{"0123456789", `{"a":`, p},
		{"0123456789", `not JSON`, p},
	} {
		got := New(c.secret).JSON(json.RawMessage(c.value))
		if string(got) != c.want {
			t.Errorf("%s becomes %s, want %s", c.value, got, c.want)
		}
	}
	if got := New().JSON(json.RawMessage(`not JSON`)); string(got) != "not JSON" {
		t.Errorf("without secrets: %s", got)
	}
}
