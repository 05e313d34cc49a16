package contract

import "github.com/getkin/kin-openapi/openapi3"

// KnownValues are the values of a field that may get others later, or nil for any other field. The
// contract writes such a field as an anyOf of the known values and {type: string}, because programs
// that are generated from an enum alone refuse a value that is new.
func KnownValues(s *openapi3.Schema) []any {
	if len(s.AnyOf) != 2 || !isAnyString(s.AnyOf[1].Value) {
		return nil
	}
	return s.AnyOf[0].Value.Enum
}

func isAnyString(s *openapi3.Schema) bool {
	return s.Type.Is("string") && len(s.Enum) == 0 && s.Format == "" && s.Pattern == "" && s.MinLength == 0 && s.MaxLength == nil
}
