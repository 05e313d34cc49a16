// Package emulator is a local Stytch for tests: one project in memory that serves machine-to-machine (M2M) clients,
// Connected Apps, the rotation of their secrets, M2M access tokens and the key set, over the same HTTP as the real one.
// It speaks the contract of this module (api/openapi.yaml, served at /openapi.yaml) and shares no code with the client
// that it is there to test.
//
// # In a test
//
//	s := emulatortest.NewServer(t, emulator.WithM2MClient(emulator.M2MClientSeed{
//		ClientID: "worker", Secret: "Correct-Horse-9", Scopes: []string{"read:users"},
//	}))
//	// s.URL, s.ProjectID and s.Secret are what a client needs; the server ends with the test.
//
// [NewServer] takes well under a millisecond. [New] gives the bare [http.Handler], for a server of your own, for
// httptest, or for an in-memory connection inside a testing/synctest bubble: it starts no goroutine and waits only on
// timers and the request's context.
//
// State is real: a client that was created is found, a secret works until its rotation is completed, an inactive client
// gets no token, and tokens are signed with a key of the served key set. [Emulator.TokensMinted] counts what would be
// billed, [Emulator.Requests] is the request log, [Emulator.RotateSigningKey] and [Emulator.RetireSigningKey] exercise a
// verifier's key cache, [Emulator.Sign] signs claims that Stytch never would.
//
// # Faults
//
// [WithFaults] and [Emulator.Inject] make operations fail: with an error of Stytch, with a proxy's HTML, with a body that
// is cut, slow or no JSON, with a connection that ends before the work is done ([Reset]) or after it ([DropResponse]). The
// last is the one to test with: a client cannot know whether its secret was rotated.
//
//	emulator.WithFaults(emulator.DropResponse("StartM2MClientSecretRotation").Times(1))
//
// # What is known about Stytch
//
// Documented by Stytch: paths, fields and the envelope; errors as error_type with error_url; Basic authentication of the
// project; that an update changes only the fields that are present; how metadata is merged, 20 keys and 4 KB of it; that
// both secrets work during a rotation, and what start, cancel and completion do; filters, AND and OR, exact names, any
// of the scopes; limits of at most 1000 with 100 by default, and a total of -1 where totals are off; the claims and the
// hour of a token, all scopes if none are asked for, and the order of those that are; that inactive clients are
// refused; that third party apps get neither full access nor offline access without consent; the fields of a key.
//
// Observed on the wire or in Stytch's own libraries: compact bodies with sorted keys and nulls where nothing is set (of
// other objects of the same API; taken over for these); the order of keys in errors; the formats of ids; secrets of 48 characters; invalid_client with status 400; credentials in
// the body of a token request that win over a Basic header beside them; rotation calls with an empty body, {} or the
// client id; a body with DELETE, unknown query parameters, a cursor of "".
//
// Open, because nothing was found or the sources contradict each other: every field of [Behavior], which is the switch
// for it and says what is known. Beyond that, Stytch publishes most names of errors without their status and text: those
// statuses are assumed, and those texts are the emulator's own.
//
// Assumed, without a switch:
//
//   - Clients are listed in the order of their creation. A cursor stands for a place in that order, so clients that are
//     added and removed between two pages make no other one appear twice or not at all.
//   - A search operand without values matches nothing.
//   - The order of checks: route, credentials, body, fields, then the id in the path.
//   - Unknown fields are ignored ([WithStrict] refuses them); of a repeated key the last value counts; a body over 1 MiB
//     is answered with 413; text that is not Unicode is refused.
//   - A chosen client id has at most 256 bytes, no / \ % ? #, no control characters, no space around it, and is not one
//     of ".", ".." and "search". A chosen secret has at least 8 characters (documented), 5 of them different, and is not
//     "[REDACTED]". A scope is a scope-token of RFC 6749.
//   - A redirect URL is https, or http on a loopback address; in live projects it is https and not localhost. A template
//     begins and ends with braces; it is not rendered, and neither is the template of M2M tokens.
//   - A Connected App is always active and was made by hand. Its secret is good for rotation only: the flows that it is
//     for are not part of the contract.
//   - A token request is checked for its form, the grant, the client, its status, the scopes, in this order; requested
//     scopes may be repeated.
//   - Known paths of another project are answered with project_not_found, of a malformed project id in a key set with
//     invalid_project_id.
//
// The routes /health and /openapi.yaml are the emulator's own.
//
// # Safety
//
// It is for tests. Secrets of clients are kept hashed, and nothing here prints or logs a secret, but the project's secret
// can be read back with [Emulator.Secret], and chosen secrets are hashed cheaply so that tests stay fast. [NewServer]
// listens on a loopback address.
package emulator
