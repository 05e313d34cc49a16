package console

import (
	"net/http"
	"net/url"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

type keysPage struct {
	Keys    []admin.Key
	Address string // of the key set
}

func (c *Console) keys(w http.ResponseWriter, r *http.Request) {
	found, err := get[admin.Keys](r.Context(), c.admin, "/keys")
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	c.render(w, r, http.StatusOK, "keys", page{Title: "Keys", Section: "keys", Data: keysPage{found.Keys, c.config.Address + "/v1/sessions/jwks/" + c.config.ProjectID}})
}

func (c *Console) rotateKey(w http.ResponseWriter, r *http.Request) {
	if err := c.admin.do(r.Context(), http.MethodPost, "/keys/rotate", nil, nil); err != nil {
		c.failed(w, r, "keys", err)
		return
	}
	c.done(w, r, Root+"keys", notice{Text: "There is a new signing key. Tokens that the earlier keys signed stay valid until you remove them."})
}

func (c *Console) removeKey(w http.ResponseWriter, r *http.Request) {
	if err := c.admin.do(r.Context(), http.MethodDelete, "/keys/"+url.PathEscape(r.PostFormValue("kid")), nil, nil); err != nil {
		c.failed(w, r, "keys", err)
		return
	}
	c.done(w, r, Root+"keys", notice{Text: "The key is no longer in the key set. A verifier refuses its tokens once it has fetched the key set again."})
}
