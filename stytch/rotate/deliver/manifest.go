package deliver

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// manifest is a Secret, or a patch of one, as it is sent. []byte becomes base64.
type manifest struct {
	APIVersion string            `json:"apiVersion,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Type       string            `json:"type,omitempty"`
	Metadata   metadata          `json:"metadata"`
	Data       map[string][]byte `json:"data"`
}

type metadata struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"resourceVersion,omitempty"`
}

// kubernetesSecret is what matters of a Secret; its version is "" if there is none.
type kubernetesSecret struct {
	version   string
	immutable bool
	form      object // what is under the key
}

func parseKubernetes(body []byte, key string) (kubernetesSecret, error) {
	var read struct {
		Kind      string            `json:"kind"`
		Immutable bool              `json:"immutable"`
		Metadata  metadata          `json:"metadata"`
		Data      map[string]string `json:"data"`
	}
	if json.Unmarshal(body, &read) != nil || read.Kind != "Secret" || read.Metadata.Version == "" {
		return kubernetesSecret{}, errors.New("the answer is not a Secret")
	}
	text, err := base64.StdEncoding.DecodeString(read.Data[key])
	if err != nil {
		return kubernetesSecret{}, errors.New("the answer is not a Secret: its data is not base64")
	}
	form, err := parseForm(text)
	if err != nil {
		return kubernetesSecret{}, fmt.Errorf("something else is under the key: %w", err)
	}
	return kubernetesSecret{read.Metadata.Version, read.Immutable, form}, nil
}

// status is how the API server says no.
type status struct {
	Message string
	Reason  string
}

// parseStatus is zero if an answer is not one of an API server.
func parseStatus(body []byte) status {
	var read struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
		Reason  string `json:"reason"`
	}
	if json.Unmarshal(body, &read) != nil || read.Kind != "Status" {
		return status{}
	}
	return status{read.Message, read.Reason}
}
