// Package stytch is a client for the machine-to-machine side of Stytch: M2M clients, Connected Apps, and the rotation of their
// secrets.
//
//	api, err := stytch.New(projectID, projectSecret)
//	...
//	created, err := api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "billing", Scopes: []string{"write:invoices"}})
//	...
//	store(created.ClientID, created.ClientSecret.Reveal()) // the secret is never shown again
//
// A [Client] is made once and shared. Nothing happens at construction. Tests run against package emulator, a local Stytch.
//
// # Secrets
//
// Secrets are [github.com/stytchkit/m2m/stytch/secret.String]: no printer, logger or encoder shows them, and Reveal is the only door.
// No error of this package holds a secret, a token or a request.
//
// # Updates
//
// A field of an update is left alone unless it is set by [Set], [List] or [Clear], so that "", false, 0, an empty list and null
// can all be sent:
//
//	api.M2M.Update(ctx, id, stytch.M2MUpdate{ClientDescription: stytch.Set(""), Scopes: stytch.List("read:users")})
//
// # Retries
//
// What is repeated after a failure depends on what the operation means, never on its HTTP method:
//
//   - Get, Search, Update and Delete are repeated after 408, 425, 429, 500, 502, 503, 504, lost connections and timeouts.
//   - So is Secrets.Probe, at the price of one more token for each answer that was lost.
//   - Create and the steps of a rotation cannot be: their answer holds a secret that is shown once, or their effect depends on
//     what came before. They are repeated only if Stytch cannot have processed the request: the connection failed before it
//     was sent, or the answer was 429. In all other cases the error is [ErrOutcomeUnknown] and says how to find out.
//   - Create of an M2M client that was given its own id and secret loses nothing with its answer: it is settled by reading
//     the client, and may be called again.
//
// Waits are random, double, honor Retry-After, end with the context, and are bounded, as are attempts (see [WithRetry]). All
// calls of a client share a budget, so that an outage costs one request a call instead of three.
//
// # Errors
//
// Every answer that is not a success is an [*Error], whatever its body was: an HTML page of a gateway keeps its status. The
// sentinels of this package (such as [ErrNotFound]) say what happened; errors.Is also finds context.Canceled and
// context.DeadlineExceeded.
//
//	if errors.Is(err, stytch.ErrNotFound) { ... }
//	var e *stytch.Error
//	if errors.As(err, &e) { log.Print(e.RequestID) }
//
// # Observing
//
// [WithObserver] is called after every attempt; with log/slog:
//
//	stytch.WithObserver(func(ctx context.Context, a stytch.Attempt) {
//		slog.DebugContext(ctx, "stytch", "operation", a.Operation, "attempt", a.Number, "status", a.StatusCode,
//			"request_id", a.RequestID, "duration", a.Duration)
//	})
//
// For OpenTelemetry, wrap the transport of an http.Client with otelhttp.NewTransport and give it to [WithHTTPClient]; every
// attempt becomes a span below the span of the context.
//
// # Compatibility
//
// Until version 1.0 a minor version may change the API; the changelog says how. The two newest Go releases are supported.
package stytch
