package secret

// LastFour distinguishes the secrets of a client without containing them. It has the last four
// characters of the current secret and, while a rotation is in progress, of the next one. Two
// secrets may end alike, so only a token request proves that a secret works.
type LastFour struct {
	Current string // "" if Stytch does not report it
	Next    string // "" unless a rotation is in progress
}

// Rotating reports whether a rotation is in progress. Both secrets are then accepted.
func (l LastFour) Rotating() bool { return l.Next != "" }
