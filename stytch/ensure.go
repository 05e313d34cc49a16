package stytch

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/secret"
)

// M2MEnsured is what M2M.Ensure found or did.
type M2MEnsured struct {
	Client  *M2MClient    // as it is now
	Secret  secret.String // the desired one, or that of a new client; zero if neither is known
	Created bool          // there was no client before
	Updated []string      // the fields that were changed, such as "scopes"; empty for a new client
}

// ConflictError says that the id of a client is taken by one that differs from the desired one. It
// is [ErrAlreadyExists]. Only the last four characters of the secrets are compared: proving a
// secret would take a token request, which is billed.
type ConflictError struct {
	ClientID string
	Differs  []string // fields: "client_secret", "scopes", ...; never empty

	cause error // the response that refused the id, or nil
}

func (e *ConflictError) Error() string {
	text := "stytch: " + operation.CreateM2MClient.ID + ": already exists: "
	if slices.Contains(e.Differs, "client_secret") {
		return text + "the client with this id has another secret: choose another ClientID, or leave the client to its owner"
	}
	return text + "the client with this id has a secret that ends like yours, but " + strings.Join(e.Differs, ", ") + " differ: call M2M.Update or M2M.Ensure"
}

// Is reports whether target is [ErrAlreadyExists].
func (e *ConflictError) Is(target error) bool { return target == ErrAlreadyExists }

// Unwrap is the response that refused the id, if there was one.
func (e *ConflictError) Unwrap() error { return e.cause }

// Ensure makes the project have the client that r describes: it creates the client, or updates the
// fields that differ, or does nothing. It is safe to repeat. ClientID must be set. Fields of r with
// their zero value are left as they are, and so are the status of the client and metadata keys that
// r does not have.
//
// If r has a ClientSecret and the client has another one, the error is a [*ConflictError] and
// nothing is changed. During a rotation both secrets of the client count. Without a ClientSecret a
// new client gets one from Stytch, and its lost response is [ErrOutcomeUnknown].
func (m *M2M) Ensure(ctx context.Context, r M2MCreate) (*M2MEnsured, error) {
	if r.ClientID == "" {
		return nil, invalid("M2M.Ensure", "ClientID must be set, to find the client again: choose one, such as the name of the service")
	}
	if err := checkCreate(r); err != nil {
		return nil, err
	}
	ctx, cancel := m.sender.oneCall(ctx)
	defer cancel()
	client, err := m.Get(ctx, r.ClientID)
	if errors.Is(err, ErrNotFound) {
		created, createErr := m.Create(ctx, r)
		if created != nil {
			return &M2MEnsured{Client: withoutSecret(created), Secret: created.ClientSecret, Created: true}, createErr
		}
		if !errors.Is(createErr, ErrAlreadyExists) {
			return nil, createErr
		}
		client, err = m.Get(ctx, r.ClientID) // another caller was faster
	}
	if err != nil {
		return nil, err
	}
	differs, err := differences(r, client)
	if err != nil {
		return nil, err
	}
	if slices.Contains(differs, "client_secret") {
		return nil, &ConflictError{ClientID: r.ClientID, Differs: differs}
	}
	result := &M2MEnsured{Client: client, Secret: secret.String(r.ClientSecret)}
	if len(differs) == 0 {
		return result, nil
	}
	if result.Client, err = m.Update(ctx, r.ClientID, updateOf(r, differs)); err != nil {
		return nil, err
	}
	result.Updated = differs
	return result, nil
}

// differences are the fields of r that are set and that the client has otherwise.
func differences(r M2MCreate, client *M2MClient) (names []string, err error) {
	differ := func(name string, different bool) {
		if different {
			names = append(names, name)
		}
	}
	ends := func(four string) bool { return four != "" && strings.HasSuffix(r.ClientSecret.Reveal(), four) }
	differ("client_secret", !r.ClientSecret.IsZero() && !ends(client.ClientSecretLastFour) && !ends(valueOf(client.NextClientSecretLastFour)))
	differ("client_name", r.ClientName != "" && r.ClientName != client.ClientName)
	differ("client_description", r.ClientDescription != "" && r.ClientDescription != client.ClientDescription)
	differ("scopes", !slices.Equal(setOf(r.Scopes), setOf(client.Scopes)))
	changed, err := changesMetadata(r.TrustedMetadata, client.TrustedMetadata)
	differ("trusted_metadata", changed)
	return names, err
}

func setOf(scopes []string) []string { return slices.Compact(slices.Sorted(slices.Values(scopes))) }

// changesMetadata reports whether merging the desired metadata into what a client has changes it.
func changesMetadata(desired, has Metadata) (bool, error) {
	want, err := desired.Map()
	if err != nil {
		return false, err
	}
	got, err := has.Map()
	if err != nil {
		return false, err
	}
	merged := maps.Clone(got)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, value := range want {
		if value == nil {
			delete(merged, key)
		} else {
			merged[key] = value
		}
	}
	return len(merged) != len(got) || len(got) > 0 && !reflect.DeepEqual(merged, got), nil
}

// updateOf sets the named fields.
func updateOf(r M2MCreate, names []string) (u M2MUpdate) {
	for _, name := range names {
		switch name {
		case "client_name":
			u.ClientName = Set(r.ClientName)
		case "client_description":
			u.ClientDescription = Set(r.ClientDescription)
		case "scopes":
			u.Scopes = List(r.Scopes...)
		case "trusted_metadata":
			u.TrustedMetadata = Set(r.TrustedMetadata)
		}
	}
	return u
}

// withoutSecret is a client as all other operations return it.
func withoutSecret(c *M2MClientWithSecret) *M2MClient {
	return &M2MClient{
		ClientID: c.ClientID, ClientName: c.ClientName, ClientDescription: c.ClientDescription, Status: c.Status, Scopes: c.Scopes,
		ClientSecretLastFour: c.ClientSecretLastFour, NextClientSecretLastFour: c.NextClientSecretLastFour, TrustedMetadata: c.TrustedMetadata,
	}
}
