package destination

import (
	"context"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A Place stores secrets that are shown once. What it holds already is never overwritten.
type Place struct {
	target *target
	env    func(string) string
}

// Once is [Parse] for a secret that is shown once: call [Place.Check] before the request that shows
// it, and [Place.Put] after it.
func Once(spec string, env func(string) string) (*Place, error) {
	t, err := parse(spec, env)
	if err != nil {
		return nil, err
	}
	return &Place{t, env}, nil
}

// unnamed stands for the id of a client that does not exist yet.
const unnamed = "new-client"

// Name is what people call the place of a client's secret.
func (p *Place) Name(clientID string) string { return p.target.name(clientID) }

// Many reports whether the place takes the secrets of several clients.
func (p *Place) Many() bool { return p.target.many }

// Check refuses a place that cannot be written, or that holds something already. The id is "" if it
// is not known before the request.
func (p *Place) Check(ctx context.Context, clientID string) error {
	known := clientID != "" || !p.target.many
	if clientID == "" {
		clientID = unnamed
	}
	if known && p.target.isThere != nil && p.target.isThere(clientID) {
		return cli.Errorf(cli.Conflict, "%s exists already and is not overwritten: name another place, or move it away", p.Name(clientID))
	}
	if err := p.target.Deliverer.(rotate.Checker).Check(ctx, clientID); err != nil {
		return cli.Errorf(cli.Usage, "%s cannot be written: %w", p.Name(clientID), err)
	}
	held, err := p.Held(ctx, clientID)
	if err != nil {
		return cli.Errorf(cli.Usage, "%s cannot be read: %w", p.Name(clientID), err)
	}
	if known && !held.IsZero() {
		return cli.Errorf(cli.Conflict, "%s holds a secret already, which is not overwritten: name another place", p.Name(clientID))
	}
	return nil
}

// Held is the secret of the client that the place holds: zero if there is none, or if the place
// cannot be read because it is a program.
func (p *Place) Held(ctx context.Context, clientID string) (secret.String, error) {
	reader, ok := p.target.Deliverer.(rotate.Reader)
	if !ok {
		return secret.String{}, nil
	}
	held, err := reader.Read(ctx, clientID)
	return held.Secret, err
}

// Readable reports whether [Place.Held] can see what the place holds.
func (p *Place) Readable() bool {
	_, ok := p.target.Deliverer.(rotate.Reader)
	return ok
}

// putTimeout bounds a delivery that no longer depends on the caller's context.
const putTimeout = time.Minute

// Put stores a secret, also if ctx has ended: an interrupt must not lose it. If the place fails,
// the secret is saved in a private file, and the error names it. done says what has happened, for
// that error: "client x was created".
func (p *Place) Put(ctx context.Context, clientID string, s secret.String, done string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putTimeout)
	defer cancel()
	d := rotate.Delivery{ClientID: clientID, Secret: s}
	err := p.target.Deliver(ctx, d)
	if err == nil {
		return nil
	}
	return p.save(d, done, err)
}

// Store is [Place.Put] for a secret that is not lost if it fails.
func (p *Place) Store(ctx context.Context, clientID string, s secret.String) error {
	err := p.target.Deliver(ctx, rotate.Delivery{ClientID: clientID, Secret: s})
	if err != nil {
		return cli.Errorf("", "the secret could not be stored (%s): %w", p.Name(clientID), err)
	}
	return nil
}
