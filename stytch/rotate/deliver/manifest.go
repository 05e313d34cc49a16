package deliver

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stytchkit/m2m/internal/credentials"
)

// manifest is a Secret, or a patch of one, in a request. encoding/json writes []byte in base64.
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

// storedSecret is the part of a Secret that a delivery needs. Its version is "" if the Secret does
// not exist.
type storedSecret struct {
	version   string
	immutable bool
	text      []byte // under the key; nil if there is no such key
	object    credentials.Object
	held      credentials.Credentials
}

// parseSecret reads the Secret at l, but not who its credentials belong to.
func parseSecret(body []byte, l location) (storedSecret, error) {
	var read struct {
		Kind      string            `json:"kind"`
		Immutable bool              `json:"immutable"`
		Metadata  metadata          `json:"metadata"`
		Data      map[string]string `json:"data"`
	}
	if json.Unmarshal(body, &read) != nil || read.Kind != "Secret" || read.Metadata.Name != l.name {
		return storedSecret{}, errors.New("the response is not a Secret of this name")
	}
	encoded, there := read.Data[l.key]
	text, err := base64.StdEncoding.DecodeString(encoded)
	if !there {
		text = nil
	}
	if err != nil {
		return storedSecret{}, errors.New("the response is not a Secret: its data is not base64")
	}
	object, err := parseDocument(text)
	if err != nil {
		return storedSecret{}, fmt.Errorf("the key holds something else: %w", err)
	}
	return storedSecret{version: read.Metadata.Version, immutable: read.Immutable, text: text, object: object}, nil
}

// statusObject is the API server's report of a failure.
type statusObject struct {
	Message string
	Reason  string
}

// parseStatus returns the zero value if body is not a Status of an API server.
func parseStatus(body []byte) statusObject {
	var read struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
		Reason  string `json:"reason"`
	}
	if json.Unmarshal(body, &read) != nil || read.Kind != "Status" {
		return statusObject{}
	}
	return statusObject{read.Message, read.Reason}
}
