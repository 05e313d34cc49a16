package emulator

import (
	"net/http"

	"github.com/stytchkit/m2m/gen/server"
)

// CreateConnectedApp creates an app.
func (s *service) CreateConnectedApp(w http.ResponseWriter, r *http.Request) {
	op := operation{id: "CreateConnectedApp", body: server.CreateConnectedAppRequest{}}
	s.serve(w, r, op, func(x *exchange) (response, error) {
		in := &input{fields: x.fields, null: Ignore}
		a := connectedApp{redirectURLs: []string{}, postLogoutURLs: []string{}, expiryMinutes: defaultExpiryMinutes}
		clientType, given := get[string](in, "client_type")
		if !given {
			in.refuse(because("bad_request", "The field client_type is required."))
		}
		a.clientType = orZero(clientType)
		readAppFields(in)(&a)
		if in.err != nil {
			return response{}, in.err
		}
		created, text, err := s.state.addConnectedApp(&x.pending, *x.behavior, a, nil, nil)
		if err != nil {
			return response{}, err
		}
		x.clientID = created.id
		wire := created.wire(*x.behavior)
		wire.ClientSecret = text
		status := x.behavior.CreateStatus
		return jsonResponse(status, connectedAppResponse{wire, x.requestID, status}), nil
	})
}

// GetConnectedApp reads an app.
func (s *service) GetConnectedApp(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, operation{id: "GetConnectedApp", subject: id}, func(x *exchange) (response, error) {
		return s.appResponse(x)(s.state.apps.get(id))
	})
}

// UpdateConnectedApp changes the fields that are present.
func (s *service) UpdateConnectedApp(w http.ResponseWriter, r *http.Request, id string) {
	op := operation{id: "UpdateConnectedApp", subject: id, body: server.UpdateConnectedAppRequest{}}
	s.serve(w, r, op, func(x *exchange) (response, error) {
		in := &input{fields: x.fields, null: x.behavior.NullOnUpdate}
		change := readAppFields(in)
		if in.err != nil {
			return response{}, in.err
		}
		return s.appResponse(x)(s.state.apps.update(&x.pending, id, func(a *connectedApp) error {
			change(a)
			return a.check(s.state.env, *x.behavior)
		}))
	})
}

// DeleteConnectedApp removes an app.
func (s *service) DeleteConnectedApp(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, operation{id: "DeleteConnectedApp", subject: id}, func(x *exchange) (response, error) {
		return deleteResult(x, id, s.state.apps.remove(&x.pending, id))
	})
}

// appResponse returns a function that responds with an app, or passes an error on.
func (s *service) appResponse(x *exchange) func(*connectedApp, error) (response, error) {
	return func(a *connectedApp, err error) (response, error) {
		if err != nil {
			return response{}, err
		}
		wire := a.wire(*x.behavior)
		wire.CreationMethod = x.behavior.CreationMethod
		return jsonResponse(200, connectedAppResponse{wire, x.requestID, 200}), nil
	}
}

// readAppFields reads the fields that creation and update share. The returned function applies
// them.
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
