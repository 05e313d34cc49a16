package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// A rotation whose first response is lost. In a test, emulatortest.NewServer replaces the first
// lines.
func Example() {
	e, err := emulator.New(
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "worker", Secret: "Correct-Horse-9", Scopes: []string{"read:users"}}),
		emulator.WithFaults(emulator.DropResponse("StartM2MClientSecretRotation").Times(1)))
	if err != nil {
		fmt.Println(err)
		return
	}
	s := httptest.NewServer(e)
	defer s.Close()

	call := func(method, path string) string {
		r, err := http.NewRequest(method, s.URL+"/v1/m2m/clients/worker"+path, strings.NewReader("{}"))
		if err != nil {
			return err.Error()
		}
		r.SetBasicAuth(e.Credentials())
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return "response lost"
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		switch {
		case strings.Contains(string(body), `"next_client_secret_last_four":null`):
			return fmt.Sprint(resp.StatusCode, ", one secret")
		case resp.StatusCode == http.StatusOK:
			return fmt.Sprint(resp.StatusCode, ", two secrets")
		}
		return fmt.Sprint(resp.StatusCode)
	}
	fmt.Println("start: ", call("POST", "/secrets/rotate/start"))
	fmt.Println("get:   ", call("GET", ""))
	fmt.Println("start: ", call("POST", "/secrets/rotate/start"))
	fmt.Println("cancel:", call("POST", "/secrets/rotate/cancel"))
	fmt.Println("start: ", call("POST", "/secrets/rotate/start"))
	for _, r := range e.Requests() {
		fmt.Println(r.Status, r.Operation)
	}
	// Output:
	// start:  response lost
	// get:    200, two secrets
	// start:  400
	// cancel: 200, one secret
	// start:  200, two secrets
	// 0 StartM2MClientSecretRotation
	// 200 GetM2MClient
	// 400 StartM2MClientSecretRotation
	// 200 CancelM2MClientSecretRotation
	// 200 StartM2MClientSecretRotation
}
