package api

import "github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"

type flags struct {
	data     string
	fields   []string
	paginate bool
	secret   destination.Flags
}
