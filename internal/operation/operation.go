// Package operation has the operations of the contract: their routes, what a lost response means,
// and which client ids are allowed in their paths. The table is generated; this file matches
// requests against it.
package operation

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safety is what it costs to repeat an operation. It decides which requests may be retried.
type Safety uint8

// The classes of the contract's x-safety.
const (
	Read       Safety = iota + 1 // changes nothing
	Idempotent                   // has the same result however often it is repeated
	ShownOnce                    // its response or effect cannot be obtained a second time
	Billed                       // safe to repeat, but each request is billed
)

// Operation is one operation of the contract.
type Operation struct {
	ID, Method, Path string
	Safety           Safety
	ProjectAuth      bool // authenticated with the project's credentials
	ReturnsSecret    bool // a success contains a secret or a token

	TakesJSON, TakesForm bool // what a request body may be; both are false if there is none

	RequestSecrets []string // the names of the fields in which a request carries secrets
}

// Match finds the operation of a method and an escaped path (url.URL.EscapedPath, relative to the
// base URL), and the escaped path parameter, if the route has one. It returns nil if the contract
// has no such route. The client ids "..", "." and "" end there too, because the generated client
// resolves them.
func Match(method, escapedPath string) (op *Operation, param string) {
	for _, op := range All {
		if op.Method != method {
			continue
		}
		if param, ok := matchPath(op.Path, escapedPath); ok {
			return op, param
		}
	}
	return nil, ""
}

// matchPath compares a path with a template of at most one parameter.
func matchPath(template, path string) (param string, ok bool) {
	before, rest, found := strings.Cut(template, "{")
	if !found {
		return "", template == path
	}
	_, after, _ := strings.Cut(rest, "}")
	param, ok = strings.CutPrefix(path, before)
	if !ok {
		return "", false
	}
	param, ok = strings.CutSuffix(param, after)
	return param, ok && param != "" && !strings.Contains(param, "/")
}

// URL is the escaped path of the operation for a value of its parameter. All characters but
// unreserved ones are escaped, so that every proxy on the way reads the value as one segment.
func (op *Operation) URL(param string) string {
	before, rest, found := strings.Cut(op.Path, "{")
	if !found {
		return op.Path
	}
	_, after, _ := strings.Cut(rest, "}")
	return before + escapeSegment(param) + after
}

func escapeSegment(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !isUnreserved(r) }) {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if isUnreserved(rune(c)) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// isUnreserved follows RFC 3986, section 2.3.
func isUnreserved(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.' || r == '_' || r == '~'
}

// Param unescapes a path parameter from [Match].
func Param(escaped string) (string, error) {
	param, err := url.PathUnescape(escaped)
	if err != nil {
		return "", errors.New("is not a well-formed path segment")
	}
	return param, nil
}

const maxID = 256

// CheckID returns why a client id must not be used in a path, or nil. It refuses ids that a proxy
// could turn into another route or another client, and ids that could break a log line. It does not
// check whether Stytch could have issued the id.
func CheckID(id string) error {
	plain := !strings.ContainsFunc(id, func(r rune) bool { return !isUnreserved(r) })
	switch {
	case id == "":
		return errors.New("must not be empty")
	case len(id) > maxID:
		return errors.New("must not be longer than 256 bytes")
	case !utf8.ValidString(id):
		return errors.New("must be valid UTF-8")
	case id == "." || id == "..":
		return errors.New("must not be a dot segment")
	case id == "search":
		return errors.New(`must not be "search", which names another route`)
	case plain: // the usual case
		return nil
	case strings.ContainsAny(id, `/\%?#`):
		return errors.New(`must not contain any of / \ % ? #`)
	case strings.TrimFunc(id, unicode.IsSpace) != id:
		return errors.New("must not begin or end with a space")
	case strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) }):
		return errors.New("must not contain control characters")
	}
	return nil
}
