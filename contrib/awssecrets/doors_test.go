package awssecrets_test

import (
	"errors"
	"testing"

	awssecrets "github.com/stytchkit/m2m/contrib/awssecrets"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/project/projecttest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestDoors holds ids of clients to the rules of the whole SDK.
func TestDoors(t *testing.T) {
	cloud, stop := startServer()
	defer stop()
	deliverer, err := awssecrets.New(connect(cloud), func(clientID string) string { return "stytch/x" })
	if err != nil {
		t.Fatal(err)
	}
	passed := func(err error) error {
		if errors.Is(err, awssecrets.ErrMissing) { // it was asked for
			return nil
		}
		return err
	}
	for name, try := range map[string]func(id string) error{
		"Deliverer.Read":  func(id string) error { _, err := deliverer.Read(t.Context(), id); return passed(err) },
		"Deliverer.Check": func(id string) error { return passed(deliverer.Check(t.Context(), id)) },
		"Deliverer.Deliver": func(id string) error {
			return passed(deliverer.Deliver(t.Context(), rotate.Delivery{ClientID: id, Secret: secret.Generate()}))
		},
	} {
		projecttest.Door(t, name, project.CheckClientID, projecttest.ClientIDs, awssecrets.ErrInvalidArgument, try)
	}
}
