package rotate_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// What package stytch offers is all that a rotation needs.
var (
	_ rotate.Target = (*stytch.Secrets)(nil)
	_ rotate.Prober = (*stytch.Secrets)(nil)
)

// A phase is which secrets the server accepts.
type phase int32

const (
	onlyOld phase = iota
	both
	onlyNew
	between // while the rotation moves from one to the next
	phases
)

// minting is a service that asks for a token all the time, and counts them by phase.
type minting struct {
	source   *token.Source
	bySecret [phases][2]atomic.Int64 // successful requests with the old and with the new secret
	failed   atomic.Pointer[error]
}

// live asks for tokens from n goroutines until ctx ends. Each token is thrown away, so that the
// next one is asked for.
func (m *minting) live(ctx context.Context, n int, wg *sync.WaitGroup) {
	for range n {
		wg.Go(func() {
			for ctx.Err() == nil {
				t, err := m.source.Token(ctx)
				if err != nil {
					if ctx.Err() == nil {
						m.failed.CompareAndSwap(nil, &err)
					}
					return
				}
				m.source.Invalidate(t)
			}
		})
	}
}

// minted is how many tokens were got in a phase.
func (m *minting) minted(p phase) int64 { return m.bySecret[p][0].Load() + m.bySecret[p][1].Load() }

// watched is a transport that notes which secret gets a token in which phase.
type watched struct {
	http.RoundTripper
	service *minting
	scene   *scene
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, err
	}
	which := 0
	if !w.scene.old.Equal(secret.New(form.Get("client_secret"))) {
		which = 1
	}
	at := w.scene.now.Load()
	resp, err := w.RoundTripper.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	if w.scene.now.Load() != at {
		at = int32(between)
	}
	w.service.bySecret[at][which].Add(1)
	select {
	case w.scene.got <- struct{}{}:
	default:
	}
	return resp, nil
}

// inMemory is a deliverer without a disk, such as the cache of a secret manager.
type inMemory struct {
	mu   sync.Mutex
	held rotate.Delivery
}

func (s *inMemory) Deliver(_ context.Context, d rotate.Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = d
	return nil
}

func (s *inMemory) Read(context.Context, string) (rotate.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held, nil
}

func (s *inMemory) Credential(context.Context) (token.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return token.Credential{ClientID: s.held.ClientID, Secret: s.held.Secret, Next: s.held.Previous}, nil
}

// A scene is a project with one client, whose secret two services use.
type scene struct {
	local    *emulator.Server
	api      *stytch.Client
	id       string
	old      secret.String
	places   rotate.Deliverers
	services map[string]*minting
	now      atomic.Int32 // the phase
	got      chan struct{}
}

// newScene has one service with a file and one with a callback.
func newScene(t *testing.T) *scene {
	t.Helper()
	local := emulatortest.NewServer(t)
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.CloseIdleConnections)
	created, err := api.M2M.Create(t.Context(), stytch.M2MCreate{ClientName: "service", Scopes: []string{"read:users"}})
	if err != nil {
		t.Fatal(err)
	}
	path, memory := filepath.Join(t.TempDir(), "credentials.json"), &inMemory{}
	s := &scene{
		local: local, api: api, id: created.ClientID, old: created.ClientSecret, got: make(chan struct{}, 1),
		places: rotate.Deliverers{"file": deliver.File(path), "memory": memory},
	}
	if err := s.places.Deliver(t.Context(), rotate.Delivery{ClientID: s.id, Secret: s.old}); err != nil {
		t.Fatal(err)
	}
	s.services = map[string]*minting{"file": s.service(t, token.File(path)), "callback": s.service(t, token.Func(memory.Credential))}
	return s
}

func (s *scene) service(t *testing.T, credentials token.Credentials) *minting {
	t.Helper()
	m := &minting{}
	client := &http.Client{Transport: watched{s.local.Client().Transport, m, s}}
	source, err := token.New(s.local.ProjectID, credentials, token.WithBaseURL(s.local.URL), token.WithHTTPClient(client))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	m.source = source
	return m
}

// rotator waits in the grace period, if there is one, until both services have used it.
func (s *scene) rotator(t *testing.T, grace bool) *rotate.Rotator {
	t.Helper()
	journal, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), s.local.ProjectID, secret.Generate())
	if err != nil {
		t.Fatal(err)
	}
	options := []rotate.Option{rotate.WithObserver(func(_ context.Context, e rotate.Event) {
		if e.To == rotate.Grace {
			s.now.Store(int32(both))
		} else {
			s.now.Store(int32(between))
		}
	})}
	if grace {
		options = append(options, rotate.WithGrace(50*time.Millisecond),
			rotate.WithReady(func(context.Context, string) (bool, error) { return s.seen(both), nil }, time.Millisecond))
	}
	rotator, err := rotate.New(s.api.M2M.Secrets, s.places, journal, options...)
	if err != nil {
		t.Fatal(err)
	}
	return rotator
}

// enough is how many tokens each service gets in each phase.
var enough = int64(heavy.Count(16, 48))

func (s *scene) seen(p phase) bool {
	return s.services["file"].minted(p) >= enough && s.services["callback"].minted(p) >= enough
}

func (s *scene) await(t *testing.T, p phase) {
	t.Helper()
	for !s.seen(p) {
		select {
		case <-s.got:
		case <-time.After(time.Minute):
			for name, m := range s.services {
				t.Errorf("%s: %d tokens in phase %d, failed: %t", name, m.minted(p), p, m.failed.Load() != nil)
			}
			t.FailNow()
		}
	}
}

// Two services mint tokens on every call, from several goroutines each, while the secret that they
// use is rotated: with the old secret, while both are accepted, and with the new one. No call
// fails, and nothing is restarted.
func TestServicesLiveThroughARotation(t *testing.T) {
	for name, grace := range map[string]bool{"with grace": true, "without grace": false} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			defer wg.Wait()
			defer stop()
			for _, m := range s.services {
				m.live(ctx, heavy.Count(4, 16), &wg)
			}
			rotator := s.rotator(t, grace)
			s.await(t, onlyOld)
			s.now.Store(int32(between))
			if err := rotator.Run(t.Context(), s.id); err != nil {
				t.Fatal(err)
			}
			s.now.Store(int32(onlyNew))
			s.await(t, onlyNew)
			stop()
			wg.Wait()

			for name, m := range s.services {
				if err := m.failed.Load(); err != nil {
					t.Errorf("%s: a call failed: %v", name, *err)
				}
				if grace && m.minted(both) < enough {
					t.Errorf("%s: only %d tokens while both secrets worked", name, m.minted(both))
				}
				if m.bySecret[onlyOld][1].Load() != 0 || m.bySecret[onlyNew][0].Load() != 0 {
					t.Errorf("%s: a token by a secret that does not exist yet, or no longer works", name)
				}
				t.Logf("%s: %d tokens by the old secret, %d while both worked, %d by the new one", name, m.minted(onlyOld), m.minted(both), m.minted(onlyNew))
			}
			if accepted, err := s.api.M2M.Secrets.Probe(t.Context(), s.id, s.old); accepted || err != nil {
				t.Errorf("the former secret: %t, %v", accepted, err)
			}
		})
	}
}

// The secret of a Connected App, which no token request can prove, is rotated by the same engine
// with another proof.
func TestRotateConnectedApp(t *testing.T) {
	local := emulatortest.NewServer(t)
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.CloseIdleConnections)
	app, err := api.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{ClientType: stytch.ThirdParty})
	if err != nil {
		t.Fatal(err)
	}
	place := &inMemory{held: rotate.Delivery{ClientID: app.ClientID, Secret: app.ClientSecret}}
	journal, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), local.ProjectID)
	if err != nil {
		t.Fatal(err)
	}
	secrets := api.ConnectedApps.Secrets

	// Without a proof nothing is begun.
	rotator, err := rotate.New(secrets, place, journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := rotator.Run(t.Context(), app.ClientID); !errors.Is(err, stytch.ErrInvalidArgument) || !strings.Contains(err.Error(), "another proof") {
		t.Errorf("without another proof: %v", err)
	}
	if last, err := secrets.LastFour(t.Context(), app.ClientID); err != nil || last.Rotating() || !place.held.Secret.Equal(app.ClientSecret) {
		t.Errorf("%+v, %v", last, err)
	}

	if rotator, err = rotate.New(secrets, place, journal, rotate.WithProber(rotate.ByLastFour(secrets))); err != nil {
		t.Fatal(err)
	}
	if err := rotator.Run(t.Context(), app.ClientID); err != nil {
		t.Fatal(err)
	}
	held := place.held
	last, err := secrets.LastFour(t.Context(), app.ClientID)
	if err != nil || last.Rotating() || !strings.HasSuffix(held.Secret.Reveal(), last.Current) || held.Secret.Equal(app.ClientSecret) || !held.Previous.IsZero() {
		t.Errorf("after the rotation: %+v, %v", last, err)
	}
	if status, err := rotator.Status(t.Context(), app.ClientID); err != nil || status.State != rotate.Completed {
		t.Errorf("%+v, %v", status, err)
	}
	if err := api.ConnectedApps.Delete(t.Context(), app.ClientID); err != nil {
		t.Fatal(err)
	}
	if err := rotator.Run(t.Context(), app.ClientID); !errors.Is(err, stytch.ErrNotFound) || !errors.Is(err, rotate.ErrGone) {
		t.Errorf("a deleted app: %v", err)
	}
	for _, public := range []stytch.ConnectedAppType{stytch.FirstPartyPublic, stytch.ThirdPartyPublic} {
		app, err := api.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{ClientType: public})
		if err != nil {
			t.Fatal(err)
		}
		empty, err := rotate.New(secrets, &inMemory{}, journal, rotate.WithProber(rotate.ByLastFour(secrets)), rotate.WithUnknownCurrent())
		if err != nil {
			t.Fatal(err)
		}
		if err := empty.Run(t.Context(), app.ClientID); !errors.Is(err, stytch.ErrNoSecret) || !errors.Is(err, rotate.ErrGone) {
			t.Errorf("a %s app has no secret: %v", public, err)
		}
		if status, err := empty.Status(t.Context(), app.ClientID); err != nil || status.State != rotate.Gone {
			t.Errorf("%+v, %v", status, err)
		}
	}
}
