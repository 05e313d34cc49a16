package emulator

import (
	"fmt"
	"net/http"
	"strconv"
)

// oauthOperations respond as RFC 6749 says.
var oauthOperations = map[string]bool{
	"IssueM2MToken": true, "IssueM2MTokenOnProjectDomain": true,
	"IntrospectToken": true, "IntrospectTokenOnProjectDomain": true,
	"RevokeToken": true, "RevokeTokenOnProjectDomain": true,
}

// A response is complete before its first byte is sent, so that a fault can cut or drop it.
type response struct {
	status      int
	contentType string
	retryAfter  string
	allow       string
	noStore     bool
	body        []byte
}

// jsonResponse encodes v, one of the types in wire.go.
func jsonResponse(status int, v any) response {
	return response{status: status, contentType: "application/json", body: encode(v)}
}

// failureResponse renders a failure in the format of Stytch's API, or of RFC 6749 at the token
// endpoint.
func failureResponse(f *failure, requestID string) response {
	page := fmt.Sprintf("https://stytch.com/docs/api/errors/%d#%s", f.status, f.kind)
	if f.oauth {
		return jsonResponse(f.status, oauthErrorWire{f.status, requestID, f.kind, f.message, page})
	}
	return jsonResponse(f.status, errorWire{f.status, requestID, f.kind, f.message, page})
}

func (r response) writeTo(w http.ResponseWriter) {
	r.writeHeader(w)
	_, _ = w.Write(r.body) // fails if the client is gone, and then there is no one left to inform
}

func (r response) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	if r.contentType != "" {
		h.Set("Content-Type", r.contentType)
	}
	if r.retryAfter != "" {
		h.Set("Retry-After", r.retryAfter)
	}
	if r.allow != "" {
		h.Set("Allow", r.allow)
	}
	if r.noStore {
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
	}
	h.Set("Content-Length", strconv.Itoa(len(r.body)))
	w.WriteHeader(r.status)
}
