package stytch

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/fastjson"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/secret"
)

// noAuthMethod is the token_endpoint_auth_method of public apps, which have no secret.
const noAuthMethod = string(gen.TokenEndpointAuthMethodNone)

// shownKeys is where a response shows a secret that no other response has: the member with the
// client, "" if the response is the client itself, and the secret's own key in it.
type shownKeys struct{ client, secret string }

var shownBy = map[*operation.Operation]shownKeys{
	operation.CreateM2MClient:                 {`"m2m_client"`, `"client_secret"`},
	operation.CreateConnectedApp:              {`"connected_app"`, `"client_secret"`},
	operation.RegisterConnectedApp:            {"", `"client_secret"`},
	operation.StartM2MClientSecretRotation:    {`"m2m_client"`, `"next_client_secret"`},
	operation.StartConnectedAppSecretRotation: {`"connected_app"`, `"next_client_secret"`},
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// shown is the id and the secret that a success shows, whatever the rest of the body is, even if it
// is cut off. ok is false if there is no secret, or two of them.
func (r *response) shown() (id string, s secret.String, ok bool) {
	keys, ok := shownBy[r.op]
	if !ok || r.status/100 != 2 {
		return "", s, false
	}
	client := bytes.TrimPrefix(r.Bytes(), byteOrderMark)
	if keys.client != "" {
		client = fastjson.FindOnly(client, keys.client)
	}
	id = fastjson.String(fastjson.FindOnly(client, `"client_id"`))
	value := fastjson.FindOnly(client, keys.secret)
	switch {
	case value != nil:
	case r.op == operation.CreateConnectedApp:
		return id, s, id != "" && strings.HasSuffix(fastjson.String(fastjson.FindOnly(client, `"client_type"`)), "_public")
	case r.op == operation.RegisterConnectedApp:
		return id, s, id != "" && fastjson.String(fastjson.FindOnly(client, `"token_endpoint_auth_method"`)) == noAuthMethod
	}
	err := json.NewDecoder(bytes.NewReader(value)).Decode(&s) // a whole one, by the rules for secrets
	return id, s, err == nil && !s.IsZero()
}

// showsSecret reports that a shown-once response with a fault still has what matters.
func (r *response) showsSecret() bool {
	_, _, ok := r.shown()
	return ok
}

// decodeSecret is decode for a response that shows a secret. Without the secret it is an error, and
// the value is nil. If only something else is not as the contract says, there are both an error and
// the value, with what could be read: the secret is never shown again.
func decodeSecret[T any](resp *http.Response, err error, fields func(*T) (id *string, s *secret.String), has func(*T) bool) (*T, error) {
	r, err := asResponse(resp, err)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	value := new(T)
	if err = r.decode(value); err == nil {
		if !has(value) {
			return nil, r.invalid(errNoSecret)
		}
		return value, nil
	}
	id, shown, ok := r.shown()
	if !ok {
		return nil, err
	}
	value = new(T)
	_ = json.Unmarshal(bytes.TrimPrefix(r.Bytes(), byteOrderMark), value)
	reflect.ValueOf(value).Elem().FieldByName("StatusCode").SetInt(int64(r.status))
	shownID, shownSecret := fields(value)
	*shownID, *shownSecret = id, shown
	return value, err
}
