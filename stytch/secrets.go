package stytch

import (
	"context"
	"net/http"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Secrets rotates the secrets of M2M clients or of confidential Connected Apps. Its methods are the
// single steps; package rotate runs a whole rotation with them. Start, Complete and Cancel are
// never repeated after a lost response, which is [ErrOutcomeUnknown]. It is safe for concurrent
// use.
type Secrets struct {
	start, complete, cancel rotationStep

	next     func(*http.Response, error) (secret.String, error) // decodes the response of start
	lastFour func(ctx context.Context, id string) (secret.LastFour, error)
	probe    func(ctx context.Context, id string, value secret.String) (accepted bool, err error)
}

// rotationStep is an operation that names the client and sends an empty object.
type rotationStep struct {
	op   *operation.Operation
	send func(ctx context.Context, id string, body gen.SecretRotationRequest, editors ...gen.RequestEditorFn) (*http.Response, error)
}

// Start creates a second secret and returns it. Store it before anything else: it is never shown
// again. From now on both secrets are accepted. If a rotation is in progress the error is
// [ErrRotating]; for a public Connected App it is [ErrNoSecret]. A secret that is returned with an
// [ErrInvalidResponse] is valid all the same.
func (s *Secrets) Start(ctx context.Context, clientID string) (next secret.String, err error) {
	if err := checkClientID(s.start.op, clientID); err != nil {
		return secret.String{}, err
	}
	return s.next(s.start.send(ctx, clientID, gen.SecretRotationRequest{}))
}

// Complete makes the next secret the current one. The previous secret is refused from then on. If
// no rotation is in progress, the error is [ErrNotRotating].
func (s *Secrets) Complete(ctx context.Context, clientID string) error {
	return s.complete.finish(ctx, clientID)
}

// Cancel drops the next secret, which is refused from then on. If no rotation is in progress, the
// error is [ErrNotRotating].
func (s *Secrets) Cancel(ctx context.Context, clientID string) error {
	return s.cancel.finish(ctx, clientID)
}

// LastFour reads the last four characters of the secrets. Next is "" unless a rotation is in
// progress. For a public Connected App the error is [ErrNoSecret].
func (s *Secrets) LastFour(ctx context.Context, clientID string) (secret.LastFour, error) {
	return s.lastFour(ctx, clientID)
}

// Probe finds out whether Stytch accepts a secret of an M2M client: it requests an access token
// with the secret and discards the token. Stytch bills each token, also if its response is lost;
// Probe then requests another one, within the limits of [WithRetry].
//
// A refused secret is false without an error. Any error means that nothing is known about the
// secret: [ErrInactive] for a client that gets no tokens, whatever its secret is, [ErrNotFound] for
// an unknown client, and whatever else can happen to a request. A token request says nothing about
// the secret of a Connected App: that is [ErrInvalidArgument].
func (s *Secrets) Probe(ctx context.Context, clientID string, value secret.String) (accepted bool, err error) {
	return s.probe(ctx, clientID, value)
}

// finish runs a step whose response has nothing to return.
func (s rotationStep) finish(ctx context.Context, id string) error {
	if err := checkClientID(s.op, id); err != nil {
		return err
	}
	r, err := asResponse(s.send(ctx, id, gen.SecretRotationRequest{}))
	if err != nil {
		return err
	}
	defer r.Close()
	return r.check()
}

// publicAppError is what reading an app shows, where a step of a rotation would be refused.
type publicAppError struct{}

func (publicAppError) Error() string {
	return "stytch: " + operation.GetConnectedApp.ID + ": the app is public and has no secret"
}
func (publicAppError) Is(target error) bool { return target == ErrNoSecret }
func (publicAppError) OutcomeUnknown() bool { return false } // see Error.OutcomeUnknown
func (publicAppError) Gone() bool           { return true }  // see Error.Gone

// lastFours is what LastFour reads of a client. A change to any other field must not stop a
// rotation that has begun.
type lastFours struct {
	Current *string `json:"client_secret_last_four"`
	Next    *string `json:"next_client_secret_last_four"`

	ClientType ConnectedAppType `json:"client_type"` // of a Connected App
}

func (l lastFours) lastFour() secret.LastFour {
	return secret.LastFour{Current: valueOf(l.Current), Next: valueOf(l.Next)}
}

func m2mSecrets(s *sender) *Secrets {
	return &Secrets{
		start:    rotationStep{operation.StartM2MClientSecretRotation, s.api.StartM2MClientSecretRotation},
		complete: rotationStep{operation.CompleteM2MClientSecretRotation, s.api.CompleteM2MClientSecretRotation},
		cancel:   rotationStep{operation.CancelM2MClientSecretRotation, s.api.CancelM2MClientSecretRotation},
		next: func(resp *http.Response, err error) (secret.String, error) {
			type started = gen.StartM2MClientSecretRotationResponse
			out, err := decodeSecret(resp, err, func(out *started) (*string, *secret.String) {
				return &out.M2MClient.ClientID, &out.M2MClient.NextClientSecret
			}, func(out *started) bool { return !out.M2MClient.NextClientSecret.IsZero() })
			if out == nil {
				return secret.String{}, err
			}
			return out.M2MClient.NextClientSecret, err
		},
		lastFour: func(ctx context.Context, id string) (secret.LastFour, error) {
			if err := checkClientID(operation.GetM2MClient, id); err != nil {
				return secret.LastFour{}, err
			}
			out, err := decode[struct {
				Client     lastFours `json:"m2m_client"`
				StatusCode int32     `json:"status_code"`
			}](s.api.GetM2MClient(ctx, id))
			if err != nil {
				return secret.LastFour{}, err
			}
			return out.Client.lastFour(), nil
		},
		probe: func(ctx context.Context, id string, value secret.String) (bool, error) {
			return probeM2M(ctx, s, id, value)
		},
	}
}

func connectedAppSecrets(s *sender) *Secrets {
	return &Secrets{
		start:    rotationStep{operation.StartConnectedAppSecretRotation, s.api.StartConnectedAppSecretRotation},
		complete: rotationStep{operation.CompleteConnectedAppSecretRotation, s.api.CompleteConnectedAppSecretRotation},
		cancel:   rotationStep{operation.CancelConnectedAppSecretRotation, s.api.CancelConnectedAppSecretRotation},
		next: func(resp *http.Response, err error) (secret.String, error) {
			type started = gen.StartConnectedAppSecretRotationResponse
			out, err := decodeSecret(resp, err, func(out *started) (*string, *secret.String) {
				return &out.ConnectedApp.ClientID, &out.ConnectedApp.NextClientSecret
			}, func(out *started) bool { return !out.ConnectedApp.NextClientSecret.IsZero() })
			if out == nil {
				return secret.String{}, err
			}
			return out.ConnectedApp.NextClientSecret, err
		},
		lastFour: func(ctx context.Context, id string) (secret.LastFour, error) {
			if err := checkClientID(operation.GetConnectedApp, id); err != nil {
				return secret.LastFour{}, err
			}
			out, err := decode[struct {
				Client     lastFours `json:"connected_app"`
				StatusCode int32     `json:"status_code"`
			}](s.api.GetConnectedApp(ctx, id))
			if err != nil {
				return secret.LastFour{}, err
			}
			if kind := out.Client.ClientType; kind == FirstPartyPublic || kind == ThirdPartyPublic {
				return secret.LastFour{}, publicAppError{}
			}
			return out.Client.lastFour(), nil
		},
		probe: func(context.Context, string, secret.String) (bool, error) {
			return false, invalid("", "the secret of a Connected App needs another proof: a token request for the app")
		},
	}
}
