package emulator

import (
	"context"
	"strings"

	"github.com/stytchkit/m2m/gen/server"
)

const defaultExpiryMinutes = 60

type connectedApp struct {
	id, name, description, clientType    string
	redirectURLs, postLogoutURLs         []string
	fullAccess, bypassConsent            bool
	expiryMinutes                        int32
	accessTokenTemplate, idTokenTemplate string
	customAudience, logoURL              *string // null until set
	secrets                              secretPair
}

func (a *connectedApp) public() bool     { return strings.HasSuffix(a.clientType, "_public") }
func (a *connectedApp) thirdParty() bool { return strings.HasPrefix(a.clientType, "third_party") }

func (a *connectedApp) wire(b Behavior) connectedAppWire {
	w := connectedAppWire{
		AccessTokenCustomAudience:     a.customAudience,
		AccessTokenExpiryMinutes:      a.expiryMinutes,
		AccessTokenTemplateContent:    a.accessTokenTemplate,
		BypassConsentForOfflineAccess: a.bypassConsent,
		ClientDescription:             a.description,
		ClientID:                      a.id,
		ClientName:                    a.name,
		ClientType:                    a.clientType,
		FullAccessAllowed:             a.fullAccess,
		IDTokenTemplateContent:        a.idTokenTemplate,
		LogoURL:                       a.logoURL,
		NextClientSecretLastFour:      a.secrets.nextLastFour(b),
		PostLogoutRedirectURLs:        a.postLogoutURLs,
		RedirectURLs:                  a.redirectURLs,
		Status:                        statusActive,
	}
	if a.secrets.current != nil {
		w.ClientSecretLastFour = &a.secrets.current.lastFour
	}
	return w
}

func (p *project) appAnswer(ctx context.Context, a *connectedApp, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	w := a.wire(p.behavior)
	w.CreationMethod = p.behavior.CreationMethod
	return jsonAnswer(200, connectedAppAnswer{w, callOf(ctx).requestID, 200}), nil
}

func (p *project) CreateConnectedApp(ctx context.Context, _ server.CreateConnectedAppRequestObject) (server.CreateConnectedAppResponseObject, error) {
	in := callOf(ctx).input(Ignore)
	a := connectedApp{redirectURLs: []string{}, postLogoutURLs: []string{}, expiryMinutes: defaultExpiryMinutes}
	clientType, given := get[string](in, "client_type")
	if !given {
		in.refuse(because("bad_request", "The field client_type is required."))
	}
	a.clientType = orZero(clientType)
	readAppFields(in)(&a)
	if in.err != nil {
		return nil, in.err
	}
	created, text, err := p.addConnectedApp(a, nil, nil)
	if err != nil {
		return nil, err
	}
	w := created.wire(p.behavior)
	w.ClientSecret = text
	return jsonAnswer(p.behavior.CreateStatus, connectedAppAnswer{w, callOf(ctx).requestID, p.behavior.CreateStatus}), nil
}

// addConnectedApp checks and stores an app. Id and secret are chosen by seeds only.
func (p *project) addConnectedApp(a connectedApp, id, secret *string) (*connectedApp, string, error) {
	a.id = "connected-app-" + p.env + "-" + newUUID()
	if id != nil {
		a.id = *id
	}
	switch a.clientType {
	case "first_party", "first_party_public", "third_party", "third_party_public":
	default:
		return nil, "", fail("invalid_connected_app_type")
	}
	if err := p.checkConnectedApp(&a); err != nil {
		return nil, "", err
	}
	if a.public() && secret != nil {
		return nil, "", fail("public_connected_apps_do_not_have_secrets")
	}
	text := ""
	if !a.public() {
		var err error
		if text, a.secrets.current, err = p.chooseSecret(secret); err != nil {
			return nil, "", err
		}
	}
	return &a, text, p.apps.insert(a.id, &a, p.behavior.MaxConnectedApps, "bad_request", "too_many_connected_apps")
}

func (p *project) GetConnectedApp(ctx context.Context, r server.GetConnectedAppRequestObject) (server.GetConnectedAppResponseObject, error) {
	a, err := p.apps.get(r.ClientID)
	return p.appAnswer(ctx, a, err)
}

func (p *project) UpdateConnectedApp(ctx context.Context, r server.UpdateConnectedAppRequestObject) (server.UpdateConnectedAppResponseObject, error) {
	in := callOf(ctx).input(p.behavior.NullOnUpdate)
	change := readAppFields(in)
	if in.err != nil {
		return nil, in.err
	}
	a, err := p.apps.update(r.ClientID, func(a *connectedApp) error {
		change(a)
		return p.checkConnectedApp(a)
	})
	return p.appAnswer(ctx, a, err)
}

func (p *project) DeleteConnectedApp(ctx context.Context, r server.DeleteConnectedAppRequestObject) (server.DeleteConnectedAppResponseObject, error) {
	if err := p.apps.remove(r.ClientID); err != nil {
		return nil, err
	}
	return jsonAnswer(200, deleteAnswer{r.ClientID, callOf(ctx).requestID, 200}), nil
}

// readAppFields reads the fields that creation and update share, and returns what they change.
func readAppFields(in *input) func(*connectedApp) {
	var changes []func(*connectedApp)
	field(in, &changes, "client_name", func(a *connectedApp, v *string) { a.name = orZero(v) })
	field(in, &changes, "client_description", func(a *connectedApp, v *string) { a.description = orZero(v) })
	field(in, &changes, "full_access_allowed", func(a *connectedApp, v *bool) { a.fullAccess = orZero(v) })
	field(in, &changes, "bypass_consent_for_offline_access", func(a *connectedApp, v *bool) { a.bypassConsent = orZero(v) })
	field(in, &changes, "access_token_template_content", func(a *connectedApp, v *string) { a.accessTokenTemplate = orZero(v) })
	field(in, &changes, "access_token_custom_audience", func(a *connectedApp, v *string) { a.customAudience = v })
	field(in, &changes, "id_token_template_content", func(a *connectedApp, v *string) { a.idTokenTemplate = orZero(v) })
	field(in, &changes, "logo_url", func(a *connectedApp, v *string) { a.logoURL = v })
	field(in, &changes, "access_token_expiry_minutes", func(a *connectedApp, v *int32) {
		a.expiryMinutes = defaultExpiryMinutes
		if v != nil {
			a.expiryMinutes = *v
		}
	})
	if urls, given := in.texts("redirect_urls"); given {
		changes = append(changes, func(a *connectedApp) { a.redirectURLs = urls })
	}
	if urls, given := in.texts("post_logout_redirect_urls"); given {
		changes = append(changes, func(a *connectedApp) { a.postLogoutURLs = urls })
	}
	return func(a *connectedApp) {
		for _, change := range changes {
			change(a)
		}
	}
}

func field[T any](in *input, changes *[]func(*connectedApp), name string, set func(*connectedApp, *T)) {
	if value, given := get[T](in, name); given {
		*changes = append(*changes, func(a *connectedApp) { set(a, value) })
	}
}
