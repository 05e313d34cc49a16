package deliver

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/stytchkit/m2m/internal/conns"
)

// serviceAccount is where Kubernetes mounts the service account of a pod.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// InCluster returns the configuration of the pod that this process runs in: the API server from
// KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, and the namespace, the CA and the token of
// the service account. The token is read for each request, because it is replaced while the pod
// runs. It fails outside of a pod, and in a pod without a service account.
func InCluster() (KubernetesConfig, error) { return inCluster(os.Getenv, serviceAccount) }

func inCluster(getenv func(string) string, dir string) (KubernetesConfig, error) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return KubernetesConfig{}, errors.New(
			"deliver: InCluster: not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set; outside of a pod fill in a KubernetesConfig")
	}
	namespace, err := os.ReadFile(filepath.Join(dir, "namespace")) //nolint:gosec // of the pod
	if err != nil {
		return KubernetesConfig{}, fmt.Errorf("deliver: InCluster: %w", err)
	}
	caFile := filepath.Join(dir, "ca.crt")
	ca, err := os.ReadFile(caFile) //nolint:gosec // of the pod
	if err != nil {
		return KubernetesConfig{}, fmt.Errorf("deliver: InCluster: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return KubernetesConfig{}, fmt.Errorf("deliver: InCluster: file %q: no certificate in it", caFile)
	}
	transport := conns.New()
	transport.TLS.RootCAs = roots
	return KubernetesConfig{
		Address:    "https://" + net.JoinHostPort(host, port),
		Namespace:  strings.TrimSpace(string(namespace)),
		Token:      TokenFile(filepath.Join(dir, "token")),
		HTTPClient: &http.Client{Transport: transport},
	}, nil
}
