// Package api holds the contract as bytes: the OpenAPI description that everything else in this
// module is generated from or tested against.
package api

import _ "embed"

// OpenAPI is api/openapi.yaml (OpenAPI 3.0.3), as written. Treat it as read-only.
//
//go:embed openapi.yaml
var OpenAPI []byte
