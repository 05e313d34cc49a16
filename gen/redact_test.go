package gen_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestResultsPrintNoBody prints results whose body holds a secret.
func TestResultsPrintNoBody(t *testing.T) {
	canary := secret.Generate().Reveal()
	body := []byte(`{"client_secret":"` + canary + `"}`)
	response := &http.Response{Status: "200 OK", StatusCode: http.StatusOK}
	for _, result := range []any{
		gen.CreateM2MClientResult{Body: body, HTTPResponse: response},
		gen.CreateConnectedAppResult{Body: body, HTTPResponse: response},
		gen.StartM2MClientSecretRotationResult{Body: body, HTTPResponse: response},
		gen.StartConnectedAppSecretRotationResult{Body: body, HTTPResponse: response},
		gen.IssueM2MTokenResult{Body: body, HTTPResponse: response},
	} {
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("", "result", result, "inside", struct{ R any }{result})
		slog.New(slog.NewTextHandler(&log, nil)).Info("", "result", result, "inside", struct{ R any }{result})
		encoded, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		printed := fmt.Sprintf("%v %+v %#v %s %q %x %d", result, result, result, result, result, result, result) + log.String() + string(encoded)
		if strings.Contains(printed, canary) || strings.Contains(printed, fmt.Sprintf("%x", canary)) || strings.Contains(printed, strings.Trim(fmt.Sprint(body), "[]")) {
			t.Errorf("%T prints its body", result)
		}
		if !strings.Contains(printed, "Result(200 OK)") {
			t.Errorf("%T does not print its status", result)
		}
	}
}
