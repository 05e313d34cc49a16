package console

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/stytch"
)

type tokensPage struct {
	Mint    form
	Presets []preset
	Clients []client // to choose from: the first ones
	Minted  *minted
	Read    form
	Reading *reading
}

type minted struct{ Token, Claims string }

// A preset is a way in which a minted token is wrong.
type preset struct {
	Name  admin.MintRequestPreset
	Title string
}

var presets = []preset{
	{"", "Good: what the token endpoint would issue now"},
	{admin.MintRequestPresetExpired, "Expired"},
	{admin.MintRequestPresetNotYet, "Not valid yet"},
	{admin.MintRequestPresetWrongAud, "For another audience"},
	{admin.MintRequestPresetWrongIss, "From another issuer"},
	{admin.MintRequestPresetNoScope, "Without a scope"},
	{admin.MintRequestPresetUnknownKid, "Signed with a key that the key set does not have"},
	{admin.MintRequestPresetUserSession, "The session of a user"},
}

// offeredClients is how many clients the form suggests.
const offeredClients = 100

func (c *Console) tokens(w http.ResponseWriter, r *http.Request) {
	c.renderTokens(w, r, http.StatusOK, tokensPage{Mint: newForm("client_id", r.URL.Query().Get("client"))})
}

func (c *Console) renderTokens(w http.ResponseWriter, r *http.Request, status int, p tokensPage) {
	found, err := c.api.M2M.SearchPage(r.Context(), stytch.M2MSearch{Limit: offeredClients})
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	for _, one := range found.Items {
		p.Clients = append(p.Clients, fromM2M(one))
	}
	p.Presets = presets
	c.render(w, r, status, "tokens", page{Title: "Tokens", Section: "tokens", Data: p})
}

// mint shows the token in its response, not after a redirect: a reload mints another one, which
// costs nothing.
func (c *Console) mint(w http.ResponseWriter, r *http.Request) {
	f, ok := c.posted(w, r)
	if !ok {
		return
	}
	ask := admin.MintRequest{ClientID: strings.TrimSpace(f.Value("client_id")), Preset: admin.MintRequestPreset(f.Value("preset")), Scopes: strings.Fields(f.Value("scopes"))}
	field := "client_id"
	if claims := strings.TrimSpace(f.Value("claims")); claims != "" {
		field = "claims"
		ask = admin.MintRequest{}
		d := json.NewDecoder(strings.NewReader(claims))
		d.UseNumber()
		if err := d.Decode(&ask.Claims); err != nil || ask.Claims == nil || d.More() {
			f.fail("claims", `Enter a JSON object, such as {"sub": "anybody"}.`)
		}
	} else if ask.ClientID == "" {
		f.fail("client_id", "Enter a client id, or claims of your own below.")
	}
	var out admin.MintedToken
	if !f.Failed() {
		err := c.admin.do(r.Context(), http.MethodPost, "/tokens", ask, &out)
		if text, ok := refusal(err); ok {
			f.fail(field, text)
		} else if err != nil {
			c.failed(w, r, "tokens", err)
			return
		}
	}
	if f.Failed() {
		c.renderTokens(w, r, http.StatusUnprocessableEntity, tokensPage{Mint: f})
		return
	}
	claims, err := json.MarshalIndent(out.Claims, "", "  ")
	if err != nil {
		c.failed(w, r, "tokens", err)
		return
	}
	c.renderTokens(w, r, http.StatusOK, tokensPage{Mint: f, Minted: &minted{out.AccessToken, string(claims)}})
}

// readToken shows what is in a token and why it is good or refused.
func (c *Console) readToken(w http.ResponseWriter, r *http.Request) {
	f, ok := c.posted(w, r)
	if !ok {
		return
	}
	raw := strings.TrimSpace(f.Value("token"))
	if scheme, rest, found := strings.Cut(raw, " "); found && strings.EqualFold(scheme, "bearer") {
		raw = strings.TrimSpace(rest)
	}
	if raw == "" {
		f.fail("token", "Paste a token. Nothing was read.")
		c.renderTokens(w, r, http.StatusUnprocessableEntity, tokensPage{Read: f})
		return
	}
	found, err := c.read(r.Context(), raw, strings.Fields(f.Value("required")))
	if err != nil {
		c.failed(w, r, "tokens", err)
		return
	}
	c.renderTokens(w, r, http.StatusOK, tokensPage{Read: f, Reading: found})
}
