package gen_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/stytchkit/m2m/gen"
)

// The generated client on its own. A request editor authenticates; the result has a field for each
// status of the contract.
func Example() {
	stytch := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if id, _, _ := r.BasicAuth(); id != "project-test-1" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"status_code":401,"error_type":"unauthorized_credentials"}`)
			return
		}
		fmt.Fprint(w, `{"status_code":200,"m2m_client":{"client_id":"billing","client_secret":"shown-this-once","scopes":["write:invoices"],"status":"active"}}`)
	}))
	defer stytch.Close()

	authenticate := func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth("project-test-1", "secret-test-1") // for example from the environment
		return nil
	}
	client, err := gen.NewClientWithResponses(stytch.URL, gen.WithRequestEditorFn(authenticate))
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.CreateM2MClientWithResponse(context.Background(), gen.CreateM2MClientRequest{Scopes: []string{"write:invoices"}})
	if err != nil {
		log.Fatal(err)
	}
	if result.JSON200 == nil { // one of JSON400, JSON401, ... is set, or none if the body is not JSON
		log.Fatal(result.Status())
	}
	made := result.JSON200.M2MClient
	fmt.Println(made.ClientID, made.Status, made.Scopes, made.ClientSecret, len(made.ClientSecret.Reveal()))
	// Output: billing active [write:invoices] [REDACTED] 15
}
