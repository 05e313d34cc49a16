package deliver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// serviceAccount is where every pod finds its service account.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// InCluster is the configuration of a pod: the API server by KUBERNETES_SERVICE_HOST and _PORT, the namespace, the CA and the
// token of its service account. The token is read again for each request, since it is replaced while the pod runs. An error
// says that this is not a pod, or one without a service account.
func InCluster() (KubernetesConfig, error) { return inCluster(os.Getenv, serviceAccount) }

func inCluster(getenv func(string) string, dir string) (KubernetesConfig, error) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return KubernetesConfig{}, errors.New("deliver: Kubernetes: not in a pod: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set")
	}
	namespace, err := os.ReadFile(filepath.Join(dir, "namespace")) //nolint:gosec // of the pod
	if err != nil {
		return KubernetesConfig{}, fmt.Errorf("deliver: Kubernetes: %w", err)
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt")) //nolint:gosec // of the pod
	if err != nil {
		return KubernetesConfig{}, fmt.Errorf("deliver: Kubernetes: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return KubernetesConfig{}, fmt.Errorf("deliver: Kubernetes: %s/ca.crt has no certificate", dir)
	}
	return KubernetesConfig{
		Address:   "https://" + net.JoinHostPort(host, port),
		Namespace: strings.TrimSpace(string(namespace)),
		Token:     TokenFile(filepath.Join(dir, "token")),
		Client: &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2: true,
		}},
	}, nil
}
