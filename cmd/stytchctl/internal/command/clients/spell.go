package clients

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch"
)

// appendClient appends a client as encoding/json spells it without escaping HTML, field by field. A
// test compares the two, so a field that is added to the model is not forgotten here.
func appendClient(to []byte, c *stytch.M2MClient) ([]byte, error) {
	to = append(to, `{"client_description":`...)
	to = appendText(to, c.ClientDescription)
	to = append(to, `,"client_id":`...)
	to = appendText(to, c.ClientID)
	to = append(to, `,"client_name":`...)
	to = appendText(to, c.ClientName)
	to = append(to, `,"client_secret_last_four":`...)
	to = appendText(to, c.ClientSecretLastFour)
	if c.NextClientSecretLastFour != nil {
		to = append(to, `,"next_client_secret_last_four":`...)
		to = appendText(to, *c.NextClientSecretLastFour)
	}
	to = append(to, `,"scopes":`...)
	to = appendTexts(to, c.Scopes)
	to = append(to, `,"status":`...)
	to = appendText(to, string(c.Status))
	if !c.TrustedMetadata.IsZero() {
		to = append(to, `,"trusted_metadata":`...)
		var err error
		if to, err = appendObject(to, c.TrustedMetadata); err != nil {
			return to, err
		}
	}
	return append(to, '}'), nil
}

func appendTexts(to []byte, texts []string) []byte {
	if texts == nil {
		return append(to, "null"...)
	}
	to = append(to, '[')
	for i, text := range texts {
		if i > 0 {
			to = append(to, ',')
		}
		to = appendText(to, text)
	}
	return append(to, ']')
}

// appendText appends a JSON string. One that needs escaping, which is rare, goes to encoding/json.
func appendText(to []byte, text string) []byte {
	for i := range len(text) {
		if b := text[i]; b < ' ' || b == '"' || b == '\\' || b >= utf8.RuneSelf {
			return appendEscaped(to, text)
		}
	}
	to = append(to, '"')
	to = append(to, text...)
	return append(to, '"')
}

func appendEscaped(to []byte, text string) []byte {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string can always be encoded
	return append(to, strings.TrimSuffix(b.String(), "\n")...)
}

// appendObject appends metadata on one line. What has no space at all, which is usual, is on one.
func appendObject(to []byte, object stytch.Metadata) ([]byte, error) {
	raw, err := object.MarshalJSON()
	if err != nil {
		return to, err
	}
	if !bytes.ContainsAny(raw, " \n\r\t") && json.Valid(raw) {
		return append(to, raw...), nil
	}
	line := bytes.NewBuffer(to)
	err = json.Compact(line, raw)
	return line.Bytes(), err
}
