package deliver

// Clean is text without secrets, as in errors.
func Clean(text string, secrets ...string) string {
	return confidential(secrets).clean(text, 0, len(text))
}

// Quote is what a server said, as in errors.
func Quote(text string, secrets ...string) string { return confidential(secrets).quote(text) }

// Tail is what is repeated of what a program said.
func Tail(said []string, secrets ...string) string {
	var t tail
	for _, s := range said {
		_, _ = t.Write([]byte(s)) // cannot fail
	}
	return t.clean(secrets)
}

// InClusterAt is InCluster with another environment and folder.
var InClusterAt = inCluster

// Attempts is how often a place is read before others are said to be in the way.
const Attempts = attempts
