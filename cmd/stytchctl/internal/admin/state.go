package admin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
)

// ExportState serves GET /state.
func (s *service) ExportState(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, s.instance.Export())
}

// ImportState serves PUT /state.
func (s *service) ImportState(w http.ResponseWriter, r *http.Request) {
	state, ok := decode[State](w, r)
	if !ok {
		return
	}
	if err := s.instance.Import(state); err != nil {
		refuseError(w, err)
		return
	}
	s.respondSummary(w)
}

// Reset serves POST /reset.
func (s *service) Reset(w http.ResponseWriter, r *http.Request) {
	request, ok := decode[ResetRequest](w, r)
	if !ok {
		return
	}
	if !request.To.Valid() {
		refuse(w, http.StatusBadRequest, "invalid_request", "to must be seed or empty. Nothing was changed.")
		return
	}
	if i := slices.IndexFunc(request.Keep, func(k ResetRequestKeep) bool { return !k.Valid() }); i >= 0 {
		refuse(w, http.StatusBadRequest, "invalid_request", "keep must hold nothing but keys and faults. Nothing was changed.")
		return
	}
	err := s.instance.Reset(instance.Reset{
		Empty:      request.To == ResetRequestToEmpty,
		KeepKeys:   slices.Contains(request.Keep, ResetRequestKeepKeys),
		KeepFaults: slices.Contains(request.Keep, ResetRequestKeepFaults),
	})
	if err != nil {
		refuseError(w, err)
		return
	}
	s.respondSummary(w)
}

func (s *service) respondSummary(w http.ResponseWriter) {
	summary := s.instance.Summary()
	respond(w, http.StatusOK, Summary{
		ProjectID: summary.ProjectID, M2MClients: summary.M2MClients, ConnectedApps: summary.ConnectedApps,
		Keys: summary.Keys, Faults: summary.Faults,
	})
}

// ListKeys serves GET /keys.
func (s *service) ListKeys(w http.ResponseWriter, _ *http.Request) {
	keys := Keys{Keys: []Key{}}
	for _, k := range s.instance.Emulator().Keys() {
		keys.Keys = append(keys.Keys, Key{ID: k.ID, Created: k.Created, Current: k.Current})
	}
	respond(w, http.StatusOK, keys)
}

// RotateKey serves POST /keys/rotate.
func (s *service) RotateKey(w http.ResponseWriter, r *http.Request) {
	if _, err := s.instance.RotateKey(); err != nil {
		refuseError(w, err)
		return
	}
	s.ListKeys(w, r)
}

// RemoveKey serves DELETE /keys/{kid}.
func (s *service) RemoveKey(w http.ResponseWriter, _ *http.Request, kid string) {
	if err := s.instance.RemoveKey(kid); err != nil {
		refuseError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// GetBill serves GET /bill.
func (s *service) GetBill(w http.ResponseWriter, _ *http.Request) {
	bill := Bill{Tokens: s.instance.Emulator().MintedBy()}
	for _, n := range bill.Tokens {
		bill.Total += n
	}
	respond(w, http.StatusOK, bill)
}

// MintToken serves POST /tokens.
func (s *service) MintToken(w http.ResponseWriter, r *http.Request) {
	request, ok := decode[MintRequest](w, r)
	if !ok {
		return
	}
	token, claims, err := s.instance.Mint(instance.Mint{
		Claims: request.Claims, ClientID: request.ClientID, Scopes: request.Scopes, Preset: string(request.Preset),
	})
	if err != nil {
		refuseError(w, err)
		return
	}
	respond(w, http.StatusOK, MintedToken{AccessToken: token, Claims: claims})
}

// GetContract serves GET /openapi.yaml.
func (s *service) GetContract(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(Contract)
}

// GetHealth serves GET /health.
func (s *service) GetHealth(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, Health{Status: "ok"})
}

// GetReady serves GET /ready.
func (s *service) GetReady(w http.ResponseWriter, _ *http.Request) {
	switch err := s.instance.Ready(); {
	case err == nil:
		respond(w, http.StatusOK, Health{Status: "ok"})
	case strings.Contains(err.Error(), "ending"):
		respond(w, http.StatusServiceUnavailable, Health{Status: "ending"})
	default:
		respond(w, http.StatusServiceUnavailable, Health{Status: "failed"})
	}
}
