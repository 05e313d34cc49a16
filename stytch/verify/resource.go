package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

const wellKnown = "/.well-known/oauth-protected-resource"

// A Resource describes an API to clients that find out on their own where to get a token for it,
// such as those of the Model Context Protocol (MCP).
type Resource struct {
	// URL is the address of the API as its clients know it, with its path. It is published exactly
	// as written, and clients compare it character by character: https://api.example.com/mcp and
	// https://api.example.com/mcp/ are two resources. It must be https, or http to a loopback
	// address, without user info, query and fragment, and its path must mean the same to every
	// proxy: no empty or dot segments, and no slashes inside a segment.
	URL string

	// AuthorizationServers are the issuers of tokens for the API, at least one. For Connected Apps,
	// that is the address that serves /.well-known/oauth-authorization-server, exactly as that
	// document names it. The rules are those of URL.
	AuthorizationServers []string

	Scopes        []string // that a client may ask for; may be empty
	Name          string   // for people to read; may be empty
	Documentation string   // an https address for developers; may be empty
}

// A ProtectedResource serves the description of a [Resource] by RFC 9728, to any origin. Mount it
// at Path, outside of any middleware that requires tokens, and put its MetadataURL into the field
// ResourceMetadata of a [Protection], so that challenges name it. It is safe for concurrent use.
type ProtectedResource struct {
	path, metadataURL string
	document          []byte
}

// NewProtectedResource makes a ProtectedResource of a copy of r. Its error is [ErrInvalidArgument]
// and names the field and the rule.
func NewProtectedResource(r Resource) (*ProtectedResource, error) {
	u, err := checkURL("Resource.URL", r.URL)
	if err != nil {
		return nil, err
	}
	if len(r.AuthorizationServers) == 0 {
		return nil, invalid("Resource.AuthorizationServers", "it must not be empty")
	}
	for i, server := range r.AuthorizationServers {
		if _, err := checkURL(fmt.Sprintf("Resource.AuthorizationServers[%d]", i), server); err != nil {
			return nil, err
		}
	}
	for i, scope := range r.Scopes {
		if !isScope(scope) {
			return nil, invalid(fmt.Sprintf("Resource.Scopes[%d]", i), "a scope must be printable ASCII without space, quote and backslash")
		}
	}
	if r.Documentation != "" {
		if doc, err := url.Parse(r.Documentation); err != nil || doc.Scheme != "https" || doc.Host == "" {
			return nil, invalid("Resource.Documentation", "it must be an https URL")
		}
	}
	document, err := r.document()
	if err != nil {
		return nil, err
	}
	path := wellKnown
	if u.EscapedPath() != "/" { // a slash right after the host is dropped, any other one kept: RFC 9728, section 3.1
		path += u.EscapedPath()
	}
	return &ProtectedResource{path: path, metadataURL: u.Scheme + "://" + u.Host + path, document: document}, nil
}

func (r Resource) document() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // the URL stays as written
	err := encoder.Encode(struct {
		Resource             string   `json:"resource"`
		AuthorizationServers []string `json:"authorization_servers"`
		Scopes               []string `json:"scopes_supported,omitempty"`
		BearerMethods        []string `json:"bearer_methods_supported"`
		Name                 string   `json:"resource_name,omitempty"`
		Documentation        string   `json:"resource_documentation,omitempty"`
	}{r.URL, r.AuthorizationServers, r.Scopes, []string{"header"}, r.Name, r.Documentation})
	return b.Bytes(), err
}

// Path is the path of the description on the API's host: /.well-known/oauth-protected-resource,
// followed by the path of the API. It is a pattern for http.ServeMux.
func (p *ProtectedResource) Path() string {
	if p == nil {
		return ""
	}
	return p.path
}

// MetadataURL is the address of the description, the resource_metadata of challenges.
func (p *ProtectedResource) MetadataURL() string {
	if p == nil {
		return ""
	}
	return p.metadataURL
}

// ServeHTTP serves GET, HEAD and the preflight requests of browsers at Path. Elsewhere it responds
// with 404.
func (p *ProtectedResource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.Path() == "" || r.URL.EscapedPath() != p.path {
		http.NotFound(w, r) // ServeMux takes a path that ends with a slash for a tree
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*") // the document is public; MCP clients in browsers need it
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(p.document) // nothing to do if the client is gone
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "*") // MCP clients send their protocol version
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

// checkURL accepts the addresses that identify a server by RFC 8414 and RFC 9728, without a query,
// which no pattern of http.ServeMux can match, and without braces, which are its wildcards.
func checkURL(field, address string) (*url.URL, error) {
	u, err := project.ParseURL(address)
	switch {
	case err != nil:
		return nil, invalid(field, err.Error())
	case !isScope(address): // the same characters
		return nil, invalid(field, "URL must be printable ASCII without space, quote and backslash")
	case strings.ContainsAny(u.Path, "{}"):
		return nil, invalid(field, "URL must not have braces in its path")
	}
	return u, nil
}
