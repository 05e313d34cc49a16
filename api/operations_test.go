package api_test

import (
	"maps"
	"regexp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/internal/contractdiff"
)

// safetyClasses is what each operation was when it was added. A class says what the client may
// repeat, so a wrong one loses a secret or costs money, and nothing else in the contract shows it.
// No other test lists the operations: they read the contract, or the table made from it.
var safetyClasses = map[string]string{
	"CreateM2MClient":                 "shown-once",
	"GetM2MClient":                    "read",
	"SearchM2MClients":                "read",
	"UpdateM2MClient":                 "idempotent",
	"DeleteM2MClient":                 "idempotent",
	"StartM2MClientSecretRotation":    "shown-once",
	"CancelM2MClientSecretRotation":   "shown-once",
	"CompleteM2MClientSecretRotation": "shown-once",

	"CreateConnectedApp":                 "shown-once",
	"GetConnectedApp":                    "read",
	"SearchConnectedApps":                "read",
	"UpdateConnectedApp":                 "idempotent",
	"DeleteConnectedApp":                 "idempotent",
	"StartConnectedAppSecretRotation":    "shown-once",
	"CancelConnectedAppSecretRotation":   "shown-once",
	"CompleteConnectedAppSecretRotation": "shown-once",

	"IssueM2MToken":                "billed",
	"IssueM2MTokenOnProjectDomain": "billed",

	"GetJWKS":                         "read",
	"GetB2BJWKS":                      "read",
	"GetWellKnownJWKS":                "read",
	"GetWellKnownJWKSOnProjectDomain": "read",

	"IntrospectToken":                               "read",
	"IntrospectTokenOnProjectDomain":                "read",
	"RevokeToken":                                   "idempotent",
	"RevokeTokenOnProjectDomain":                    "idempotent",
	"RegisterConnectedApp":                          "shown-once",
	"GetOpenIDConfiguration":                        "read",
	"GetOpenIDConfigurationOnProjectDomain":         "read",
	"GetAuthorizationServerMetadata":                "read",
	"GetAuthorizationServerMetadataOnProjectDomain": "read",
}

// checkSafety allows a class to become stricter, and nothing else.
func checkSafety(doc *openapi3.T, report reportFunc) {
	for where, op := range operations(doc) {
		class, _ := op.Extensions["x-safety"].(string)
		was := safetyClasses[op.OperationID]
		switch {
		case contractdiff.Strictness(class) == 0:
			report(where, "x-safety %v is none of read, idempotent, shown-once, billed", op.Extensions["x-safety"])
		case was == "":
			report(where, "is new: add %q: %q to safetyClasses in api/operations_test.go", op.OperationID, class)
		case class != was && contractdiff.Strictness(class) <= contractdiff.Strictness(was):
			report(where, "x-safety was %s and may only become stricter, not %s", was, class)
		}
	}
}

// checkOperations notices an operation that is gone or renamed, which breaks every caller.
func checkOperations(doc *openapi3.T, report reportFunc) {
	missing := maps.Clone(safetyClasses)
	for _, op := range operations(doc) {
		delete(missing, op.OperationID)
	}
	for _, id := range slices.Sorted(maps.Keys(missing)) {
		report(id, "is missing: if Stytch removed it, remove its line from safetyClasses in api/operations_test.go")
	}
}

var operationIDPattern = regexp.MustCompile(`^[A-Z][a-z]+[A-Z][A-Za-z0-9]*$`)

func checkOperationIDs(doc *openapi3.T, report reportFunc) {
	seen := map[string]string{}
	for where, op := range operations(doc) {
		if !operationIDPattern.MatchString(op.OperationID) {
			report(where, "operationId %q must be a verb and a noun in UpperCamelCase, such as GetM2MClient", op.OperationID)
		}
		if other := seen[op.OperationID]; other != "" {
			report(where, "operationId is already used by %s", other)
		}
		seen[op.OperationID] = where
	}
}
