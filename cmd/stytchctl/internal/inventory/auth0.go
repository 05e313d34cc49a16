package inventory

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Auth0Help says what an import takes from Auth0's export.
const Auth0Help = `From Auth0's export, an array of clients as its Management API returns them, these
fields are taken:

  client_id        the id stays the same
  name             client_name
  description      client_description
  client_metadata  trusted_metadata
  client_secret    the secret stays the same, if the export has it
  scopes, grants   scopes; Auth0 keeps them in client grants, which may be elements of the
                   same array: jq -s add clients.json client-grants.json

Clients whose app_type is not non_interactive, or whose grant_types lack
client_credentials, are skipped. Fields without a counterpart are listed on stderr.`

// auth0Client is what is read of a client of Auth0.
type auth0Client struct {
	ID          string          `json:"client_id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	AppType     string          `json:"app_type"`
	GrantTypes  []string        `json:"grant_types"`
	Metadata    json.RawMessage `json:"client_metadata"`
	Secret      secret.String   `json:"client_secret"`
	Scopes      []string        `json:"scopes"`
	Grants      []auth0Grant    `json:"grants"`
	Global      bool            `json:"global"`
}

// auth0Grant is a client grant: the scopes of a client for one API.
type auth0Grant struct {
	ClientID string   `json:"client_id"`
	Audience string   `json:"audience"`
	Scope    []string `json:"scope"`
}

// auth0Grants are the fields of a client grant; it has no name.
func isGrant(o Object) bool { return o["audience"] != nil && o["scope"] != nil && o["name"] == nil }

func (f *File) readAuth0(name string, objects []numbered) error {
	known := names[auth0Client]()
	granted := map[string][]string{}
	var clients []numbered
	for _, o := range objects {
		if !isGrant(o.Object) {
			clients = append(clients, o)
			continue
		}
		var grant auth0Grant
		if err := convert(o.Object, &grant); err != nil {
			return cli.Usagef("%s:%d: this client grant is not one of Auth0: %w. %s", name, o.line, plain(err), nothing)
		}
		granted[grant.ClientID] = append(granted[grant.ClientID], grant.Scope...)
	}
	for _, o := range clients {
		var client auth0Client
		if err := convert(o.Object, &client); err != nil {
			return cli.Usagef("%s:%d: this client is not one of Auth0: %w. %s", name, o.line, plain(err), nothing)
		}
		if client.ID == "" || client.AppType == "" && client.GrantTypes == nil {
			return cli.Usagef("%s:%d: this is neither a client of Auth0 (client_id, name, app_type, grant_types) nor one of stytchctl. %s", name, o.line, nothing)
		}
		if cause := client.notMachine(); cause != "" {
			f.Skipped = append(f.Skipped, Skipped{o.line, client.ID, client.Name, cause})
			continue
		}
		for field, value := range o.Object {
			if !slices.Contains(known, field) && !isEmpty(value) {
				f.Ignored[field]++
			}
		}
		e, err := client.entry(granted[client.ID])
		if err != nil {
			return cli.Usagef("%s:%d: %w. %s", name, o.line, err, nothing)
		}
		e.Line = o.line
		f.Entries = append(f.Entries, e)
	}
	return nil
}

// notMachine is why a client is no M2M client, or "".
func (c auth0Client) notMachine() string {
	switch {
	case c.Global:
		return "it stands for all applications of the tenant"
	case c.AppType != "non_interactive" && c.AppType != "":
		return "its app_type is " + c.AppType
	case !slices.Contains(c.GrantTypes, "client_credentials"):
		return "its grant_types lack client_credentials"
	}
	return ""
}

func (c auth0Client) entry(granted []string) (Entry, error) {
	scopes := append(slices.Clone(c.Scopes), granted...)
	for _, grant := range c.Grants {
		scopes = append(scopes, grant.Scope...)
	}
	fields := Object{}
	for field, text := range map[string]string{fieldID: c.ID, fieldName: c.Name, "client_description": c.Description} {
		if text != "" {
			fields.Set(field, text)
		}
	}
	if !isEmpty(c.Metadata) {
		fields[fieldMeta] = c.Metadata
	}
	if slices.Sort(scopes); len(scopes) > 0 {
		fields.Set(fieldScopes, slices.Compact(scopes))
	}
	e, err := Clients.Parse(fields)
	if err != nil {
		return e, err
	}
	if e.Secret = c.Secret; strings.TrimSpace(e.Secret.Reveal()) != e.Secret.Reveal() {
		return e, errors.New("client_secret: it must not begin or end with a space")
	}
	return e, nil
}

// isEmpty reports whether a value says nothing.
func isEmpty(value json.RawMessage) bool { return canonical(value) == nil }

// AddScopes gives scopes to the entries that have none, and refuses a file with such entries if
// there are none to give.
func (f *File) AddScopes(name string, scopes []string) error {
	for _, e := range f.Entries {
		if e.Kind != Clients || len(e.Fields.Texts(fieldScopes)) > 0 {
			continue
		}
		if len(scopes) == 0 {
			return cli.Usagef("%s:%d: %s has no scopes, and a client needs at least one: add the client grants of Auth0 to the file, or give --scope for all that have none. %s",
				name, e.Line, e.Label(), nothing)
		}
		e.Fields.Set(fieldScopes, scopes)
	}
	return nil
}
