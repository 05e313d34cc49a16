package stytch

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/stytchkit/m2m/internal/fastjson"
	"github.com/stytchkit/m2m/stytch/secret"
)

// clean makes a text of the other side fit to print.
func clean(req *http.Request, text string) string { return printable(redact(req, text)) }

// redact takes out the secrets that the request carried, in its header or its body. A text that quotes them would be a leak.
func redact(req *http.Request, text string) string {
	if text == "" {
		return ""
	}
	for _, known := range carried(req) {
		text = strings.ReplaceAll(text, known, secret.Placeholder)
	}
	return text
}

// redactJSON is redact for a JSON value, in whose strings a secret may be written with escapes. It returns JSON again.
func redactJSON(req *http.Request, value json.RawMessage) json.RawMessage {
	var out json.RawMessage
	for i := 0; i < len(value); {
		end := i + 1
		if value[i] == '"' {
			end = i + fastjson.StringEnd(value[i:])
		}
		token := value[i:end]
		var text string
		if value[i] == '"' && json.Unmarshal(token, &text) == nil {
			if safe := redact(req, text); safe != text {
				token, _ = json.Marshal(safe)
			}
		}
		out = append(out, token...)
		i = end
	}
	if redact(req, string(out)) != string(out) { // as a number, which has no place for the placeholder
		return json.RawMessage(strconv.Quote(secret.Placeholder))
	}
	return out
}

// muted is the text of a cause fit to print, and the cause, unless that would tell what the text does not.
func muted(req *http.Request, cause error) (string, error) {
	text := cause.Error()
	safe := clean(req, text)
	if redact(req, text) != text {
		cause = errors.New(safe)
	}
	return safe, cause
}

// carried are the secrets of a request in every form in which the other side may quote them, longer ones first: they may
// hold shorter ones.
func carried(req *http.Request) []string {
	_, encoded, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	known := append([]string{encoded}, forms(password)...)
	if decoded, err := url.QueryUnescape(password); err == nil && decoded != password { // RFC 6749, section 2.3.1
		known = append(known, forms(decoded)...)
	}
	known = append(known, forms(sentSecret(req))...)
	known = slices.DeleteFunc(known, func(s string) bool { return s == "" })
	slices.SortFunc(known, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(known)
}

// forms are a text plain, escaped as in a form, in a path, in JSON and by %q, and by encoders that only miss the space.
func forms(text string) []string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
	}
	if !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) { // as nearly all are
		return []string{text}
	}
	inJSON, _ := json.Marshal(text)
	quoted := strconv.Quote(text)
	form := url.QueryEscape(text)
	return []string{text, form, strings.ReplaceAll(form, "+", "%20"), url.PathEscape(text), string(inJSON[1 : len(inJSON)-1]), quoted[1 : len(quoted)-1]}
}

// sentSecret is the client_secret in the body of a request that imports a client or asks for a token, "" if there is none.
func sentSecret(req *http.Request) string {
	if req.GetBody == nil {
		return ""
	}
	body, err := req.GetBody()
	if err != nil {
		return ""
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 64<<10))
	if err != nil {
		return ""
	}
	if known := fastjson.FindString(text, `"client_secret"`); known != "" {
		return known
	}
	form, _ := url.ParseQuery(string(text))
	return form.Get("client_secret")
}

// printable keeps texts of the other side from forging log lines, and bounds them.
func printable(text string) string {
	const limit = 1024
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) { // control characters, line separators, and what turns the direction of the text
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}
