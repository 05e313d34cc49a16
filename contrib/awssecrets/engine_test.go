package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	awssecrets "github.com/stytchkit/m2m/contrib/awssecrets"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// stage is a local Stytch with one client, whose secret is in Secrets Manager, and a journal.
type stage struct {
	api     *stytch.Client
	aws     *server
	journal *filejournal.Journal
	first   secret.String
}

func newStage(t *testing.T) *stage {
	t.Helper()
	first := secret.Generate()
	local := emulatortest.NewServer(t, emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: client, Secret: first.Reveal(), Scopes: []string{"read:users"},
	}))
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		t.Fatal(err)
	}
	journal, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), local.ProjectID, secret.Generate())
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{api: api, aws: newServer(t), journal: journal, first: first}
	s.aws.seed(client, first)
	return s
}

func (s *stage) rotator(t *testing.T, line *cut, opts ...rotate.Option) (*rotate.Rotator, *awssecrets.Deliverer) {
	t.Helper()
	var options []func(*secretsmanager.Options)
	if line != nil {
		options = append(options, line.option)
	}
	d := newDeliverer(t, connect(s.aws, options...))
	r, err := rotate.New(s.api.M2M.Secrets, d, s.journal, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r, d
}

// works checks that the secret which readers get is accepted, and reports whether it is the first
// one.
func (s *stage) works(t *testing.T) (original bool) {
	t.Helper()
	held, err := newDeliverer(t, connect(s.aws)).Read(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := s.api.M2M.Secrets.Probe(t.Context(), client, held.Secret); !ok || err != nil {
		t.Errorf("the secret that readers get works: %t, %v", ok, err)
	}
	return held.Secret.Equal(s.first)
}

// TestRotation runs whole rotations, of which each one loses the network to AWS at another call,
// and which the next run ends.
func TestRotation(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at, done := 1, false; !done && !t.Failed(); at++ {
			t.Run(fmt.Sprintf("call %d/after %t", at, after), func(t *testing.T) {
				s := newStage(t)
				r, _ := s.rotator(t, &cut{at: at, after: after})
				if err := r.Run(t.Context(), client); err == nil {
					done = true
				} else if !errors.Is(err, rotate.ErrDelivery) {
					t.Errorf("error %v, want ErrDelivery", err)
				}
				s.works(t)
				r, d := s.rotator(t, nil)
				if !done {
					if err := r.Run(t.Context(), client); err != nil {
						t.Fatal(err)
					}
				}
				if s.works(t) {
					t.Error("readers still get the first secret")
				}
				held, err := d.Read(t.Context(), client)
				if err != nil {
					t.Fatal(err)
				}
				settled(t, s.aws, rotate.Delivery{ClientID: client, Secret: held.Secret}, 3)
			})
		}
	}
}

// TestRotationCanceled gives a rotation up at each call to AWS that fails.
func TestRotationCanceled(t *testing.T) {
	refused := 0
	for at := 1; !t.Failed(); at++ {
		s := newStage(t)
		r, _ := s.rotator(t, &cut{at: at, once: true}, rotate.WithCancelOnFailure())
		err := r.Run(t.Context(), client)
		original := s.works(t)
		if err == nil && original || errors.Is(err, rotate.ErrCanceled) && !original {
			t.Errorf("call %d: error %v, and the first secret is there: %t", at, err, original)
		}
		if v := s.aws.of(client); errors.Is(err, rotate.ErrCanceled) && v.labels["AWSPENDING"] != "" {
			t.Errorf("call %d: AWSPENDING was left behind", at)
		}
		if err == nil {
			break
		}
		refused++
		if err := r.Run(context.WithoutCancel(t.Context()), client); err != nil {
			t.Errorf("call %d: the next run: %v", at, err)
		}
		s.works(t)
	}
	if refused == 0 {
		t.Error("no call failed")
	}
}
