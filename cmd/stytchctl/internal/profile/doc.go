// Package profile keeps the profiles of a user: which project, at which address, and where its
// secret is. The file config.yaml holds no secret. Secrets are in the keyring of the operating
// system, or each in a file of its own that only its owner can read.
package profile
