package rotate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// checkedPlace is a deliverer that can be checked.
type checkedPlace struct {
	rotate.DelivererFunc
	err error
}

func (c checkedPlace) Check(context.Context, string) error { return c.err }

func TestDeliverersCheck(t *testing.T) {
	sealed, gone := errors.New("sealed"), errors.New("no such namespace")
	places := rotate.Deliverers{"a": checkedPlace{}, "b": rotate.DelivererFunc(nil)}
	if err := places.Check(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	places["vault"], places["cluster"] = checkedPlace{err: sealed}, checkedPlace{err: gone}
	err := places.Check(t.Context(), "client")
	for _, want := range []error{rotate.ErrDelivery, sealed, gone} {
		if !errors.Is(err, want) {
			t.Errorf("%v is not %v", err, want)
		}
	}
	if text := err.Error(); !strings.Contains(text, "vault: sealed") || !strings.Contains(text, "cluster: no such namespace") {
		t.Errorf("the places are not named: %v", err)
	}
}
