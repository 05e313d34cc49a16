package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// defaultKey is the key in a Secret, and so the name of the file where the Secret is mounted.
const defaultKey = "credentials.json"

// KubernetesConfig locates Secrets in a cluster. [InCluster] fills in everything but SecretName,
// which is always required.
type KubernetesConfig struct {
	Address   string // of the API server: https://host:port, or http:// on loopback; a path may precede /api
	Namespace string

	// SecretName returns the name of the Secret of a client. Key returns the key in it; nil means
	// "credentials.json" for all. Several clients may share a Secret under different keys. Both
	// must be safe for concurrent use.
	SecretName func(clientID string) string
	Key        func(clientID string) string

	// Token provides the token for each request. It must be safe for concurrent use.
	Token func(ctx context.Context) (secret.String, error)

	HTTPClient *http.Client // its transport must trust the cluster's CA; nil for a plain client. It is copied
	Create     bool         // create a Secret that does not exist; without it a missing Secret is an error
}

// KubernetesSecrets stores credentials in Secrets of Kubernetes. [Kubernetes] makes it.
type KubernetesSecrets struct {
	description
	server *server
	cfg    KubernetesConfig
}

var (
	_ rotate.Deliverer = (*KubernetesSecrets)(nil)
	_ rotate.Reader    = (*KubernetesSecrets)(nil)
)

var (
	label   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	dnsName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	dataKey = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)
)

// Kubernetes stores credentials in Secrets of Kubernetes, through the API server. One key of a
// Secret holds the JSON object that token.File reads, so a service reads it from the volume where
// the Secret is mounted and follows every change. The kubelet updates a mount after up to some
// minutes: give the rotation a grace period (rotate.WithGrace). A mount with a subPath is never
// updated.
//
// A delivery is a merge patch of that key alone, bound to the resourceVersion that was read. Other
// keys, labels and annotations are not sent, so they cannot be lost. The service account needs the
// verbs "get" and "patch" on secrets in the namespace and, with Create, "create". An immutable
// Secret is an error. Redirects are refused. Responses are limited to 4 MiB. Only the context
// limits the time.
func Kubernetes(cfg KubernetesConfig) (*KubernetesSecrets, error) {
	s, err := newServer("Kubernetes", cfg.Address, cfg.HTTPClient, cfg.Token)
	if err != nil {
		return nil, err
	}
	if !label.MatchString(cfg.Namespace) {
		return nil, invalid("Kubernetes", "Namespace must be a DNS label")
	}
	if cfg.SecretName == nil {
		return nil, invalid("Kubernetes", "SecretName must not be nil")
	}
	if cfg.Key == nil {
		cfg.Key = func(string) string { return defaultKey }
	}
	s.limit = 4 << 20 // a Secret holds up to 1 MiB, sent in base64, and has annotations
	s.authorize = func(h http.Header, token string) { h.Set("Authorization", "Bearer "+token) }
	cfg.HTTPClient = nil // s hides its own
	return &KubernetesSecrets{description("deliver.Kubernetes(" + s.base.Host + ", " + cfg.Namespace + ")"), s, cfg}, nil
}

// location is where the credentials of one client are.
type location struct{ secrets, name, key string }

func (l location) path() string   { return l.secrets + "/" + l.name }
func (l location) String() string { return l.path() + ": key " + l.key }

func (k *KubernetesSecrets) locate(clientID string) (location, error) {
	if err := checkClientID("Kubernetes", clientID); err != nil {
		return location{}, err
	}
	l := location{"/api/v1/namespaces/" + k.cfg.Namespace + "/secrets", k.cfg.SecretName(clientID), k.cfg.Key(clientID)}
	if len(l.name) > 253 || !dnsName.MatchString(l.name) {
		return location{}, invalid("Kubernetes", "SecretName of client %q must be a DNS name in lower case", clientID)
	}
	if !dataKey.MatchString(l.key) || l.key == "." || strings.HasPrefix(l.key, "..") {
		return location{}, invalid("Kubernetes", "Key of client %q must have letters, digits and -._ only", clientID)
	}
	return l, nil
}

// Deliver implements [rotate.Deliverer].
func (k *KubernetesSecrets) Deliver(ctx context.Context, d rotate.Delivery) error {
	if err := checkDelivery("Kubernetes", d); err != nil {
		return err
	}
	l, err := k.locate(d.ClientID)
	if err != nil {
		return err
	}
	want := credentialsOf(d)
	return untilUnchanged(ctx, k.server.name+": "+l.String(), func() (bool, error) {
		stored, err := k.get(ctx, l, redactorOf(d))
		if err != nil {
			return false, err
		}
		_, err = stored.object.For(d.ClientID)
		switch {
		case err != nil:
			return false, fmt.Errorf("deliver: %s: %s: %w", k.server.name, l, err)
		case stored.version == "" && !k.cfg.Create:
			return false, fmt.Errorf("deliver: %s: %s: no such Secret: create it, or set Create", k.server.name, l.path())
		case stored.version != "" && stored.object.Holds(want):
			return true, nil
		case stored.immutable:
			return false, fmt.Errorf("deliver: %s: %s: the Secret is immutable: delete it and create it again", k.server.name, l.path())
		}
		document, err := newDocument(stored.object, d)
		if err != nil {
			return false, fmt.Errorf("deliver: %s: %s: %w", k.server.name, l, err)
		}
		redactor := redactorOf(d).With(stored.object.Values()...)
		if stored.version == "" {
			return k.create(ctx, l, document, redactor)
		}
		return k.patch(ctx, l, stored.version, document, redactor)
	})
}

// Read implements [rotate.Reader].
func (k *KubernetesSecrets) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	l, err := k.locate(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	stored, err := k.get(ctx, l, nil)
	if err != nil {
		return rotate.Delivery{}, err
	}
	held, err := stored.object.For(clientID)
	if err != nil {
		return rotate.Delivery{}, fmt.Errorf("deliver: %s: %s: %w", k.server.name, l, err)
	}
	return deliveryOf(held), nil
}

// get reads a Secret; it is the zero value if there is none.
func (k *KubernetesSecrets) get(ctx context.Context, l location, redactor *redact.Redactor) (storedSecret, error) {
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
	stored, err := parseSecret(resp.body, l.key)
	if err != nil {
		return storedSecret{}, fmt.Errorf("deliver: %s: %s: %w", k.server.name, l, err)
	}
	return stored, nil
}

// patch is not done if the Secret was changed or deleted since version.
func (k *KubernetesSecrets) patch(ctx context.Context, l location, version string, document []byte, redactor *redact.Redactor) (done bool, err error) {
	body, err := json.Marshal(manifest{Metadata: metadata{Version: version}, Data: map[string][]byte{l.key: document}})
	if err != nil {
		return false, err
	}
	req := request{http.MethodPatch, l.path(), http.Header{"Content-Type": {"application/merge-patch+json"}}, body, redactor}
	resp, err := k.server.send(ctx, req)
	switch {
	case err != nil:
		return false, err
	case resp.status == http.StatusOK:
		return true, nil
	case resp.status == http.StatusConflict, resp.status == http.StatusNotFound && parseStatus(resp.body).Reason == "NotFound":
		return false, nil
	}
	return false, k.failure(req, resp, "patch")
}

// create is not done if another process created the Secret first.
func (k *KubernetesSecrets) create(ctx context.Context, l location, document []byte, redactor *redact.Redactor) (done bool, err error) {
	body, err := json.Marshal(manifest{
		APIVersion: "v1", Kind: "Secret", Type: "Opaque", Metadata: metadata{Name: l.name}, Data: map[string][]byte{l.key: document},
	})
	if err != nil {
		return false, err
	}
	req := request{http.MethodPost, l.secrets, http.Header{"Content-Type": {"application/json"}}, body, redactor}
	resp, err := k.server.send(ctx, req)
	switch {
	case err != nil:
		return false, err
	case resp.status == http.StatusCreated, resp.status == http.StatusOK:
		return true, nil
	case resp.status == http.StatusConflict:
		return false, nil
	}
	return false, k.failure(req, resp, "create")
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
