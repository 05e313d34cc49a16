package secret_test

import (
	"encoding/json"
	"fmt"

	"github.com/stytchkit/m2m/stytch/secret"
)

func ExampleString() {
	var answer struct {
		ClientID     string        `json:"client_id"`
		ClientSecret secret.String `json:"client_secret"`
	}
	body := `{"client_id":"m2m-client-test-1", "client_secret":"only-shown-once"}`
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		panic(err)
	}
	fmt.Printf("%+v\n", answer)
	fmt.Println(answer.ClientSecret.Reveal())
	// Output:
	// {ClientID:m2m-client-test-1 ClientSecret:[REDACTED]}
	// only-shown-once
}

func ExampleOutgoing() {
	chosen := secret.New("a-secret-of-our-own") // or secret.Generate()
	request := struct {
		ClientSecret secret.Outgoing `json:"client_secret,omitzero"`
	}{secret.Outgoing(chosen)}

	body, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(body))
	fmt.Println(request)
	// Output:
	// {"client_secret":"a-secret-of-our-own"}
	// {[REDACTED]}
}
