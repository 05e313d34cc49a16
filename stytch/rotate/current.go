package rotate

import (
	"context"
	"fmt"

	"github.com/stytchkit/m2m/stytch/secret"
)

// told is the secret in use, as the caller or the first deliverer that holds one has it. It is not proved yet.
func (w *work) told(ctx context.Context) (secret.String, error) {
	if w.r.current != nil {
		result := make(chan secret.String, 1)
		err := w.bounded(ctx, func(ctx context.Context) error {
			current, err := w.r.current(ctx, w.rec.ClientID)
			result <- current
			return err
		})
		var current secret.String
		select {
		case current = <-result:
			w.hear(current)
		default:
		}
		if err != nil {
			return secret.String{}, fmt.Errorf("rotate: the current secret cannot be told: %w", err)
		}
		return current, nil
	}
	for _, d := range w.r.deliverers {
		reader, ok := d.Deliverer.(Reader)
		if !ok {
			continue
		}
		held, err := w.read(ctx, d.name, reader)
		if err != nil || !held.Secret.IsZero() {
			return held.Secret, err
		}
	}
	return secret.String{}, nil
}

// toldAnew looks whether somebody has mended what would stop the rotation, by telling another secret than the one in the
// journal. It takes the place of that one only if it is proved.
func (w *work) toldAnew(ctx context.Context) (bool, error) {
	candidate, err := w.told(ctx)
	if err != nil {
		return false, err
	}
	if candidate.IsZero() || candidate.Equal(w.rec.Current) || candidate.Equal(w.rec.Next) {
		return false, nil
	}
	verdict, at := Unproved, w.proved.current
	if err := w.prove(ctx, candidate, &verdict, &at); err != nil || verdict != Accepted {
		return false, err
	}
	w.rec.Current, w.proofs.Current, w.proved.current = candidate, verdict, at
	return true, nil
}
