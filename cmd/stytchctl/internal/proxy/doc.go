// Package proxy is a reverse proxy that adds an M2M access token to the requests that pass through
// it, for services that have no Stytch SDK in their language. A service sends its requests to the
// proxy on the loopback interface, without a token; the proxy forwards them to the API that a route
// names, with one.
//
// # What is promised
//
//   - A request is never forwarded without a token. Without one the caller gets a problem document
//     (RFC 9457) whose class says why.
//   - The token goes to the hosts of the routes only, by https, or by http to this machine. What
//     callers send as Authorization is removed. Redirects are passed on, not followed.
//   - A token that an API rejects with 401 and invalid_token (RFC 6750) is dropped, and the request
//     is repeated once with another one if its body was kept.
//   - Neither a token nor a secret is in a log, a metric, a problem document or an error.
//
// # Who may call
//
// Anyone who reaches a listener gets requests with a token through, so listeners are on the
// loopback interface unless remote callers are allowed, which takes client certificates. A web page
// reaches the loopback interface too: requests for another host name (DNS rebinding) and requests
// that a page of another origin makes are refused.
package proxy
