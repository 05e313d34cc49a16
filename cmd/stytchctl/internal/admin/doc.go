// Package admin is the admin API of the local Stytch: its contract (openapi.yaml), and the handler
// and the client that are generated from it.
package admin

//go:generate go -C ../../../.. run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config cmd/stytchctl/internal/admin/codegen.yaml cmd/stytchctl/internal/admin/openapi.yaml
