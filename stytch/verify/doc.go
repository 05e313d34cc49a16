// Package verify verifies Stytch access tokens: that Stytch signed them for this project, that they
// are of one kind, and that they are valid now. It is everything an API needs to know who calls it.
// It links no other public package of this module.
//
//	verifier, err := verify.New("project-live-...")
//	...
//	claims, err := verifier.Verify(ctx, token, verify.AllScopes("read:users"))
//
// # One kind at a time
//
// Stytch signs session JWTs, tokens of Connected Apps and tokens of M2M clients with the same keys,
// and gives them the same issuer and audience. A verifier accepts M2M tokens, or with
// [WithConnectedApps] those of Connected Apps; it never accepts a user's session. It distinguishes
// them by their claims and by the form of their ids. An M2M client that was created under an id of
// your choice is accepted too, unless the id looks as if Stytch had made it: see [WithClientIDs].
// Deactivating or deleting a client revokes none of its tokens: only [WithActiveCheck] refuses a
// token before it expires.
//
// # What is checked
//
// A token is at most 16 KiB of strict base64url, in three parts. Header and claims are strict JSON:
// valid UTF-8, no name twice, names compared exactly, at most 32 levels. The header has alg RS256,
// a kid, no crit, b64 or enc, and no typ or the media type JWT or at+jwt, in any case and with or
// without application/; keys and addresses in it are never used. crypto/rsa checks the signature
// before any claim is read. Then exp, iat, nbf, iss, aud, sub and scope must be there, have the
// right type and be acceptable. Dates are digits with an optional fraction. A token that lives
// longer than one hour is refused, and clocks may differ by 30 s; options change both.
//
// # Scopes
//
// A scope is granted if it is one of the token's scopes, or if "action:*" is one of them and the
// scope is "action:" followed by anything. Whatever follows the first colon is one resource.
// Stytch's own SDKs differ in places (api versions: go 18.1, node 14, python 15.2, ruby 11.1):
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
// Keys are fetched when the first token needs one, and refreshed about every ten minutes while
// tokens come in; no token waits for a refresh. A token with an unknown kid causes a fetch and
// waits for it, until its own context ends. There may be three such fetches at once and one more
// every ten seconds, for all callers together; a key that could not be looked for is not called
// unknown. While keys cannot be fetched, the last ones are used for 24 h. After that, and whenever
// nothing is known about a key, the error is [ErrKeysUnavailable], for which an API should respond
// with 503, not 401. A key that a download lacks is used until 15 min after the last one that had
// it, see [WithKeyOverlap]; one that a download marks as unusable is not.
//
// # HTTP
//
// [Verifier.Require] is middleware for net/http that responds by RFC 6750. [Verifier.Protect] has
// more settings, such as [MaxAge] for one route. [ProtectedResource] serves the metadata of RFC
// 9728, where MCP clients find out where to get a token.
//
//	mux.Handle("POST /invoices", verifier.Require("write:invoices")(handler))
//
// # Repeated tokens
//
// A thousand verified tokens are remembered by a keyed hash: see [WithCache]. The signature of a
// remembered token is not checked again. Everything that may change is checked at every call: time,
// age, client, scopes, and that the key set is still the same.
package verify
