package awssecrets_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// server behaves as Secrets Manager documents: JSON 1.1, versions that never change, labels that
// are on one version at most.
type server struct {
	URL string

	mu      sync.Mutex
	secrets map[string]*stored // by name
	calls   []string           // operations, in their order
	before  func(op string, in request) error
}

type stored struct {
	versions map[string]string // values by id
	labels   map[string]string // version ids by label
	binary   bool
	deleted  int64 // Unix time
}

// request is the union of all requests.
type request struct {
	SecretID            string `json:"SecretId"`
	Name                string
	ClientRequestToken  string
	SecretString        string
	VersionStages       []string
	VersionID           string `json:"VersionId"`
	VersionStage        string
	MoveToVersionID     string `json:"MoveToVersionId"`
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
	KmsKeyID            string `json:"KmsKeyId"`
}

type response = map[string]any

// fault is an error of Secrets Manager.
type fault struct{ code, message string }

func (f fault) Error() string { return f.code }

func newServer(t testing.TB) *server {
	s, stop := startServer()
	t.Cleanup(stop)
	return s
}

func startServer() (s *server, stop func()) {
	s = &server{secrets: map[string]*stored{}}
	h := httptest.NewServer(s)
	s.URL = h.URL
	return s, h.Close
}

func arn(name string) string {
	return "arn:aws:secretsmanager:eu-west-1:123456789012:secret:" + name + "-AbCdEf"
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	op, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	var in request
	switch {
	case err != nil:
		return
	case !ok || r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1":
		s.refuse(w, fault{"UnknownOperationException", ""})
		return
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"):
		s.refuse(w, fault{"MissingAuthenticationTokenException", "Missing Authentication Token"})
		return
	case json.Unmarshal(body, &in) != nil:
		s.refuse(w, fault{"SerializationException", ""})
		return
	}
	s.calls = append(s.calls, op)
	out, err := s.respond(op, in)
	if err != nil {
		s.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-RequestId", "request-1")
	_ = json.NewEncoder(w).Encode(out)
}

func (s *server) refuse(w http.ResponseWriter, err error) {
	f, ok := err.(fault)
	if !ok {
		f = fault{"InternalServiceError", err.Error()}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-RequestId", "request-1")
	w.WriteHeader(map[bool]int{true: 500, false: 400}[f.code == "InternalServiceError"])
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": f.code, "message": f.message})
}

func (s *server) respond(op string, in request) (response, error) {
	if s.before != nil {
		if err := s.before(op, in); err != nil {
			return nil, err
		}
	}
	if op == "CreateSecret" {
		return s.create(in)
	}
	name := strings.TrimSuffix(strings.TrimPrefix(in.SecretID, strings.TrimSuffix(arn(""), "-AbCdEf")), "-AbCdEf")
	v := s.secrets[name]
	switch {
	case v == nil:
		return nil, fault{"ResourceNotFoundException", "Secrets Manager can't find the specified secret."}
	case v.deleted != 0 && op != "DescribeSecret":
		return nil, fault{"InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion."}
	}
	out := response{"ARN": arn(name), "Name": name}
	switch op {
	case "DescribeSecret":
		v.describe(out)
		return out, nil
	case "GetSecretValue":
		return out, v.get(in, out)
	case "PutSecretValue":
		return out, v.put(in, out)
	case "UpdateSecretVersionStage":
		return out, v.relabel(in)
	}
	return nil, fault{"UnknownOperationException", op}
}

func (s *server) create(in request) (response, error) {
	out := response{"ARN": arn(in.Name), "Name": in.Name, "VersionId": in.ClientRequestToken}
	switch v := s.secrets[in.Name]; {
	case strings.ContainsAny(in.Name, ":"):
		return nil, fault{"InvalidParameterException", "Invalid name."}
	case v == nil:
		v := &stored{versions: map[string]string{}, labels: map[string]string{}}
		s.secrets[in.Name] = v
		return out, v.put(request{ClientRequestToken: in.ClientRequestToken, SecretString: in.SecretString}, response{})
	case v.deleted != 0:
		return nil, fault{"InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion."}
	case v.versions[in.ClientRequestToken] == in.SecretString:
		return out, nil
	}
	return nil, fault{"ResourceExistsException", "The operation failed because the secret " + in.Name + " already exists."}
}

func (v *stored) stages(id string) []string {
	var all []string
	for _, label := range slices.Sorted(maps.Keys(v.labels)) {
		if v.labels[label] == id {
			all = append(all, label)
		}
	}
	return all
}

func (v *stored) describe(out response) {
	if v.deleted != 0 {
		out["DeletedDate"] = v.deleted
	}
	all := map[string][]string{}
	for _, id := range v.labels {
		all[id] = v.stages(id)
	}
	out["VersionIdsToStages"] = all
}

func (v *stored) get(in request, out response) error {
	id := in.VersionID
	if id == "" {
		stage := in.VersionStage
		if stage == "" {
			stage = "AWSCURRENT"
		}
		id = v.labels[stage]
	}
	text, ok := v.versions[id]
	if !ok {
		return fault{"ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: " + id}
	}
	out["VersionId"], out["VersionStages"] = id, v.stages(id)
	if v.binary {
		out["SecretBinary"] = []byte(text)
		return nil
	}
	out["SecretString"] = text
	return nil
}

func (v *stored) put(in request, out response) error {
	id := in.ClientRequestToken
	if len(id) < 32 || len(id) > 64 {
		return fault{"InvalidParameterException", "ClientRequestToken must be 32-64 characters long."}
	}
	old, there := v.versions[id]
	switch {
	case there && old != in.SecretString:
		return fault{"ResourceExistsException", "You can't use ClientRequestToken " + id + " because that value is already in use for a version of the secret."}
	case !there && len(v.versions) >= 100:
		return fault{"LimitExceededException", "The secret has too many versions."}
	case !there:
		if len(in.VersionStages) == 0 || v.labels["AWSCURRENT"] == "" {
			in.VersionStages = append(in.VersionStages, "AWSCURRENT")
		}
		v.versions[id] = in.SecretString
		for _, label := range in.VersionStages {
			v.attach(label, id)
		}
	}
	out["VersionId"], out["VersionStages"] = id, v.stages(id)
	return nil
}

func (v *stored) attach(label, id string) {
	before := v.labels[label]
	v.labels[label] = id
	if label == "AWSCURRENT" && before != "" && before != id {
		v.labels["AWSPREVIOUS"] = before
	}
}

func (v *stored) relabel(in request) error {
	on, to := v.labels[in.VersionStage], in.MoveToVersionID
	_, there := v.versions[to]
	switch {
	case to != "" && !there:
		return fault{"ResourceNotFoundException", "Secrets Manager can't find the specified secret version: " + to}
	case in.RemoveFromVersionID != on:
		return fault{"InvalidParameterException", fmt.Sprintf("The parameter RemoveFromVersionId is wrong. Staging label %s is currently attached to version %s.", in.VersionStage, on)}
	case to == "" && in.VersionStage == "AWSCURRENT":
		return fault{"InvalidParameterException", "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."}
	case to == "":
		delete(v.labels, in.VersionStage)
	default:
		v.attach(in.VersionStage, to)
	}
	return nil
}
