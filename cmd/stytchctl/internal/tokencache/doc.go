// Package tokencache shares access tokens among the processes of one machine through a file, so
// that the steps of a CI job pay for one token. It implements [token.Store].
//
// The file is private, and useless to anyone who has it alone: package token encrypts each token
// under a key that is derived from the client's secret, and names it by a hash that takes that
// secret too. What the file shows is how many tokens there are, and when they expire.
package tokencache
