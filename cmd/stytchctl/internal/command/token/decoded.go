package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// decoded is what a token says of itself. Nothing of it is verified.
type decoded struct {
	header, claims json.RawMessage

	keyID, algorithm           string
	issuer, subject, clientID  string
	scope                      string
	audience                   []string
	issued, notBefore, expires time.Time // zero if absent
	session                    bool
}

var (
	errParts = errors.New("it is not a JWT: three parts separated by dots are expected")
	errPart  = errors.New("it is not a JWT: its parts are not base64url")
	errJSON  = errors.New("it is not a JWT: its parts are not JSON objects with distinct names")
)

// decodeToken reads a token. Its errors quote nothing.
func decodeToken(raw string) (*decoded, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, errParts
	}
	d := &decoded{}
	for i, to := range []*json.RawMessage{&d.header, &d.claims} {
		text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "="))
		if err != nil {
			return nil, errPart
		}
		var object map[string]json.RawMessage
		if strictjson.Decode(text, &object) != nil || object == nil {
			return nil, errJSON
		}
		*to = text
	}
	d.read()
	return d, nil
}

// read takes out what people ask about. A claim of an unexpected type stays empty: the claims as
// they are show it.
func (d *decoded) read() {
	var header, claims map[string]any
	_ = json.Unmarshal(d.header, &header) // decodeToken has checked both
	_ = json.Unmarshal(d.claims, &claims)
	d.keyID, _ = header["kid"].(string)
	d.algorithm, _ = header["alg"].(string)
	d.issuer, _ = claims["iss"].(string)
	d.subject, _ = claims["sub"].(string)
	d.clientID, _ = claims["client_id"].(string)
	d.scope, _ = claims["scope"].(string)
	switch aud := claims["aud"].(type) {
	case string:
		d.audience = []string{aud}
	case []any:
		for _, item := range aud {
			if text, ok := item.(string); ok {
				d.audience = append(d.audience, text)
			}
		}
	}
	for name, to := range map[string]*time.Time{"iat": &d.issued, "nbf": &d.notBefore, "exp": &d.expires} {
		if seconds, ok := claims[name].(float64); ok && seconds > 0 && seconds < 253402300800 { // the year 10000
			*to = time.Unix(int64(seconds), 0).UTC()
		}
	}
	for name := range claims {
		d.session = d.session || strings.HasPrefix(name, "https://stytch.com/")
	}
}

// kind is what the claims say the token is, in words.
func (d *decoded) kind() string {
	switch {
	case d.session:
		return "a session of a user or member"
	case d.clientID != "" && d.clientID != d.subject:
		return "a token of the Connected App " + d.clientID + " for " + d.subject
	case d.subject != "":
		return "a token of the M2M client " + d.subject
	}
	return "a token that does not say whose it is"
}
