// Package rotate changes the secret of a client that is in use, without an outage and without ever
// losing a secret. It works for M2M clients and Connected Apps, survives a crash at any point, and
// can be resumed by any process that has the journal.
//
//	journal, err := filejournal.New("/var/lib/billing/rotation", projectID, key)
//	rotator, err := rotate.New(api.M2M.Secrets, deliver.File("/run/billing/credentials.json"), journal, rotate.WithGrace(10*time.Minute))
//	err = rotator.Run(ctx, clientID)
//
// # What happens
//
// Stytch accepts two secrets of a client while a rotation is in progress (documented). A rotation
// asks the places whether they work and what they hold, proves the current one by a token request,
// requests the next one, stores it in the journal, proves it, gives it to the deliverers, reads it
// back, waits (grace period, readiness), proves it again, completes, proves it once more, and takes
// the previous one away from the deliverers. Each state is durable before the effect that follows
// from it. The journal, the server and the proofs are compared whenever a rotation is resumed, and
// before every effect that cannot be undone.
//
// # What is promised
//
//   - I1: at every moment some stored secret is accepted by the server.
//   - I2: a secret is durable before any deliverer gets it.
//   - I3: completed only after the stored next secret was proved.
//   - I4: canceled only after the stored current secret was proved.
//   - I5: running again from any state ends in completed, or in an error of this package.
//   - I6: of two processes on one client, one rotates it, and the other gets [ErrBusy].
//
// For what cannot be promised see docs/rotation.md. Stytch has no conditional completion: if
// another person cancels and restarts the rotation by hand in the instant between the last look and
// the completion, their next secret is completed instead of ours.
//
// # Cost
//
// A rotation without a grace period is eight requests, three of which are token requests, which
// Stytch bills; with one it is ten and four. [Rotator.Forecast] returns what a run would cost.
package rotate
