package deliver_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A rotation delivers the new secret together with the previous one, and in the end the new one
// alone.
func ExampleFile() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "stytch.json")
	file := deliver.File(path)

	for _, d := range []rotate.Delivery{
		{ClientID: "m2m-client-test-1", Secret: secret.New("new"), Previous: secret.New("previous")},
		{ClientID: "m2m-client-test-1", Secret: secret.New("new")},
	} {
		if err := file.Deliver(context.Background(), d); err != nil {
			panic(err)
		}
		content, err := os.ReadFile(path) // what token.File reads
		if err != nil {
			panic(err)
		}
		fmt.Print(string(content))
	}
	// Output:
	// {"client_id":"m2m-client-test-1","client_secret":"new","previous_client_secret":"previous"}
	// {"client_id":"m2m-client-test-1","client_secret":"new"}
}

// A file belongs to the client that it names.
func ExampleFolder() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	folder := deliver.Folder(filepath.Join(dir, "clients"))
	d := rotate.Delivery{ClientID: "m2m-client-test-1", Secret: secret.New("new")}
	if err := folder.Deliver(context.Background(), d); err != nil {
		panic(err)
	}
	held, err := folder.Read(context.Background(), "m2m-client-test-1")
	if err != nil {
		panic(err)
	}
	fmt.Println(held.ClientID, held.Secret, held.Secret.Reveal())
	// Output: m2m-client-test-1 [REDACTED] new
}

// A program reads JSON; its exit code says whether it succeeded.
func ExampleExec() {
	program := deliver.Exec("sh", "-c", `cat >/dev/null; echo "the disk is full" >&2; exit 3`)
	err := program.Deliver(context.Background(), rotate.Delivery{ClientID: "m2m-client-test-1", Secret: secret.New("new")})
	fmt.Println(err)
	// Output: deliver: program "sh": exit status 3; its last output was "the disk is full"
}

func ExampleVault() {
	vault, err := deliver.Vault(deliver.VaultConfig{
		Address: "https://vault.internal:8200",
		Mount:   "secret",
		Path:    func(clientID string) string { return "stytch/" + clientID },
		Token:   deliver.TokenFile("/run/vault/token"),
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(vault)
	// Output: deliver.Vault(vault.internal:8200, secret)
}

func ExampleKubernetes() {
	kubernetes, err := deliver.Kubernetes(deliver.KubernetesConfig{ // in a pod: cfg, err := deliver.InCluster()
		Address:    "https://10.96.0.1",
		Namespace:  "payments",
		Token:      deliver.TokenFile("/var/run/secrets/kubernetes.io/serviceaccount/token"),
		SecretName: func(string) string { return "stytch-credentials" },
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(kubernetes)
	// Output: deliver.Kubernetes(10.96.0.1, payments)
}
