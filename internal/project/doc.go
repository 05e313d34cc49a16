// Package project holds the rules for what names a Stytch project and its clients: ids, secrets,
// addresses, and the version that this SDK sends along. Each rule has one wording. Callers put
// their own name and the name of the option before it.
//
// No error quotes what it refuses: ids and secrets are easily swapped, and addresses may carry
// credentials.
package project
