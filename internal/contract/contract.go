// Package contract checks programs against api/openapi.yaml. A [Transport] validates every request
// and response that passes through it, and [Random] generates instances of the schemas. Only tests
// and the conformance suite import it.
package contract

import (
	"fmt"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/stytchkit/m2m/api"
)

// Load returns the contract without its servers, so that its routes match under any host. All
// callers share one document, which is read-only and safe for concurrent use.
func Load() (*openapi3.T, error) { return document() }

var document = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	doc.Servers = nil
	for _, item := range doc.Paths.Map() {
		item.Servers = nil
	}
	return doc, nil
})

// router is shared as well, because building it validates the whole document.
var router = sync.OnceValues(func() (routers.Router, error) {
	doc, err := document()
	if err != nil {
		return nil, err
	}
	r, err := legacy.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return r, nil
})

// fieldNames holds the names of all properties in the contract.
var fieldNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	doc, err := document()
	if err != nil {
		return names
	}
	_ = doc.WalkSchemas(func(_ string, ref *openapi3.SchemaRef) error {
		for name := range ref.Value.Properties {
			names[name] = true
		}
		return nil
	})
	return names
})
