//go:build tools

// Package tools names the code generator, so that go.mod pins its version and a plain
// clone regenerates with nothing installed beforehand.
package tools

import _ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
