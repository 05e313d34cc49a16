package emulator

import (
	"encoding/base64"
	"math/big"
	"net/http"

	"github.com/stytchkit/m2m/internal/project"
)

// GetJWKS lists the signing keys under the address of consumer projects.
func (s *service) GetJWKS(w http.ResponseWriter, r *http.Request, projectID string) {
	s.serveKeySet(w, r, "GetJWKS", projectID)
}

// GetB2BJWKS lists the signing keys under the address of B2B projects.
func (s *service) GetB2BJWKS(w http.ResponseWriter, r *http.Request, projectID string) {
	s.serveKeySet(w, r, "GetB2BJWKS", projectID)
}

// GetWellKnownJWKS lists the signing keys at the address that the metadata names.
func (s *service) GetWellKnownJWKS(w http.ResponseWriter, r *http.Request, projectID string) {
	s.serveKeySet(w, r, "GetWellKnownJWKS", projectID)
}

// GetWellKnownJWKSOnProjectDomain is the same on the domain of the project.
func (s *service) GetWellKnownJWKSOnProjectDomain(w http.ResponseWriter, r *http.Request) {
	s.serveKeySet(w, r, "GetWellKnownJWKSOnProjectDomain", s.state.id)
}

// checkProject judges the project id of a path.
func (s *service) checkProject(projectID string) error {
	if project.CheckID(projectID) != nil {
		return fail("invalid_project_id").why("the path has no project ID: this is the project %s", s.state.id)
	}
	if projectID != s.state.id {
		return fail("project_not_found").why("the path has another project ID: this is the project %s", s.state.id)
	}
	return nil
}

func (s *service) serveKeySet(w http.ResponseWriter, r *http.Request, id, projectID string) {
	s.serve(w, r, operation{id: id, public: true}, func(x *exchange) (response, error) {
		if err := s.checkProject(projectID); err != nil {
			return response{}, err
		}
		keys, err := s.state.keys.listed(&x.pending)
		if err != nil {
			return response{}, err
		}
		set := keySetResponse{Keys: make([]jwkWire, len(keys)), RequestID: x.requestID, StatusCode: 200}
		for i, key := range keys {
			set.Keys[i] = jwkWire{
				Alg: "RS256", Kid: key.kid, Kty: "RSA", Use: "sig", KeyOps: []string{"verify"}, X5C: []string{},
				E: base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.private.E)).Bytes()),
				N: base64.RawURLEncoding.EncodeToString(key.private.N.Bytes()),
			}
		}
		return jsonResponse(200, set), nil
	})
}
