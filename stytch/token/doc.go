// Package token gets M2M access tokens from Stytch and caches them. Stytch bills every token that
// it issues, so a [Source] requests as few as it can: one request at a time however many callers
// wait, one token per lifetime, and none before a caller needs it. Tokens are refreshed in the
// background before they expire, so only the first caller waits for one.
//
// [Source.Transport] adds the token to HTTP requests. [WithStore] shares tokens among processes,
// and [WithBudget] limits what a faulty loop can cost.
package token

// The way of a token through these files, from the caller to Stytch and back:
//
//	Source.Token   source.go    hands out the token of the source, or of another request
//	slot           slot.go      one cached token, and the one refresh in progress
//	fetcher        fetch.go     reads the credentials and asks the shared store, if there is one
//	sharedStore    shared.go    one process mints, the others wait for what it stores
//	minter         mint.go      tries the secrets of the client, within the budget
//	endpoint       endpoint.go  sends one HTTP request
//	parseToken     response.go  reads the response
//
// Whatever of this is code that the source was given, callback.go runs.
