package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	awssecrets "github.com/stytchkit/m2m/contrib/awssecrets"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

func deliver(t *testing.T, d *awssecrets.Deliverer, what rotate.Delivery) {
	t.Helper()
	if err := d.Deliver(t.Context(), what); err != nil {
		t.Fatal(err)
	}
}

func TestDeliver(t *testing.T) {
	a, b, c := secret.Generate(), secret.Generate(), secret.Generate()
	first, second := newRotation("rotation-1", a, b), newRotation("rotation-2", b, c)
	for _, tt := range []struct {
		name     string
		steps    []rotate.Delivery
		versions int // with the first one
	}{
		{"completed", []rotate.Delivery{first.both, first.final}, 3},
		{"canceled", []rotate.Delivery{first.both, first.original}, 3},
		{"canceled before it began", []rotate.Delivery{first.original}, 1},
		{"each one twice", []rotate.Delivery{first.both, first.both, first.final, first.final}, 3},
		{"two in a row", []rotate.Delivery{first.both, first.final, second.both, second.final}, 5},
		{"to and fro", []rotate.Delivery{first.both, first.original, first.both, first.original, first.both}, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			s.seed(client, a)
			d := newDeliverer(t, connect(s))
			for _, step := range tt.steps {
				deliver(t, d, step)
				held, err := d.Read(t.Context(), client)
				if err != nil || held.ClientID != client || !held.Secret.Equal(step.Secret) || !held.Previous.Equal(step.Previous) {
					t.Fatalf("what was delivered cannot be read back: %v", err)
				}
			}
			if last := tt.steps[len(tt.steps)-1]; tt.versions > 1 {
				settled(t, s, last, tt.versions)
			} else if v := s.of(client); len(v.versions) != 1 || len(v.labels) != 1 {
				t.Error("a version was made of what was there")
			}
		})
	}
}

// TestCalls pins what a delivery costs.
func TestCalls(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	s := newServer(t)
	s.seed(client, a)
	d := newDeliverer(t, connect(s))
	deliver(t, d, r.both)
	want := "DescribeSecret GetSecretValue PutSecretValue GetSecretValue UpdateSecretVersionStage UpdateSecretVersionStage"
	if got := strings.Join(s.called(), " "); got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
	deliver(t, d, r.both)
	if got, again := strings.Join(s.called(), " "), want+" DescribeSecret GetSecretValue"; got != again {
		t.Errorf("calls %s, want %s", got, again)
	}
	// After a crash what was put is found, and not put again.
	if newDeliverer(t, connect(s, (&cut{at: 3, after: true}).option)).Deliver(t.Context(), r.final) == nil {
		t.Fatal("no error of a line that was cut")
	}
	before := len(s.called())
	deliver(t, d, r.final)
	want = "DescribeSecret GetSecretValue GetSecretValue UpdateSecretVersionStage UpdateSecretVersionStage"
	if got := strings.Join(s.called()[before:], " "); got != want {
		t.Errorf("calls after a crash %s, want %s", got, want)
	}
}

// TestTokenFile gives what was delivered to the reader that it is for.
func TestTokenFile(t *testing.T) {
	a, b := secret.Generate(), secret.New(`quote-"-and-\-and-<&>-and-ü,-not-of-Stytch`)
	s := newServer(t)
	s.seed(client, a)
	deliver(t, newDeliverer(t, connect(s)), newRotation("rotation-1", a, b).both)
	path := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(path, []byte(s.of(client).current()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := token.File(path).Credential(t.Context())
	if err != nil || got.ClientID != client || !got.Secret.Equal(b) || !got.Next.Equal(a) {
		t.Errorf("token.File reads something else: %v", err)
	}
}

// TestEarlierName reads what an earlier version wrote, and writes it again under the name of today.
func TestEarlierName(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	s, r := newServer(t), newRotation("rotation-1", a, b)
	s.put(client, strings.Replace(text(r.both), "previous_client_secret", "next_client_secret", 1))
	d := newDeliverer(t, connect(s))
	if held, err := d.Read(t.Context(), client); err != nil || !held.Secret.Equal(b) || !held.Previous.Equal(a) {
		t.Errorf("something else is read, error %v", err)
	}
	deliver(t, d, r.both)
	settled(t, s, r.both, 2)
}

// TestAnotherSecret is a rotation that gives its next secret up for another one, with the first one
// still pending.
func TestAnotherSecret(t *testing.T) {
	a, b, c := secret.Generate(), secret.Generate(), secret.Generate()
	for _, id := range []string{"rotation-1", "rotation-1-1", "rotation-2"} { // of one name, of a restart, of a new one
		s := newServer(t)
		s.seed(client, a)
		if newDeliverer(t, connect(s, (&cut{at: 4}).option)).Deliver(t.Context(), newRotation("rotation-1", a, b).both) == nil {
			t.Fatal("no error of a line that was cut")
		}
		pending := s.of(client).labels["AWSPENDING"]
		r := newRotation(id, a, c)
		d := newDeliverer(t, connect(s))
		deliver(t, d, r.both)
		settled(t, s, r.both, 3)
		if pending == "" || s.of(client).labels["AWSCURRENT"] == pending {
			t.Error("a version was made to hold something else")
		}
		deliver(t, d, r.original)
		settled(t, s, r.original, 4)
	}
}

// TestVersionIDs shows that nothing can be learned about a secret from what everybody may see.
func TestVersionIDs(t *testing.T) {
	a := secret.Generate()
	var all []string
	for _, next := range []secret.String{secret.Generate(), secret.Generate()} {
		s := newServer(t)
		s.seed(client, a)
		d := newDeliverer(t, connect(s))
		deliver(t, d, newRotation("rotation-1", a, next).both)
		all = append(all, s.of(client).labels["AWSCURRENT"])
	}
	if all[0] != all[1] || len(all[0]) != 64 {
		t.Errorf("versions %q: want two that are alike and 64 characters long", all)
	}
}

// TestRolledBack moves AWSCURRENT back by hand: the version that was made before is used again,
// even if no label is left on it.
func TestRolledBack(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	s := newServer(t)
	s.seed(client, a)
	d := newDeliverer(t, connect(s))
	for range 2 {
		deliver(t, d, r.both)
		settled(t, s, r.both, 2)
		s.secrets[secretName(client)].labels = map[string]string{"AWSCURRENT": byHand}
	}
	// Another version is pending, which was made meanwhile and is given up.
	other := newRotation("rotation-1", a, secret.Generate())
	if newDeliverer(t, connect(s, (&cut{at: 6}).option)).Deliver(t.Context(), other.both) == nil || s.of(client).labels["AWSPENDING"] == "" {
		t.Fatal("no version is pending")
	}
	deliver(t, d, r.both)
	settled(t, s, r.both, 3)
}

func TestForeignPending(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	s := newServer(t)
	s.seed(client, a)
	v := s.secrets[secretName(client)]
	v.labels["AWSPENDING"] = "of-a-lambda-function" // which makes the label before the version
	d := newDeliverer(t, connect(s))
	err := d.Deliver(t.Context(), r.both)
	if !errors.Is(err, awssecrets.ErrPending) || !strings.Contains(err.Error(), "of-a-lambda-function") || !strings.Contains(err.Error(), secretName(client)) {
		t.Errorf("error %v, want ErrPending that names the version and the secret", err)
	}
	if now := s.of(client); len(now.versions) != 1 || now.labels["AWSPENDING"] != "of-a-lambda-function" {
		t.Error("something was overwritten")
	}
	if err := d.Deliver(t.Context(), r.original); err != nil {
		t.Errorf("what is there already: %v", err)
	}
	// It is finished: AWS leaves the label on the current version.
	v.labels["AWSPENDING"] = byHand
	deliver(t, d, r.both)
	settled(t, s, r.both, 2)
}

// TestWriters changes the secret between the calls of a delivery.
func TestWriters(t *testing.T) {
	a, b, c := secret.Generate(), secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	other := func(v *stored, text string) { // before AWSCURRENT is moved
		v.versions["other"] = text
		v.attach("AWSCURRENT", "other")
	}
	for _, tt := range []struct {
		name  string
		write func(*stored)
		want  error
	}{
		{"another key", func(v *stored) { other(v, strings.Replace(text(r.original), `"url":`, `"other":[1],"url":`, 1)) }, nil},
		{"the same", func(v *stored) { other(v, text(r.both)) }, nil},
		{"another secret", func(v *stored) { d := r.original; d.Secret = c; other(v, text(d)) }, awssecrets.ErrPending},
		{"another rotation", func(v *stored) { other(v, text(r.original)); v.labels["AWSPENDING"] = "x" }, awssecrets.ErrPending},
		{"nonsense", func(v *stored) { other(v, "[]") }, awssecrets.ErrValue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			s.seed(client, a)
			s.before = func(op string, in request) error {
				if op == "UpdateSecretVersionStage" && s.secrets[secretName(client)].versions["other"] == "" {
					tt.write(s.secrets[secretName(client)])
				}
				return nil
			}
			err := newDeliverer(t, connect(s)).Deliver(t.Context(), r.both)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			now := s.of(client)
			switch tt.name {
			case "another key":
				if now.current() != strings.Replace(text(r.both), `"url":`, `"other":[1],"url":`, 1) || now.labels["AWSPENDING"] != "" {
					t.Error("the key of another writer was lost, or a label was left behind")
				}
			default:
				if now.labels["AWSCURRENT"] != "other" {
					t.Error("what another writer delivered was replaced")
				}
			}
		})
	}
}

// TestWritersWithoutEnd gives up when every try meets another writer.
func TestWritersWithoutEnd(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	s := newServer(t)
	s.seed(client, a)
	tries := 0
	s.before = func(op string, _ request) error {
		if op == "UpdateSecretVersionStage" {
			tries++
			v := s.secrets[secretName(client)]
			id := fmt.Sprintf("other-%d", tries)
			v.versions[id] = text(r.original)
			v.attach("AWSCURRENT", id)
		}
		return nil
	}
	if err := newDeliverer(t, connect(s)).Deliver(t.Context(), r.both); err == nil || tries != 4 {
		t.Errorf("error %v after %d tries, want one after 4", err, tries)
	}
}

// TestLyingStore gives back something else than was put: readers must not get it.
func TestLyingStore(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	s := newServer(t)
	s.seed(client, a)
	before := s.of(client).current()
	s.before = func(op string, in request) error {
		if v := s.secrets[secretName(client)]; op == "GetSecretValue" && in.VersionID == v.labels["AWSPENDING"] {
			v.versions[in.VersionID] = text(r.original)
		}
		return nil
	}
	if err := newDeliverer(t, connect(s)).Deliver(t.Context(), r.both); !errors.Is(err, awssecrets.ErrValue) {
		t.Errorf("error %v, want ErrValue", err)
	}
	if v := s.of(client); v.current() != before || len(v.versions) != 2 {
		t.Error("readers get what was not delivered, or it was tried again and again")
	}
}

func TestCreate(t *testing.T) {
	r := newRotation("rotation-1", secret.Generate(), secret.Generate())
	create := awssecrets.WithCreate(secretsmanager.CreateSecretInput{KmsKeyId: aws.String("alias/mine")})
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			s := newServer(t)
			s.before = func(op string, in request) error {
				if op == "CreateSecret" && in.KmsKeyID != "alias/mine" {
					return errors.New("the template was not used")
				}
				return nil
			}
			line := &cut{at: at, after: after}
			done := newDeliverer(t, connect(s, line.option), create).Deliver(t.Context(), r.both) == nil
			if held, err := newDeliverer(t, connect(s), create).Read(t.Context(), client); err != nil || !held.Secret.IsZero() && !held.Secret.Equal(r.both.Secret) {
				t.Fatalf("read after a crash: %v", err)
			}
			d := newDeliverer(t, connect(s), create)
			deliver(t, d, r.both)
			if v := s.of(client); len(v.versions) != 1 || len(v.labels) != 1 {
				t.Errorf("cut at call %d: versions and labels %d, %d, want one", at, len(v.versions), len(v.labels))
			}
			if held, err := d.Read(t.Context(), client); err != nil || !held.Secret.Equal(r.both.Secret) || !held.Previous.Equal(r.both.Previous) {
				t.Errorf("cut at call %d: it cannot be read back: %v", at, err)
			}
			if done {
				break
			}
		}
	}
}

// TestCreatedMeanwhile has another process create the secret first.
func TestCreatedMeanwhile(t *testing.T) {
	a, b, c := secret.Generate(), secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	theirs := r.final
	theirs.Secret = c
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"the same", text(r.both), nil}, {"no credentials", `{"x":1}`, nil}, {"another secret", text(theirs), awssecrets.ErrPending},
	} {
		s := newServer(t)
		s.before = func(op string, _ request) error {
			if op == "CreateSecret" {
				s.secrets[secretName(client)] = &stored{versions: map[string]string{"v": tt.text}, labels: map[string]string{"AWSCURRENT": "v"}}
			}
			return nil
		}
		d := newDeliverer(t, connect(s), awssecrets.WithCreate(secretsmanager.CreateSecretInput{}))
		if err := d.Deliver(t.Context(), r.both); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
		if tt.want != nil && s.of(client).current() != tt.text {
			t.Errorf("%s: it was replaced", tt.name)
		}
	}
}

// TestNoValue delivers to a secret that was created without one.
func TestNoValue(t *testing.T) {
	r := newRotation("rotation-1", secret.Generate(), secret.Generate())
	for at := 1; ; at++ {
		s := newServer(t)
		s.secrets[secretName(client)] = &stored{versions: map[string]string{}, labels: map[string]string{}}
		done := newDeliverer(t, connect(s, (&cut{at: at, after: true}).option)).Deliver(t.Context(), r.both) == nil
		d := newDeliverer(t, connect(s))
		deliver(t, d, r.both)
		if v := s.of(client); len(v.versions) != 1 || len(v.labels) != 1 {
			t.Errorf("cut after call %d: versions and labels %d, %d, want one", at, len(v.versions), len(v.labels))
		}
		if done {
			return
		}
	}
}

// TestClients delivers to many clients at once.
func TestClients(t *testing.T) {
	s := newServer(t)
	d := newDeliverer(t, connect(s))
	var group sync.WaitGroup
	for i := range 16 {
		id := fmt.Sprintf("m2m-client-test-%d", i)
		a, b := secret.Generate(), secret.Generate()
		s.seed(id, a)
		group.Go(func() {
			both := rotate.Delivery{RotationID: "rotation", ClientID: id, Secret: b, Previous: a}
			final := rotate.Delivery{RotationID: "rotation", ClientID: id, Secret: b}
			for _, what := range []rotate.Delivery{both, final} {
				if err := d.Deliver(context.WithoutCancel(t.Context()), what); err != nil {
					t.Error(err)
				}
			}
			settled(t, s, final, 3)
		})
	}
	group.Wait()
}

// TestSameClient delivers the same from several processes at once: all say so in the end, and
// nothing is there twice.
func TestSameClient(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	s := newServer(t)
	s.seed(client, a)
	var group sync.WaitGroup
	for range 8 {
		d := newDeliverer(t, connect(s))
		group.Go(func() {
			if err := d.Deliver(context.WithoutCancel(t.Context()), r.both); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	settled(t, s, r.both, 2)
	if puts := slices.DeleteFunc(s.called(), func(op string) bool { return op != "PutSecretValue" }); len(puts) == 0 {
		t.Error("nothing was put")
	}
}
