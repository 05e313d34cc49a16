package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

const clientID = "m2m-client-test-1"

func form(id string, s secret.String, more string) string {
	return `{"client_id": "` + id + `", "client_secret": "` + strings.ReplaceAll(s.Reveal(), `"`, `\"`) + `"` + more + `}`
}

func put(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// bench is a deliverer, and how to look at its place.
type bench struct {
	rotate.Deliverer
	read    func(clientID string) (rotate.Delivery, error)
	version func(clientID string) string // of the place; nil if it has none
	one     bool                         // for one client only
}

func benches(t *testing.T) map[string]bench {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "all"), 0o700); err != nil {
		t.Fatal(err)
	}
	file, folder := deliver.File(filepath.Join(dir, "one.json")), deliver.Folder(filepath.Join(dir, "all"))
	programs := t.TempDir()
	program := runs("store", "DELIVER_TEST_DIR="+programs)
	v, a, shared := newVaultServer(t), newAPIServer(t), newAPIServer(t)
	vault, kubernetes := v.deliverer(t, nil), a.deliverer(t, nil)
	sharing := shared.deliverer(t, func(cfg *deliver.KubernetesConfig) {
		cfg.SecretName = func(string) string { return "fleet" }
		cfg.Key = func(id string) string { return id + ".json" }
	})
	reads := func(r rotate.Reader) func(string) (rotate.Delivery, error) {
		return func(id string) (rotate.Delivery, error) { return r.Read(t.Context(), id) }
	}
	return map[string]bench{
		"File":    {file, reads(file), nil, true},
		"Folder":  {folder, reads(folder), nil, false},
		"Exec":    {program, func(id string) (rotate.Delivery, error) { return stored(programs, id) }, nil, false},
		"Vault":   {vault, reads(vault), func(id string) string { _, n := v.latest("stytch/" + id); return fmt.Sprint(n) }, false},
		"Cluster": {kubernetes, reads(kubernetes), func(id string) string { _, n := a.text(t, "stytch-"+id); return n }, false},
		"Sharing": {sharing, reads(sharing), nil, false},
	}
}

// stored is the last input of the test program for a client.
func stored(dir, clientID string) (rotate.Delivery, error) {
	data, err := os.ReadFile(filepath.Join(dir, clientID))
	if errors.Is(err, os.ErrNotExist) {
		return rotate.Delivery{}, nil
	}
	var order struct {
		ID       string        `json:"client_id"`
		Secret   secret.String `json:"client_secret"`
		Previous secret.String `json:"previous_client_secret"`
	}
	if err == nil {
		err = json.Unmarshal(data, &order)
	}
	return rotate.Delivery{ClientID: order.ID, Secret: order.Secret, Previous: order.Previous}, err
}

// expect checks what a place holds, without the secrets in the message.
func expect(t *testing.T, b bench, want rotate.Delivery) {
	t.Helper()
	got, err := b.read(want.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	if got.ClientID != want.ClientID || !got.Secret.Equal(want.Secret) || !got.Previous.Equal(want.Previous) {
		t.Fatalf("the place holds another client, secret or previous secret for %s", want.ClientID)
	}
}

func give(t *testing.T, b rotate.Deliverer, d rotate.Delivery) {
	t.Helper()
	if err := b.Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	for name, b := range benches(t) {
		t.Run(name, func(t *testing.T) {
			t.Run("refuses", func(t *testing.T) { refuses(t, b) })
			t.Run("sequence", func(t *testing.T) { sequence(t, b, "m2m-client-test-1") })
			t.Run("ended context", func(t *testing.T) { ended(t, b, "m2m-client-test-1") })
			if !b.one {
				t.Run("many clients", func(t *testing.T) { many(t, b) })
			}
		})
	}
}

// sequence is two rotations, of which the second is canceled. Each delivery is made twice.
func sequence(t *testing.T, b bench, id string) {
	if got, err := b.read(id); err != nil || got.ClientID != "" || !got.Secret.IsZero() || !got.Previous.IsZero() {
		t.Fatalf("before the first delivery: %v, error %v", got, err)
	}
	original, first, second, none := canary(), canary(), canary(), secret.String{}
	for i, d := range []rotate.Delivery{
		{Secret: first, Previous: original}, {Secret: first, Previous: none},
		{Secret: second, Previous: first}, {Secret: first, Previous: none},
		{Secret: secret.New(strings.Repeat("x", 400)), Previous: first}, {Secret: second, Previous: none},
	} {
		d.ClientID, d.RotationID = id, fmt.Sprint("rotation-", i/2)
		give(t, b, d)
		expect(t, b, d)
		var before string
		if b.version != nil {
			before = b.version(id)
		}
		give(t, b, d)
		expect(t, b, d)
		if b.version != nil && b.version(id) != before {
			t.Errorf("delivery %d made a second version", i)
		}
	}
}

func many(t *testing.T, b bench) {
	var group sync.WaitGroup
	var mu sync.Mutex
	want := map[string]rotate.Delivery{}
	for i := range 8 {
		group.Go(func() {
			d := rotate.Delivery{RotationID: "r", ClientID: fmt.Sprintf("m2m-client-test-many-%d", i), Previous: canary()}
			for range 3 {
				d.Secret = canary()
				if err := b.Deliver(t.Context(), d); err != nil {
					t.Error(err)
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			want[d.ClientID] = d
		})
	}
	group.Wait()
	for _, d := range want {
		expect(t, b, d)
	}
}

func ended(t *testing.T, b bench, id string) {
	before, err := b.read(id)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := rotate.Delivery{ClientID: id, Secret: canary(), Previous: canary()}
	if err := b.Deliver(ctx, d); !errors.Is(err, context.Canceled) || leaks(err.Error(), d.Secret, d.Previous) {
		t.Error("no error of the context, or one with a secret")
	}
	expect(t, b, before)
}

func refuses(t *testing.T, b bench) {
	s := canary()
	for name, d := range map[string]rotate.Delivery{
		"no client":         {Secret: s},
		"dot":               {ClientID: ".", Secret: s},
		"dots":              {ClientID: "..", Secret: s},
		"another folder":    {ClientID: "../x", Secret: s},
		"escaped":           {ClientID: "..%2fx", Secret: s},
		"query":             {ClientID: "x?version=1", Secret: s},
		"fragment":          {ClientID: "x#y", Secret: s},
		"backslash":         {ClientID: `..\x`, Secret: s},
		"line feed":         {ClientID: "x\ny", Secret: s},
		"NUL":               {ClientID: "x\x00", Secret: s},
		"not UTF-8":         {ClientID: "x\xff", Secret: s},
		"long":              {ClientID: strings.Repeat("x", 257), Secret: s},
		"no secret":         {ClientID: "x", Previous: s},
		"printed secret":    {ClientID: "x", Secret: secret.New(s.Reveal() + secret.Placeholder)},
		"binary secret":     {ClientID: "x", Secret: secret.New(s.Reveal() + "\xff")},
		"binary previously": {ClientID: "x", Secret: s, Previous: secret.New(s.Reveal() + "\xff")},
	} {
		err := b.Deliver(t.Context(), d)
		if !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("%s: not refused as an invalid argument", name)
		} else if leaks(err.Error(), s) {
			t.Errorf("%s: the error holds the secret", name)
		}
	}
	if reader, ok := b.Deliverer.(rotate.Reader); ok {
		for _, id := range []string{"", "..", "a/b", "a\x00"} {
			if _, err := reader.Read(t.Context(), id); !errors.Is(err, rotate.ErrInvalidArgument) {
				t.Errorf("reading %q: error %v", id, err)
			}
		}
	}
	if got, err := b.read("x"); err != nil || !got.Secret.IsZero() {
		t.Error("something was delivered")
	}
}

// TestTokenReads: what is delivered is what token.File takes, in a file and, decoded, in a mounted
// Secret.
func TestTokenReads(t *testing.T) {
	dir := t.TempDir()
	a := newAPIServer(t)
	for name, d := range map[string]rotate.Deliverer{
		"File": deliver.File(filepath.Join(dir, "File")), "Cluster": a.deliverer(t, nil),
	} {
		want := rotate.Delivery{ClientID: "m2m-client-test-1", Secret: canary(), Previous: canary()}
		for range 2 {
			give(t, d, want)
			if name == "Cluster" {
				mounted := a.mounted(t, "stytch-m2m-client-test-1", deliver.DefaultKey)
				if err := os.WriteFile(filepath.Join(dir, name), mounted, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := token.File(filepath.Join(dir, name)).Credential(t.Context())
			if err != nil || got.ClientID != want.ClientID || !got.Secret.Equal(want.Secret) || !got.Next.Equal(want.Previous) {
				t.Errorf("%s: the token source reads something else, error %v", name, err)
			}
			want.Previous = secret.String{}
		}
	}
}
