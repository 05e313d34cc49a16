// Package emulator is a local Stytch for tests and development. It serves one project over HTTP,
// from memory and, if you like, with a storage: machine-to-machine (M2M) clients, Connected Apps,
// the rotation of their secrets, M2M access tokens and the key set, introspection and revocation,
// dynamic client registration, and the metadata of the authorization server.
//
// It follows the contract of this module (api/openapi.yaml, served at /openapi.yaml) and shares no
// code with the SDK, so it works for clients in any language.
//
// # In a test
//
// Package emulatortest starts a server that ends with the test:
//
//	s := emulatortest.NewServer(t, emulator.WithM2MClient(emulator.M2MClientSeed{
//		ClientID: "worker", Secret: "Correct-Horse-9", Scopes: []string{"read:users"},
//	}))
//	client, err := stytch.New(s.ProjectID, s.Secret, stytch.WithBaseURL(s.URL))
//
// [Start] does the same outside of tests. Both take well under a millisecond, so every test can
// have its own. [New] returns the bare [http.Handler] for a server of your own, for httptest, or
// for an in-memory connection inside a testing/synctest bubble: it starts no goroutine, and waits
// only on timers and on the request's context.
//
// The state is real. A client that was created is found; a secret works until its rotation is
// completed; an inactive client gets no token; tokens are signed with a listed key. Use
// [Emulator.TokensMinted] to count what Stytch would bill, [Emulator.Requests] to see what was
// sent and why it was refused, [Emulator.RotateSigningKey] and [Emulator.RetireSigningKey] to
// exercise the key cache of a verifier, and [Emulator.Claims] with [Emulator.Sign] for tokens that
// Stytch would never issue.
//
// # Faults
//
// [WithFaults] and [Emulator.Inject] make operations fail: with an error of Stytch, with the HTML
// page of a proxy, with a body that is truncated, slow or not JSON, with a connection that ends
// before the operation took effect ([Reset]) or after it ([DropResponse]). Test with the last one
// in particular: a client cannot know whether its secret was rotated.
//
//	emulator.WithFaults(emulator.DropResponse("StartM2MClientSecretRotation").Times(1))
//
// # As a server
//
// [WithStorage] keeps the state beyond the process. A [Storage] loads and saves records; the
// package writes no file itself. No response is sent before what it shows is stored.
// [Emulator.Records] exports the state, without any client's secret.
//
// What a console or an API needs is there as data: faults as JSON ([Fault.UnmarshalJSON],
// [FaultKinds], [Emulator.Faults]), the fields of [Behavior] ([Behaviors]), which
// [Emulator.SetBehavior] changes while requests are served, keys ([Emulator.Keys]), the bill
// ([Emulator.MintedBy]), and each request with its reason ([WithObserver]). [Emulator.Trusted]
// serves the operations to a caller in the same process.
//
// # What is known about Stytch
//
// Documented by Stytch:
//
//   - paths, fields and the envelope of responses; errors with error_type and error_url; HTTP Basic
//     authentication
//   - updates change only the fields that are present; how metadata is merged; its limits of 20
//     keys and 4 KB
//   - both secrets work during a rotation; what start, cancel and complete do
//   - search: filters, AND and OR, exact names, any of the scopes; limits of at most 1000, 100 by
//     default; a total of -1 where totals are disabled
//   - tokens: the claims, a life of one hour, all scopes if none are requested, else the requested
//     ones in their order; inactive clients are refused; the fields of a key
//   - introspection: the claims of an active token, active false and nothing else for any other;
//     public apps need no secret; registration: off by default, its types, one app for equal public
//     metadata
//   - third-party apps get neither full access nor offline access without consent
//
// Observed in responses or in Stytch's own libraries:
//
//   - compact bodies with sorted keys and explicit nulls, and the order of keys in errors; for M2M
//     clients and Connected Apps this is inferred from other objects of the same API
//   - the formats of ids; secrets of 48 characters; invalid_client with status 400
//   - a token that was requested on the domain of the project has that domain as its iss; what the
//     metadata of RFC 8414 contain
//   - client credentials in the body of a token request, which win over a Basic header beside them
//   - rotation requests with an empty body, {} or the client id; a body with DELETE; unknown query
//     parameters; a cursor of ""
//
// Unknown, because nothing was found or the sources contradict each other: each has a field in
// [Behavior]. Apart from those, Stytch publishes most error types without their status and message:
// the statuses are assumed, and the messages are the emulator's own.
//
// Assumed, and not configurable:
//
//   - Clients are listed in the order of their creation. A cursor is a position in that order, so
//     clients that are added or removed between two pages cause no other client to be listed twice
//     or left out.
//   - A search operand without values matches nothing.
//   - Checks run in this order: route, credentials, body, fields, then the id in the path.
//   - Unknown fields are ignored, unless [WithStrict] is set; of a repeated key the last value
//     counts; a body over 1 MiB gets a 413; text that is not valid Unicode is refused.
//   - A chosen client id has at most 256 bytes, none of / \ % ? #, no control characters, no
//     leading or trailing space, and is not ".", ".." or "search". A chosen secret has at least 8
//     characters (documented), 5 of them different, and is not "[REDACTED]". A scope is a
//     scope-token of RFC 6749.
//   - A redirect URL is https, or http with a loopback address; in live projects it is https and
//     not localhost. The token template of an app begins and ends with braces and is never
//     rendered; that of M2M tokens is [WithTokenTemplate].
//   - A Connected App is always active, and its creation_method is the same however it came about.
//     Its secret can only be rotated: the authorization flows of Connected Apps are not part of the
//     contract.
//   - A token request is checked for its form, the grant, the client, its status and the scopes, in
//     this order. Requested scopes may be repeated.
//   - The domain of the project is the host of the request, or the address of [WithIssuer]. The
//     paths of the domain and those with a project id are served side by side.
//   - A client introspects and revokes its own tokens only: any other token is not active, and
//     revoking it does nothing. A revoked token stays a valid JWT.
//   - A key set of another project gets project_not_found; a key set with a malformed
//     project id gets invalid_project_id.
//
// The routes /health and /openapi.yaml belong to the emulator.
//
// # Safety
//
// The emulator is for tests and development only. It stores secrets of clients as hashes and never
// prints or logs a secret, but [Emulator.Credentials] returns the project's secret, a [Storage]
// gets it together with the private keys, and chosen client secrets are hashed cheaply to keep
// tests fast. [Start] listens on a loopback address, and
// responds only to loopback names and those of [WithHosts].
package emulator
