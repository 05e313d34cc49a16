package contract

import (
	cryptorand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
)

// canary stands for every secret: no violation may contain it. It looks neither like the name of a
// field nor like JSON.
var canary = "CANARY" + cryptorand.Text()

// violationOf sends a request that must be refused, and checks that the violation does not contain
// the canary.
func violationOf(t *testing.T, transport *Transport, req *http.Request) *Violation {
	t.Helper()
	resp, err := transport.RoundTrip(req)
	var v *Violation
	if !errors.As(err, &v) {
		t.Fatalf("err = %v, want a violation", err)
	}
	if resp != nil {
		t.Error("there is a response beside the violation")
	}
	noCanary(t, err)
	if all := transport.Violations(); len(all) == 0 || all[len(all)-1] != *v {
		t.Error("the violation is not listed")
	}
	return v
}

func noCanary(t *testing.T, v any) {
	t.Helper()
	data, _ := json.Marshal(v)
	if text := fmt.Sprintf("%v %+v %#v %s %s", v, v, v, v, data); strings.Contains(strings.ToUpper(text), canary) {
		t.Error("the violation quotes the message")
	}
}

// TestCanary puts the canary into every text of random messages, damages them, and checks the
// violations.
func TestCanary(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	violations, rounds := 0, heavy.Count(25, 100)
	for path, item := range load(t).Paths.Map() {
		path = strings.NewReplacer("{client_id}", canary, "{project_id}", canary).Replace(path)
		for method, op := range item.Operations() {
			for i := range rounds {
				response := Random(rng, op.Responses.Status(200).Value.Content["application/json"].Schema, Fill(i%3))
				s := &server{status: 200, header: asJSON, body: encode(t, Mutate(rng, infest(rng, response)))}
				transport := newTransport(t, s)
				transport.Strict, transport.AllowRequests = true, true
				violations += refused(t, transport, request(t, method, path, "", nil))
				if op.RequestBody == nil {
					continue
				}
				transport.AllowRequests = false
				for mime, media := range op.RequestBody.Value.Content {
					body := Mutate(rng, infest(rng, Random(rng, media.Schema, Fill(i%3))))
					text := string(encode(t, body))
					if fields, ok := body.(map[string]any); ok && mime == "application/x-www-form-urlencoded" {
						text = formOf(fields)
					}
					violations += refused(t, transport, request(t, method, path, text, func(r *http.Request) { r.Header.Set("Content-Type", mime) }))
				}
			}
		}
	}
	if violations < 10*rounds {
		t.Errorf("only %d violations", violations)
	}
}

func formOf(fields map[string]any) string {
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, fmt.Sprint(value))
	}
	return form.Encode()
}

// refused counts a violation and checks it.
func refused(t *testing.T, transport *Transport, req *http.Request) int {
	t.Helper()
	_, err := transport.RoundTrip(req)
	if err == nil {
		return 0
	}
	noCanary(t, err)
	noCanary(t, transport.Violations())
	if t.Failed() {
		t.FailNow()
	}
	return 1
}

// infest replaces every text, and some names, with the canary.
func infest(rng *rand.Rand, v any) any {
	switch v := v.(type) {
	case string:
		return canary
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = infest(rng, item)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			if rng.IntN(8) == 0 {
				name = canary
			}
			out[name] = infest(rng, member)
		}
		return out
	}
	return v
}

// TestViolationIsPlain keeps errors of the validator, which contain the whole message, out of the
// type.
func TestViolationIsPlain(t *testing.T) {
	v := reflect.TypeFor[Violation]()
	for i := range v.NumField() {
		if kind := v.Field(i).Type.Kind(); kind != reflect.String && kind != reflect.Int {
			t.Errorf("%s is a %v", v.Field(i).Name, kind)
		}
	}
	if errors.Unwrap(&Violation{}) != nil {
		t.Error("a violation wraps an error")
	}
}
