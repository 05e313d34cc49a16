package deliver

import "github.com/stytchkit/m2m/internal/redact"

// Tail is what an error quotes of the output of a program.
func Tail(output []string, secrets ...string) string {
	var t tail
	for _, s := range output {
		_, _ = t.Write([]byte(s)) // cannot fail
	}
	return t.text(redact.New(secrets...))
}

// InClusterAt is InCluster with another environment and folder.
var InClusterAt = inCluster

// DefaultKey is the key in a Secret.
const DefaultKey = defaultKey
