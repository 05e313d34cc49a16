package stytch

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/stytchkit/m2m/internal/fastjson"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/redact"
)

// maxText is how many bytes of a text from the server or the transport an error keeps.
const maxText = 1024

// redactor removes the secrets that a request carries from what the server or the transport says
// about it.
type redactor struct {
	project *redact.Redactor // knows the project secret
	op      *operation.Operation
	req     *http.Request
	body    []byte // of the request

	once sync.Once
	all  *redact.Redactor
}

// secrets is the redactor of all secrets. The request is searched for them only when there is a
// text to clean.
func (r *redactor) secrets() *redact.Redactor {
	r.once.Do(func() { r.all = r.project.With(append(headerSecrets(r.req), bodySecrets(r.op, r.body)...)...) })
	return r.all
}

// line is a text fit to print.
func (r *redactor) line(text string) string {
	if text == "" {
		return ""
	}
	return r.secrets().Line(text, maxText)
}

func (r *redactor) json(value json.RawMessage) json.RawMessage { return r.secrets().JSON(value) }

// cause is the printable text of an error, and the error itself, or one in its place if it reveals
// a secret.
func (r *redactor) cause(err error) (text string, safe error) {
	return r.line(err.Error()), r.secrets().Error(err)
}

// headerSecrets are the credentials of an Authorization header that is not the project's.
func headerSecrets(req *http.Request) []string {
	_, password, ok := req.BasicAuth()
	if !ok {
		_, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
		return []string{token}
	}
	secrets := []string{password}
	if decoded, err := url.QueryUnescape(password); err == nil && decoded != password { // RFC 6749, section 2.3.1
		secrets = append(secrets, decoded)
	}
	return secrets
}

// bodySecrets are the secrets that the body of a request carries by the contract.
func bodySecrets(op *operation.Operation, text []byte) (secrets []string) {
	if len(op.RequestSecrets) == 0 || len(text) == 0 {
		return nil
	}
	form, _ := url.ParseQuery(string(text))
	for _, name := range op.RequestSecrets {
		secrets = append(secrets, fastjson.FindString(text, `"`+name+`"`), form.Get(name))
	}
	return slices.DeleteFunc(secrets, func(s string) bool { return s == "" })
}
