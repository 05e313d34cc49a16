package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// An answer is a complete response, encoded before the first byte is sent, so that a fault can cut or drop it. It is the
// response object of every operation: the generated ones leave out what Stytch writes as null.
type answer struct {
	status      int
	contentType string
	retryAfter  string
	allow       string
	body        []byte
}

func (a answer) write(w http.ResponseWriter) error {
	a.writeHeader(w)
	_, err := w.Write(a.body)
	return err
}

func (a answer) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
}

// jsonAnswer encodes v, one of the structs in wire.go.
func jsonAnswer(status int, v any) answer {
	return answer{status: status, contentType: "application/json", body: encode(v)}
}

// encode writes compact JSON. Characters that matter only inside HTML are left as they are: texts and metadata come
// back as they were sent.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("emulator: an answer that cannot be encoded: " + err.Error()) // wire.go holds nothing of the kind
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

func (a answer) VisitCreateM2MClientResponse(w http.ResponseWriter) error    { return a.write(w) }
func (a answer) VisitGetM2MClientResponse(w http.ResponseWriter) error       { return a.write(w) }
func (a answer) VisitSearchM2MClientsResponse(w http.ResponseWriter) error   { return a.write(w) }
func (a answer) VisitUpdateM2MClientResponse(w http.ResponseWriter) error    { return a.write(w) }
func (a answer) VisitDeleteM2MClientResponse(w http.ResponseWriter) error    { return a.write(w) }
func (a answer) VisitIssueM2MTokenResponse(w http.ResponseWriter) error      { return a.write(w) }
func (a answer) VisitGetJWKSResponse(w http.ResponseWriter) error            { return a.write(w) }
func (a answer) VisitGetB2BJWKSResponse(w http.ResponseWriter) error         { return a.write(w) }
func (a answer) VisitCreateConnectedAppResponse(w http.ResponseWriter) error { return a.write(w) }
func (a answer) VisitGetConnectedAppResponse(w http.ResponseWriter) error    { return a.write(w) }
func (a answer) VisitSearchConnectedAppsResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a answer) VisitUpdateConnectedAppResponse(w http.ResponseWriter) error { return a.write(w) }
func (a answer) VisitDeleteConnectedAppResponse(w http.ResponseWriter) error { return a.write(w) }
func (a answer) VisitStartM2MClientSecretRotationResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a answer) VisitCancelM2MClientSecretRotationResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a answer) VisitCompleteM2MClientSecretRotationResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a answer) VisitStartConnectedAppSecretRotationResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a answer) VisitCancelConnectedAppSecretRotationResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a answer) VisitCompleteConnectedAppSecretRotationResponse(w http.ResponseWriter) error {
	return a.write(w)
}
