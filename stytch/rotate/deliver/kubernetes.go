package deliver

import (
	"context"
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
	Create     bool         // create a Secret that does not exist; without it a missing Secret cannot be read or written
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
	_ rotate.Checker   = (*KubernetesSecrets)(nil)
)

var (
	label   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	dnsName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	dataKey = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
)

// Kubernetes stores credentials in Secrets of Kubernetes, through the API server. One key of a
// Secret holds the JSON object that token.File reads, so a service reads it from the volume where
// the Secret is mounted and follows every change. The kubelet updates a mount after up to some
// minutes: give the rotation a grace period (rotate.WithGrace). A mount with a subPath is never
// updated.
//
// A delivery is a merge patch of that key alone, bound to the resourceVersion that was read. Other
// keys, labels and annotations are not sent, so they cannot be lost. It counts as made when the API
// server returns the Secret with what was written. The service account needs the verbs "get" and
// "patch" on secrets in the namespace and, with Create, "create". An immutable
// Secret is an error. Redirects are refused. Responses are limited to 4 MiB. Only the context
// limits the time; without a deadline, a delivery or check ends after a minute.
func Kubernetes(cfg KubernetesConfig) (*KubernetesSecrets, error) {
	s, err := newServer("Kubernetes", cfg.Address, cfg.HTTPClient, cfg.Token)
	if err != nil {
		return nil, err
	}
	if len(cfg.Namespace) > 63 || !label.MatchString(cfg.Namespace) {
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
	if len(l.key) > 253 || !dataKey.MatchString(l.key) || l.key == "." || strings.HasPrefix(l.key, "..") {
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
	return untilUnchanged(ctx, k.server.name+": "+l.String(), func(ctx context.Context) (bool, error) {
		stored, err := k.get(ctx, l, d.ClientID, redactorOf(d))
		switch {
		case err != nil:
			return false, err
		case stored.version == "" && !k.cfg.Create:
			return false, k.noSecret(l)
		case stored.version != "" && stored.object.Holds(want):
			return true, nil
		case stored.immutable:
			return false, k.isImmutable(l)
		}
		document, err := newDocument(stored.object, d)
		if err != nil {
			return false, fmt.Errorf("deliver: %s: %s: %w", k.server.name, l, err)
		}
		redactor := redactorOf(d).With(stored.object.Values()...)
		if stored.version == "" {
			return k.create(ctx, l, "", document, redactor)
		}
		return k.patch(ctx, l, "", stored.version, document, redactor)
	})
}

// Read implements [rotate.Reader]. A missing namespace, and without Create a missing Secret, cannot
// be read. Only a dry run shows whether a namespace exists, so that is how a missing Secret is
// examined with Create.
func (k *KubernetesSecrets) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	l, err := k.locate(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	stored, err := k.get(ctx, l, clientID, nil)
	if err == nil && stored.version == "" {
		err = k.absent(ctx, l)
	}
	if err != nil {
		return rotate.Delivery{}, err
	}
	return deliveryOf(stored.held), nil
}

// Check implements [rotate.Checker], by a dry run of the patch or the creation.
func (k *KubernetesSecrets) Check(ctx context.Context, clientID string) error {
	l, err := k.locate(clientID)
	if err != nil {
		return err
	}
	return untilUnchanged(ctx, k.server.name+": "+l.String(), func(ctx context.Context) (bool, error) {
		stored, err := k.get(ctx, l, clientID, nil)
		switch {
		case err != nil:
			return false, err
		case stored.version == "":
			return true, k.absent(ctx, l)
		case stored.immutable:
			return false, k.isImmutable(l)
		}
		return k.patch(ctx, l, dryRun, stored.version, stored.text, redact.New(stored.object.Values()...))
	})
}

// absent is nil if a Secret that does not exist can be created.
func (k *KubernetesSecrets) absent(ctx context.Context, l location) error {
	if !k.cfg.Create {
		return k.noSecret(l)
	}
	_, err := k.create(ctx, l, dryRun, []byte("{}"), nil) // not done: another process created it
	return err
}

func (k *KubernetesSecrets) noSecret(l location) error {
	return fmt.Errorf("deliver: %s: %s: no such Secret: create it, or set Create", k.server.name, l.path())
}

func (k *KubernetesSecrets) isImmutable(l location) error {
	return fmt.Errorf("deliver: %s: %s: the Secret is immutable: delete it and create it again", k.server.name, l.path())
}
