package seed

import _ "embed"

// Starter is the seed that the command init writes.
//
//go:embed starter.yaml
var Starter string

// The project without a seed: that of Starter. Its secret is known to everyone.
const (
	DefaultProjectID = "project-test-11111111-1111-4111-8111-111111111111"
	DefaultSecret    = "secret-test-local"
)
