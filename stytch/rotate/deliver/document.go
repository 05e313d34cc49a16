package deliver

import (
	"bytes"
	"errors"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// parseDocument reads a JSON object that is a text of its own. An empty text is the empty object:
// someone may have created the file, or the key, in advance.
func parseDocument(text []byte) (credentials.Object, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return credentials.Object{}, nil
	}
	return credentials.Parse(text)
}

// newDocument is the text of o with the credentials of d.
func newDocument(o credentials.Object, d rotate.Delivery) ([]byte, error) {
	o, err := o.With(credentialsOf(d))
	if err != nil {
		return nil, err
	}
	text := append(o.Bytes(), '\n')
	if len(text) > credentials.MaxFile {
		return nil, errors.New("too large: token.File reads at most 16 KiB, so remove other members")
	}
	return text, nil
}
