package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/stytchkit/m2m/internal/redact"
)

// get reads a Secret; it is the zero value if there is none.
func (k *KubernetesSecrets) get(ctx context.Context, l location, clientID string, redactor *redact.Redactor) (storedSecret, error) {
	req := request{method: http.MethodGet, path: l.path(), redactor: redactor}
	resp, err := k.server.send(ctx, req)
	switch {
	case err != nil:
		return storedSecret{}, err
	case resp.status == http.StatusNotFound && parseStatus(resp.body).Reason == "NotFound":
		return storedSecret{}, nil
	case resp.status != http.StatusOK:
		return storedSecret{}, k.failure(req, resp, "get")
	}
	stored, err := parseSecret(resp.body, l)
	if err == nil && stored.version == "" {
		err = errors.New("the response is a Secret without resourceVersion")
	}
	if err == nil {
		stored.held, err = stored.object.For(clientID)
	}
	if err != nil {
		return storedSecret{}, fmt.Errorf("deliver: %s: %s: %w", k.server.name, l, err)
	}
	return stored, nil
}

// dryRun makes the API server do everything but store the result.
const dryRun = "?dryRun=All"

// patch is not done if the Secret was changed or deleted since version. A document of nil removes
// the key.
func (k *KubernetesSecrets) patch(ctx context.Context, l location, query, version string, document []byte, redactor *redact.Redactor) (done bool, err error) {
	body, err := json.Marshal(manifest{Metadata: metadata{Version: version}, Data: map[string][]byte{l.key: document}})
	if err != nil {
		return false, err
	}
	req := request{http.MethodPatch, l.path() + query, http.Header{"Content-Type": {"application/merge-patch+json"}}, body, redactor}
	resp, err := k.server.send(ctx, req)
	switch {
	case err != nil:
		return false, err
	case resp.status == http.StatusOK:
		return true, k.holds(req, resp, l, document)
	case resp.status == http.StatusConflict, resp.status == http.StatusNotFound && parseStatus(resp.body).Reason == "NotFound":
		return false, nil
	}
	return false, k.failure(req, resp, "patch")
}

// create is not done if another process created the Secret first.
func (k *KubernetesSecrets) create(ctx context.Context, l location, query string, document []byte, redactor *redact.Redactor) (done bool, err error) {
	body, err := json.Marshal(manifest{
		APIVersion: "v1", Kind: "Secret", Type: "Opaque", Metadata: metadata{Name: l.name}, Data: map[string][]byte{l.key: document},
	})
	if err != nil {
		return false, err
	}
	req := request{http.MethodPost, l.secrets + query, http.Header{"Content-Type": {"application/json"}}, body, redactor}
	resp, err := k.server.send(ctx, req)
	switch {
	case err != nil:
		return false, err
	case resp.status == http.StatusCreated, resp.status == http.StatusOK:
		return true, k.holds(req, resp, l, document)
	case resp.status == http.StatusConflict:
		return false, nil
	}
	return false, k.failure(req, resp, "create")
}

// holds checks that a successful response is the Secret with this document: anything else may have
// answered in place of the API server, or changed the Secret on its way.
func (k *KubernetesSecrets) holds(req request, resp response, l location, document []byte) error {
	if stored, err := parseSecret(resp.body, l); err != nil || !bytes.Equal(stored.text, document) {
		return k.server.failure(req, resp, "the response is not the Secret with what was written: look for a proxy or an admission webhook that changed it", "")
	}
	return nil
}

// failure explains a response that refuses a request.
func (k *KubernetesSecrets) failure(req request, resp response, verb string) error {
	meaning := ""
	switch resp.status {
	case http.StatusUnauthorized:
		meaning = "the token is invalid or has expired"
	case http.StatusForbidden:
		meaning = fmt.Sprintf("the service account needs the verb %q on secrets in namespace %s", verb, k.cfg.Namespace)
	case http.StatusNotFound:
		meaning = "there is no such namespace, or this is not a Kubernetes API server"
	case http.StatusUnprocessableEntity:
		meaning = "the Secret is invalid, immutable or too large"
	case http.StatusTooManyRequests:
		meaning = "the API server is busy"
	case http.StatusServiceUnavailable:
		meaning = "the API server is not available"
	}
	return k.server.failure(req, resp, meaning, parseStatus(resp.body).Message)
}
