package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// DefaultKey is the key in a Secret, and so the name of the file where it is mounted.
const DefaultKey = "credentials.json"

// KubernetesConfig says where in a cluster secrets are. [InCluster] fills in all but Secret, which is always required.
type KubernetesConfig struct {
	Address   string // of the API server: https://host:port, or http:// on loopback; it may have a path in front of /api
	Namespace string

	// Secret is the name of the Secret for a client; Key is the key in it, nil for [DefaultKey]. Several clients may share
	// a Secret under different keys. Both must be safe for concurrent use.
	Secret func(clientID string) string
	Key    func(clientID string) string

	// Token gives the token for each request. It must be safe for concurrent use.
	Token func(ctx context.Context) (secret.String, error)

	Client *http.Client // with the cluster's CA in its transport; nil for a plain one. It is copied
	Create bool         // Secrets that are absent are made. Otherwise they are an error
}

// KubernetesSecrets keeps secrets in Kubernetes. [Kubernetes] makes it.
type KubernetesSecrets struct {
	place
	*endpoint
	cfg KubernetesConfig
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

// Kubernetes keeps secrets in Secrets of Kubernetes, by the HTTP API of its API server: under one key the JSON object that
// token.File reads, so that a service reads it from a volume where the Secret is mounted, and follows each change. The
// kubelet needs up to some minutes for that: give the rotation a grace period (rotate.WithGrace). A mount with a subPath never changes.
//
// A change is a merge patch of that key alone, bound to the resourceVersion that was read: other keys, labels and
// annotations are not even sent, so they cannot be lost. The service account needs the verbs "get" and "patch" on secrets in the namespace and,
// with Create, "create". A Secret that is immutable is an error. Redirects are refused. Answers are limited to 4 MiB. Only the
// context limits the time.
func Kubernetes(cfg KubernetesConfig) (*KubernetesSecrets, error) {
	e, err := newEndpoint("Kubernetes", cfg.Address, cfg.Client, cfg.Token)
	if err != nil {
		return nil, err
	}
	if !label.MatchString(cfg.Namespace) {
		return nil, wrong(rotate.ErrInvalidArgument, "Kubernetes: Namespace must be a DNS label")
	}
	if cfg.Secret == nil {
		return nil, wrong(rotate.ErrInvalidArgument, "Kubernetes: Secret must not be nil")
	}
	if cfg.Key == nil {
		cfg.Key = func(string) string { return DefaultKey }
	}
	e.name = "Kubernetes at " + e.base.Host
	e.limit = 4 << 20 // a Secret may have 1 MiB, in base64, besides its annotations
	e.authorize = func(h http.Header, token string) { h.Set("Authorization", "Bearer "+token) }
	return &KubernetesSecrets{place("deliver.Kubernetes(" + e.base.Host + ", " + cfg.Namespace + ")"), e, cfg}, nil
}

// spot is where the credentials of one client are.
type spot struct{ secrets, name, key string }

func (s spot) path() string   { return s.secrets + "/" + s.name }
func (s spot) String() string { return s.path() + ": key " + s.key }

func (k *KubernetesSecrets) locate(clientID string) (spot, error) {
	if err := checkID(clientID); err != nil {
		return spot{}, err
	}
	s := spot{"/api/v1/namespaces/" + k.cfg.Namespace + "/secrets", k.cfg.Secret(clientID), k.cfg.Key(clientID)}
	if len(s.name) > 253 || !dnsName.MatchString(s.name) {
		return spot{}, wrong(rotate.ErrInvalidArgument, "Kubernetes: Secret of client %q must be a DNS name in lower case", clientID)
	}
	if !dataKey.MatchString(s.key) || s.key == "." || strings.HasPrefix(s.key, "..") {
		return spot{}, wrong(rotate.ErrInvalidArgument, "Kubernetes: Key of client %q must have letters, digits and -._ only", clientID)
	}
	return s, nil
}

// Deliver implements [rotate.Deliverer].
func (k *KubernetesSecrets) Deliver(ctx context.Context, d rotate.Delivery) error {
	if err := check(d); err != nil {
		return err
	}
	s, err := k.locate(d.ClientID)
	if err != nil {
		return err
	}
	return insist(ctx, k.name+": "+s.String(), func() (bool, error) {
		stored, held, err := k.get(ctx, s, d.ClientID, secretsOf(d))
		if err != nil {
			return false, err
		}
		switch {
		case stored.version == "" && !k.cfg.Create:
			return false, fmt.Errorf("deliver: %s: %s: there is no such Secret, and Create is not set", k.name, s.path())
		case stored.version != "" && same(held, d):
			return true, nil
		case stored.immutable:
			return false, fmt.Errorf("deliver: %s: %s: the Secret is immutable: it can only be deleted and made again", k.name, s.path())
		}
		form, err := filledForm(stored.form, d)
		if err != nil {
			return false, fmt.Errorf("deliver: %s: %s: %w", k.name, s, err)
		}
		known := secretsOf(d).and(stored.form)
		if stored.version == "" {
			return k.create(ctx, s, form, known)
		}
		return k.patch(ctx, s, stored.version, form, known)
	})
}

// Read implements [rotate.Reader].
func (k *KubernetesSecrets) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	s, err := k.locate(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	_, held, err := k.get(ctx, s, clientID, nil)
	return held, err
}

func (k *KubernetesSecrets) get(ctx context.Context, s spot, clientID string, known confidential) (kubernetesSecret, rotate.Delivery, error) {
	a, err := k.send(ctx, http.MethodGet, s.path(), nil, nil, known)
	if err != nil {
		return kubernetesSecret{}, rotate.Delivery{}, err
	}
	if a.status == http.StatusNotFound && parseStatus(a.body).Reason == "NotFound" {
		return kubernetesSecret{}, rotate.Delivery{}, nil
	}
	if a.status != http.StatusOK {
		return kubernetesSecret{}, rotate.Delivery{}, k.refused(a, http.MethodGet, s.path(), "get")
	}
	stored, err := parseKubernetes(a.body, s.key)
	var held rotate.Delivery
	if err == nil {
		held, err = heldFor(clientID, stored.form)
	}
	if err != nil {
		return kubernetesSecret{}, rotate.Delivery{}, fmt.Errorf("deliver: %s: %s: %w", k.name, s, err)
	}
	return stored, held, nil
}

// patch reports false if the Secret was changed or deleted in the meantime.
func (k *KubernetesSecrets) patch(ctx context.Context, s spot, version string, form []byte, known confidential) (done bool, err error) {
	body, err := json.Marshal(manifest{Metadata: metadata{Version: version}, Data: map[string][]byte{s.key: form}})
	if err != nil {
		return false, err
	}
	header := http.Header{"Content-Type": {"application/merge-patch+json"}}
	a, err := k.send(ctx, http.MethodPatch, s.path(), header, body, known)
	if err != nil {
		return false, err
	}
	switch {
	case a.status == http.StatusOK:
		return true, nil
	case a.status == http.StatusConflict, a.status == http.StatusNotFound && parseStatus(a.body).Reason == "NotFound":
		return false, nil
	}
	return false, k.refused(a, http.MethodPatch, s.path(), "patch")
}

// create reports false if somebody else made the Secret in the meantime.
func (k *KubernetesSecrets) create(ctx context.Context, s spot, form []byte, known confidential) (done bool, err error) {
	body, err := json.Marshal(manifest{
		APIVersion: "v1", Kind: "Secret", Type: "Opaque", Metadata: metadata{Name: s.name}, Data: map[string][]byte{s.key: form},
	})
	if err != nil {
		return false, err
	}
	a, err := k.send(ctx, http.MethodPost, s.secrets, http.Header{"Content-Type": {"application/json"}}, body, known)
	if err != nil {
		return false, err
	}
	switch {
	case a.status == http.StatusCreated, a.status == http.StatusOK:
		return true, nil
	case a.status == http.StatusConflict:
		return false, nil
	}
	return false, k.refused(a, http.MethodPost, s.secrets, "create")
}

// refused says what to do about an answer.
func (k *KubernetesSecrets) refused(a answer, method, path, verb string) error {
	meaning := ""
	switch a.status {
	case http.StatusUnauthorized:
		meaning = "the token is not valid, or no longer"
	case http.StatusForbidden:
		meaning = fmt.Sprintf("the service account needs the verb %q on secrets in namespace %s", verb, k.cfg.Namespace)
	case http.StatusNotFound:
		meaning = "there is no such namespace, or this is not a Kubernetes API"
	case http.StatusUnprocessableEntity:
		meaning = "the Secret is not valid, immutable, or too large"
	case http.StatusTooManyRequests:
		meaning = "the API server is busy"
	case http.StatusServiceUnavailable:
		meaning = "the API server is not available"
	}
	return k.problem(a, method, path, meaning, parseStatus(a.body).Message)
}
