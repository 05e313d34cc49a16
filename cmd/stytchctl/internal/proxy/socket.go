package proxy

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/token"
)

const (
	nothingReturned = " Nothing was returned."

	// socketHeader must be in every request for a token. A program that can be made to fetch an
	// address of someone else's choice does not send it.
	socketHeader = "Stytch-Token-Request"
)

// socket hands out tokens to programs that send their requests themselves.
type socket struct {
	tokens *tokens
	log    *slog.Logger
}

// grant is the response to a request for a token.
type grant struct {
	AccessToken string     `json:"access_token"`
	ExpiresAt   *time.Time `json:"expires_at"` // null if the token endpoint did not say
}

func (s *socket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start, attributes := time.Now(), []slog.Attr{slog.Int("status", http.StatusOK)}
	g, p := s.grant(r)
	if p != nil {
		attributes = []slog.Attr{slog.Int("status", p.Status), slog.String("class", p.Class)}
		p.write(w)
	} else {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(g) //nolint:gosec // what was asked for; a caller that has left does not read it
	}
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "token request", append(attributes, microseconds(time.Since(start)))...)
}

func (s *socket) grant(r *http.Request) (grant, *problem) {
	scopes, p := s.scopes(r)
	if p != nil {
		return grant{}, p
	}
	t, err := s.tokens.TokenFor(r.Context(), token.Request{Scopes: scopes})
	if err != nil {
		p := tokenProblem(err)
		p.Detail = strings.Replace(p.Detail, nothingForwarded, nothingReturned, 1)
		return grant{}, p
	}
	g := grant{AccessToken: t.Value.Reveal()}
	if !t.Expiry.IsZero() {
		at := t.Expiry.UTC().Truncate(time.Second)
		g.ExpiresAt = &at
	}
	return g, nil
}

// scopes are those that a request asks for; those of the proxy if it names none.
func (s *socket) scopes(r *http.Request) ([]string, *problem) {
	switch {
	case r.URL.Path != "/token":
		return nil, newProblem(http.StatusNotFound, "no_route", "Tokens are at /token."+nothingReturned)
	case r.Method != http.MethodGet:
		p := newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "Tokens are read with GET."+nothingReturned)
		p.allow = http.MethodGet
		return nil, p
	case r.Header.Get(socketHeader) != "true":
		return nil, newProblem(http.StatusForbidden, "header_missing", "Send the header "+socketHeader+": true."+nothingReturned)
	}
	var scopes []string
	query := r.URL.Query()
	for name, values := range query {
		if name != "scope" { // a misspelled name must not get a token for all scopes
			return nil, newProblem(http.StatusBadRequest, "parameter_refused", "The only parameter is scope."+nothingReturned)
		}
		scopes = strings.Fields(strings.Join(values, " "))
	}
	if query.Has("scope") && len(scopes) == 0 {
		return nil, newProblem(http.StatusBadRequest, "parameter_refused", "The parameter scope is empty: name scopes, or leave it out."+nothingReturned)
	}
	for _, scope := range scopes {
		if !slices.Contains(s.tokens.scopes, scope) {
			return nil, newProblem(http.StatusForbidden, "scope_refused", "A scope is not among those that the proxy was given."+nothingReturned)
		}
	}
	if len(scopes) == 0 {
		scopes = s.tokens.scopes
	}
	return scopes, nil
}
