package gen_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/oapi-codegen/nullable"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch/emulator"
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

// client is a generated client for a local Stytch, with the credentials of its project.
func client(options ...emulator.Option) (c *gen.ClientWithResponses, stop func()) {
	local, err := emulator.Start(options...)
	if err != nil {
		log.Fatal(err)
	}
	c, err = gen.NewClientWithResponses(local.URL, gen.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(local.Credentials())
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	return c, func() { _ = local.Close() }
}

// In an update, a field can be left out, have a value, or be null.
func ExampleUpdateM2MClientRequest() {
	stytch, stop := client(emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: "billing", Name: "Billing", Description: "old", Scopes: []string{"write:invoices"},
	}))
	defer stop()

	result, err := stytch.UpdateM2MClientWithResponse(context.Background(), "billing", gen.UpdateM2MClientRequest{
		ClientDescription: nullable.NewNullNullable[string](),
		Scopes:            nullable.NewNullableWithValue([]string{"read:invoices"}),
	})
	if err != nil {
		log.Fatal(err)
	}
	if result.JSON200 == nil {
		log.Fatal(result.Status())
	}
	changed := result.JSON200.M2MClient
	fmt.Printf("%q %q %v\n", changed.ClientName, changed.ClientDescription, changed.Scopes)
	// Output: "Billing" "" [read:invoices]
}

// Every documented status has a field of its own, and an error that is not JSON has none.
func ExampleClientWithResponses_errors() {
	stytch, stop := client(emulator.WithFaults(emulator.HTML("GetM2MClient", 502).Times(1)))
	defer stop()

	for range 2 {
		result, err := stytch.GetM2MClientWithResponse(context.Background(), "gone")
		switch {
		case err != nil:
			log.Fatal(err)
		case result.JSON404 != nil:
			fmt.Println(result.StatusCode(), result.JSON404.ErrorType)
		default:
			fmt.Println(result.StatusCode(), result.HTTPResponse.Header.Get("Content-Type"))
		}
	}
	// Output:
	// 502 text/html; charset=utf-8
	// 404 m2m_client_not_found
}

// A search returns one page, and the cursor of the next one.
func ExampleClientWithResponses_search() {
	stytch, stop := client(emulator.WithM2MClients(3, func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{ClientID: fmt.Sprint("worker-", i), Scopes: []string{"read:users"}}
	}))
	defer stop()

	request := gen.SearchM2MClientsRequest{Limit: 2}
	for {
		result, err := stytch.SearchM2MClientsWithResponse(context.Background(), request)
		if err != nil {
			log.Fatal(err)
		}
		if result.JSON200 == nil {
			log.Fatal(result.Status())
		}
		for _, found := range result.JSON200.M2MClients {
			fmt.Println(found.ClientID)
		}
		fmt.Println("of", result.JSON200.ResultsMetadata.Total)
		next := result.JSON200.ResultsMetadata.NextCursor
		if next == nil || *next == "" {
			return
		}
		request.Cursor = *next
	}
	// Output:
	// worker-0
	// worker-1
	// of 3
	// worker-2
	// of 3
}
