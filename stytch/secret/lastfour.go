package secret

// LastFour tells the secrets of a client apart without holding them: the last four characters of the current one and,
// while a rotation is in progress, of the next one. It is a hint, not a proof: two secrets may end alike. Only a token
// request proves that a secret works.
type LastFour struct {
	Current string // "" where Stytch does not say
	Next    string // "" unless a rotation is in progress
}

// Rotating reports whether a rotation is in progress, so that both secrets are accepted.
func (l LastFour) Rotating() bool { return l.Next != "" }
