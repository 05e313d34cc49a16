package stytch

import (
	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch/metadata"
)

// The types of the contract, by the names that read best here. They are the generated ones, so values flow to the generated
// client and back unchanged.
type (
	// M2MClient is a machine identity of the project, without its secret.
	M2MClient = gen.M2MClient
	// M2MClientWithSecret is the answer of M2M.Create, and the only one that holds the secret.
	M2MClientWithSecret = gen.M2MClientWithClientSecret
	// M2MCreate is a new M2M client. The zero value of a field means "not given".
	M2MCreate = gen.CreateM2MClientRequest
	// M2MUpdate is a change of an M2M client. The zero value leaves a field alone; see Set, Clear and List.
	M2MUpdate = gen.UpdateM2MClientRequest
	// M2MClientStatus is Active, Inactive, or one that Stytch adds later.
	M2MClientStatus = gen.M2MClientStatus

	// ConnectedApp is an OAuth 2.0 client that acts for the users of the project, without its secret.
	ConnectedApp = gen.ConnectedApp
	// ConnectedAppWithSecret is the answer of ConnectedApps.Create. Public apps have no secret.
	ConnectedAppWithSecret = gen.ConnectedAppWithClientSecret
	// ConnectedAppCreate is a new Connected App. The zero value of a field means "not given".
	ConnectedAppCreate = gen.CreateConnectedAppRequest
	// ConnectedAppUpdate is a change of a Connected App. The zero value leaves a field alone; see Set, Clear and List.
	ConnectedAppUpdate = gen.UpdateConnectedAppRequest
	// ConnectedAppType says whose application it is, and whether it can keep a secret.
	ConnectedAppType = gen.ConnectedAppType

	// Metadata is trusted_metadata, raw JSON until asked for; see NewMetadata.
	Metadata = metadata.Object
)

// The states of an M2M client. Stytch may add others.
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

// NewMetadata makes trusted metadata from a struct, a map or raw JSON that encodes to an object. In an update it is merged into what is
// there: a key with null is removed, keys that are left out stay. Stytch allows 20 keys at the top level and 4 KB in all.
func NewMetadata(v any) (Metadata, error) { return metadata.From(v) }

// valueOf is what a pointer of a model points to, or "".
func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
