// Package verify verifies access tokens of Stytch: that Stytch signed them for this project, that they are of one certain kind,
// and that they are good now. It is all that an API needs to know who calls it, and links nothing else of this module.
//
//	verifier, err := verify.New("project-live-...")
//	...
//	claims, err := verifier.Verify(ctx, token, verify.AllScopes("read:users"))
//
// # One kind at a time
//
// Stytch signs session JWTs, tokens of Connected Apps and tokens of M2M clients with the same keys, and gives them the same
// issuer and audience. A verifier accepts M2M tokens, or with [WithConnectedApps] those of Connected Apps; it never accepts the
// session of a user. What it can tell them by are the claims and the form of the subject. An M2M client that was imported under
// an id of your own choice has to be named with [WithClientIDs]. Only [WithActiveCheck] proves that the client exists, and only
// it ends a token before it expires: deactivating or deleting a client revokes nothing.
//
// # What is checked
//
// A token is at most 16 KiB of strict base64url, in three parts. Header and claims are strict JSON: valid UTF-8, no name twice,
// names compared exactly, at most 32 levels. The header has alg RS256, a kid, no crit, b64 or enc, and as typ nothing, JWT or
// at+jwt; keys and addresses in it are never used. The signature is checked by crypto/rsa before any claim is looked at. Then
// exp, iat, nbf, iss, aud, sub and scope must be there and of the right type, and be acceptable; a token of more than one hour
// is refused; clocks may differ by 30 s.
//
// # Scopes
//
// A scope is granted if it is among the scopes of the token, or if "action:*" is and the scope is "action:" with anything
// behind it; what follows the first colon is one resource. Stytch's own SDKs differ in places (api versions: go 18.1, node 14,
// python 15.2, ruby 11.1):
//
//	granted        required          here   go    node         python       ruby
//	read:*         read:users        yes    yes   yes          yes          yes
//	read:*         read:users:me     yes    yes   yes          ValueError   yes
//	read:*         read              no     yes   yes          yes          yes
//	read           read:-            no     yes   yes          yes          yes
//	*              read:users        no     no    no           no           no
//	read:users:me  read:users:all    no     no    yes          ValueError   yes
//	read:users:*   read:users:me     no     no    yes          ValueError   yes
//
// # Keys
//
// Keys are fetched when the first token needs one, and refreshed every ten minutes or so while tokens come in; no token waits
// for a refresh. A token with an unknown kid causes a fetch, and waits for it by its own context: three such fetches at once
// and one more every ten seconds, whoever asks. While keys cannot be fetched, the last ones are used for 24 h; after that, and
// whenever nothing is known about a key, the error is [ErrKeysUnavailable], for which an API answers 503 and not 401.
//
// # HTTP
//
// [Verifier.Require] is middleware for net/http that answers as RFC 6750 says; [Verifier.Protect] has more to set, such as
// [MaxAge] for one route. [ProtectedResource] serves the metadata of RFC 9728, by which MCP clients find where to get a token.
//
//	mux.Handle("POST /invoices", verifier.Require("write:invoices")(handler))
//
// # Repeated tokens
//
// A thousand verified tokens are remembered, by a digest: see [WithCache]. The signature of a remembered token is not checked
// again, everything that may change is.
package verify
