// Package stytch is a client for the machine-to-machine API of Stytch. It manages M2M clients and
// Connected Apps, and rotates their secrets. [OAuth] is for those without the project's secret.
//
//	api, err := stytch.New(projectID, projectSecret)
//	...
//	created, err := api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "billing", Scopes: []string{"write:invoices"}})
//	...
//	store(created.ClientID, created.ClientSecret.Reveal()) // the secret is never shown again
//
// [New] takes the id and a secret of a project, [FromEnv] reads STYTCH_PROJECT_ID,
// STYTCH_PROJECT_SECRET and STYTCH_BASE_URL. Create one [Client] and share it. Package token
// gets access tokens, package verify checks them, package rotate replaces secrets without downtime,
// and package emulator is a local Stytch.
//
// # Secrets
//
// Secrets are of type [github.com/stytchkit/m2m/stytch/secret.String]. Printing, logging or
// encoding one shows a placeholder; only Reveal returns its text. Errors never contain a secret, a
// token or a request.
//
// # Updates
//
// An update changes only the fields that are set by [Set], [List] or [Clear], so it can also set a
// field to "", false, 0, an empty list or null:
//
//	api.M2M.Update(ctx, id, stytch.M2MUpdate{ClientDescription: stytch.Set(""), Scopes: stytch.List("read:users")})
//
// # Retries
//
// Whether a failed request is sent again depends on what the operation does, not on its HTTP
// method:
//
//   - Get, Search, Update, Delete, Introspect and Revoke are retried after 408, 425, 429, 500, 502,
//     503, 504, lost connections and timeouts. So is Secrets.Probe, but each may cost a token.
//   - Create, Register and the steps of a rotation show a secret once or depend on the current
//     state. They are retried only if Stytch cannot have processed the request: it was never sent,
//     or the response was 429. Any other failure is [ErrOutcomeUnknown], and its text says how to
//     find out what happened.
//   - Create of an M2M client with its own id and secret is safe: it reads the client to find out,
//     and may be called again.
//
// Waits are random, grow and follow Retry-After; see [WithRetry]. All calls share a
// retry budget, so that in an outage each soon costs one request, not three.
//
// # Errors
//
// Every response that is not a success is an [*Error] with a RequestID, even if its body is the
// HTML page of a gateway. Test for a kind of error with errors.Is and the variables of this
// package, such as [ErrNotFound], or with context.Canceled and context.DeadlineExceeded.
//
// # Observing
//
// [WithObserver] sets a function to call after every attempt, such as one that logs it. For
// OpenTelemetry, pass [WithHTTPClient] an http.Client with the transport of otelhttp.NewTransport:
// each attempt becomes a span.
package stytch
