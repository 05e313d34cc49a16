package rotate

import (
	"errors"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// gone is what makes the engine erase the secrets of a record.
func gone(err error) bool {
	var e interface{ Gone() bool }
	return errors.As(err, &e) && e.Gone()
}

// TestKind has every call of the engine for clients of the other kind. Only a client that is of
// neither kind is gone, and none is while nothing shows that.
func TestKind(t *testing.T) {
	const worker, portal = "worker", "portal"
	s := emulatortest.NewServer(t,
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: worker, Secret: "Correct-Horse-9", Scopes: []string{"read:users"}}),
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: portal, Secret: "Battery-Staple-7"}))
	api, err := stytch.New(s.ProjectID, s.Secret, stytch.WithBaseURL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range []bool{false, true} {
		other := map[bool]string{false: portal, true: worker}[app]
		t1 := target(api, app)
		calls := map[string]func(id string) error{
			"Start":    func(id string) error { _, err := t1.Start(t.Context(), id); return err },
			"Complete": func(id string) error { return t1.Complete(t.Context(), id) },
			"Cancel":   func(id string) error { return t1.Cancel(t.Context(), id) },
			"LastFour": func(id string) error { _, err := t1.LastFour(t.Context(), id); return err },
		}
		for name, call := range calls {
			if err := call(other); gone(err) || cli.Classify(err) != cli.Usage {
				t.Errorf("%s of the other kind (app %t): %v", name, app, err)
			}
			if err := call("nobody"); !gone(err) || !errors.Is(err, stytch.ErrNotFound) {
				t.Errorf("%s of neither kind (app %t): %v", name, app, err)
			}
		}
		look := map[bool]string{false: "GetConnectedApp", true: "GetM2MClient"}[app]
		remove := s.Inject(emulator.Status(look, 503))
		for name, call := range calls {
			if err := call("nobody"); err == nil || gone(err) || cli.Classify(err) != cli.Unavailable {
				t.Errorf("%s while the other kind cannot be asked (app %t): %v, gone %t", name, app, err, gone(err))
			}
		}
		remove()
	}
}
