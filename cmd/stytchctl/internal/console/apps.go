package console

import (
	"context"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

var connectedApps = &kind{
	path: "apps", section: "apps", one: "Connected App", many: "Connected Apps",
	lead:   "OAuth 2.0 clients that act for the users of the project.",
	filter: "A part of an id, a name or a type. The API has no filter here, so the console looks through the apps itself.",
	page:   appPage, get: appGet, create: appCreate, update: appUpdate, blank: appBlank, filled: appFilled,
	remove: func(ctx context.Context, api *stytch.Client, id string) error {
		return api.ConnectedApps.Delete(ctx, id)
	},
	secrets: func(api *stytch.Client) *stytch.Secrets { return api.ConnectedApps.Secrets },
}

// maxLooked bounds how many apps are looked through for one page. The next page continues there.
const maxLooked = 4000

func appPage(ctx context.Context, api *stytch.Client, q listQuery) (p listPage, err error) {
	p.Next = q.Cursor
	for {
		found, err := api.ConnectedApps.SearchPage(ctx, stytch.ConnectedAppSearch{Cursor: p.Next, Limit: pageSize})
		if err != nil {
			return listPage{}, err
		}
		p.Next, p.Total = found.Next, found.Total
		p.Looked += len(found.Items)
		for _, item := range found.Items {
			if c := fromApp(item); q.Filter == "" || c.contains(q.Filter) {
				p.Clients = append(p.Clients, c)
			}
		}
		if q.Filter == "" {
			return p, nil
		}
		if p.Next == "" || len(p.Clients) >= pageSize || p.Looked >= maxLooked {
			p.Total = -1
			return p, nil
		}
	}
}

func (c client) contains(part string) bool {
	part = strings.ToLower(part)
	for _, text := range []string{c.ID, c.Name, c.Type} {
		if strings.Contains(strings.ToLower(text), part) {
			return true
		}
	}
	return false
}

func appGet(ctx context.Context, api *stytch.Client, id string) (client, error) {
	found, err := api.ConnectedApps.Get(ctx, id)
	if err != nil {
		return client{}, err
	}
	return fromApp(*found), nil
}

func fromApp(a stytch.ConnectedApp) client {
	c := client{
		ID: a.ClientID, Name: a.ClientName, Description: a.ClientDescription, Status: a.Status, Type: string(a.ClientType), App: &a,
		Current: orEmpty(a.ClientSecretLastFour), Next: orEmpty(a.NextClientSecretLastFour),
	}
	c.Confidential = c.Current != ""
	return c
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func appBlank() form {
	return newForm("client_type", "first_party", "access_token_expiry_minutes", "60")
}

func appFilled(c client) form {
	f := newForm("client_name", c.Name, "client_description", c.Description, "redirect_urls", strings.Join(c.App.RedirectURLs, "\n"),
		"access_token_expiry_minutes", strconv.Itoa(int(c.App.AccessTokenExpiryMinutes)), "access_token_custom_audience", orEmpty(c.App.AccessTokenCustomAudience),
		"access_token_template_content", c.App.AccessTokenTemplateContent)
	if c.App.FullAccessAllowed {
		f.Values.Set("full_access_allowed", "true")
	}
	if c.App.BypassConsentForOfflineAccess {
		f.Values.Set("bypass_consent_for_offline_access", "true")
	}
	return f
}

// minutes reads the lifetime of a token.
func minutes(f *form) int32 {
	n, err := strconv.ParseInt(strings.TrimSpace(f.Value("access_token_expiry_minutes")), 10, 32)
	if err != nil || n < 1 {
		f.fail("access_token_expiry_minutes", "Enter a whole number of minutes, 1 or more.")
	}
	return int32(n)
}

func appCreate(ctx context.Context, api *stytch.Client, f *form) (string, secret.String, error) {
	expiry := minutes(f)
	if f.Failed() {
		return "", secret.String{}, nil
	}
	created, err := api.ConnectedApps.Create(ctx, stytch.ConnectedAppCreate{
		ClientType: stytch.ConnectedAppType(f.Value("client_type")), ClientName: f.Value("client_name"), ClientDescription: f.Value("client_description"),
		RedirectURLs: fieldsOf(f, "redirect_urls"), AccessTokenExpiryMinutes: expiry, AccessTokenCustomAudience: f.Value("access_token_custom_audience"),
		AccessTokenTemplateContent: f.Value("access_token_template_content"),
		FullAccessAllowed:          f.Is("full_access_allowed", "true"), BypassConsentForOfflineAccess: f.Is("bypass_consent_for_offline_access", "true"),
	})
	if err != nil {
		return "", secret.String{}, err
	}
	return created.ClientID, created.ClientSecret, nil
}

func appUpdate(ctx context.Context, api *stytch.Client, old client, f *form) error {
	expiry := minutes(f)
	if f.Failed() {
		return nil
	}
	_, err := api.ConnectedApps.Update(ctx, old.ID, stytch.ConnectedAppUpdate{
		ClientName: stytch.Set(f.Value("client_name")), ClientDescription: stytch.Set(f.Value("client_description")),
		RedirectURLs: stytch.Set(fieldsOf(f, "redirect_urls")), AccessTokenExpiryMinutes: stytch.Set(expiry),
		AccessTokenCustomAudience: stytch.Set(f.Value("access_token_custom_audience")), AccessTokenTemplateContent: stytch.Set(f.Value("access_token_template_content")),
		FullAccessAllowed: stytch.Set(f.Is("full_access_allowed", "true")), BypassConsentForOfflineAccess: stytch.Set(f.Is("bypass_consent_for_offline_access", "true")),
	})
	return err
}
