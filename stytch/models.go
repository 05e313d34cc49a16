package stytch

import (
	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch/metadata"
)

// The types of the contract. They are aliases of the generated types, so values can be passed to
// the generated client as they are.
type (
	// M2MClient is a machine identity of the project, without its secret.
	M2MClient = gen.M2MClient
	// M2MClientWithSecret is the result of M2M.Create, the only one with the secret.
	M2MClientWithSecret = gen.M2MClientWithClientSecret
	// M2MCreate describes a new M2M client. Fields with their zero value are not sent.
	M2MCreate = gen.CreateM2MClientRequest
	// M2MUpdate is a change to an M2M client. Fields with their zero value stay unchanged; see Set,
	// Clear and List.
	M2MUpdate = gen.UpdateM2MClientRequest
	// M2MClientStatus is Active, Inactive, or a status that Stytch adds later.
	M2MClientStatus = gen.M2MClientStatus

	// ConnectedApp is an OAuth 2.0 client that acts for the users of the project, without its
	// secret.
	ConnectedApp = gen.ConnectedApp
	// ConnectedAppWithSecret is the result of ConnectedApps.Create. Public apps have no secret.
	ConnectedAppWithSecret = gen.ConnectedAppWithClientSecret
	// ConnectedAppCreate describes a new Connected App. Fields with their zero value are not sent.
	ConnectedAppCreate = gen.CreateConnectedAppRequest
	// ConnectedAppUpdate is a change to a Connected App. Fields with their zero value stay
	// unchanged; see Set, Clear and List.
	ConnectedAppUpdate = gen.UpdateConnectedAppRequest
	// ConnectedAppType says who owns the app, and whether it has a secret.
	ConnectedAppType = gen.ConnectedAppType

	// AppRegistration is the metadata of an app that registers itself; see OAuth.Register.
	AppRegistration = gen.RegisterConnectedAppRequest
	// RegisteredApp is the result of OAuth.Register. Public apps have no secret.
	RegisteredApp = gen.RegisterConnectedAppResponse

	// Metadata is trusted_metadata as raw JSON; see NewMetadata.
	Metadata = metadata.Object
)

// The statuses of an M2M client. Stytch may add others.
const (
	Active   = gen.M2MClientStatusActive
	Inactive = gen.M2MClientStatusInactive // gets no new tokens; those it has stay valid until they expire
)

// The types of a Connected App. The public ones have no secret.
const (
	FirstParty       = gen.ConnectedAppTypeFirstParty
	FirstPartyPublic = gen.ConnectedAppTypeFirstPartyPublic
	ThirdParty       = gen.ConnectedAppTypeThirdParty
	ThirdPartyPublic = gen.ConnectedAppTypeThirdPartyPublic
)

// NewMetadata returns trusted metadata from a struct, a map or raw JSON that encodes to an object.
// An update merges it into the metadata of the client: a null removes its key, and keys that are
// left out stay. Stytch allows 20 top-level keys and 4 KB in all.
func NewMetadata(v any) (Metadata, error) { return metadata.From(v) }

// valueOf is what a pointer of a model points to, or "".
func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
