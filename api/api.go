// Package api embeds the contract: the OpenAPI description of Stytch's API that everything else in
// this module is generated from or tested against.
package api

import _ "embed"

// OpenAPI is the file api/openapi.yaml (OpenAPI 3.0.3). It must not be modified.
//
//go:embed openapi.yaml
var OpenAPI []byte
