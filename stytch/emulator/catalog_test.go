package emulator_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/stytch/emulator"
)

// Every error type that the contract lists for an operation can be produced there by its name, with
// a status and in a format that the contract allows.
func TestEveryErrorTypeCanBeProduced(t *testing.T) {
	contract, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	catalog := contract.Extensions["x-error-catalog"].(map[string]any)
	w := start(t)
	tried := map[string]bool{}
	for path, item := range contract.Paths.Map() {
		for method, op := range item.Operations() {
			statuses := map[string][]int{} // by error type
			for code, response := range op.Responses.Map() {
				types, _ := response.Value.Extensions["x-error-types"].([]any)
				for _, kind := range types {
					status, _ := strconv.Atoi(code)
					statuses[kind.(string)] = append(statuses[kind.(string)], status)
				}
			}
			for kind, allowed := range statuses {
				tried[kind] = true
				remove := w.Inject(emulator.ErrorType(op.OperationID, kind))
				got := w.call(method, path, "")
				remove()
				if got.kind() != kind || !slices.Contains(allowed, got.status) {
					t.Errorf("%s: %d %q, want %v %q", op.OperationID, got.status, got.kind(), allowed, kind)
				}
			}
		}
	}
	for kind := range catalog {
		if !tried[kind] {
			t.Errorf("%s is in the catalog, but belongs to no operation", kind)
		}
	}
	// And the other way round. These two are errors of HTTP, not of an operation.
	known := slices.Sorted(maps.Keys(catalog))
	for _, kind := range emulator.ErrorTypes() {
		if !slices.Contains(known, kind) && kind != "route_not_found" && kind != "method_not_allowed" {
			t.Errorf("%s is not in the catalog", kind)
		}
	}
}
