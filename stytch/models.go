package stytch

import (
	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch/metadata"
)

// The types of the contract, by the names that read best here. They are the generated ones, so values flow to the generated
// client and back unchanged.
type (
	M2MClient           = gen.M2MClient
	M2MClientWithSecret = gen.M2MClientWithClientSecret // the answer of M2M.Create, and the only one that holds the secret
	M2MCreate           = gen.CreateM2MClientRequest    // a new M2M client; the zero value of a field means "not given"
	M2MUpdate           = gen.UpdateM2MClientRequest    // see Set, Clear and List; the zero value leaves a field alone
	M2MClientStatus     = gen.M2MClientStatus

	ConnectedApp           = gen.ConnectedApp
	ConnectedAppWithSecret = gen.ConnectedAppWithClientSecret // the answer of ConnectedApps.Create
	ConnectedAppCreate     = gen.CreateConnectedAppRequest
	ConnectedAppUpdate     = gen.UpdateConnectedAppRequest
	ConnectedAppType       = gen.ConnectedAppType

	Metadata = metadata.Object // trusted_metadata as raw JSON, see NewMetadata
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
