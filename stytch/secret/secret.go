// Package secret has types for text that must not be printed by accident, such as a client secret.
//
// A [String] shows [Placeholder] to every printer, logger and encoder. Only [String.Reveal] returns
// its text, so a search for "Reveal(" finds every place where a secret is used. The text is in a
// closure, not in a string field: fmt does not call methods on unexported fields of another
// package's struct, and tools that dump values by reflection call no methods at all. Both can read
// a string field; neither can see what a function returns.
//
// An [Outgoing] is a secret in a request to Stytch. It differs in one way: encoding/json writes its
// real text.
//
// The types keep secrets out of output, not out of memory: a core dump, a debugger or package
// unsafe still finds them.
//
// Values are immutable and safe for concurrent use. Compare them with Equal: == does not compile,
// and reflect.DeepEqual is false unless both values are zero.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// Placeholder is shown instead of the text of a secret. Secrets that Stytch generates contain no
// brackets, so a Placeholder where a secret is expected was printed and read back; see
// [ErrRedacted].
const Placeholder = "[REDACTED]"

// ErrRedacted reports a text that contains [Placeholder] where a secret is expected: the real one
// was lost when it was encoded.
var ErrRedacted = errors.New("secret: found " + Placeholder + " instead of a secret: it was redacted on the way here, use Reveal where it is written")

// These errors never quote their input, which may be most of a secret.
var (
	errNotString = errors.New("secret: must be a JSON string or null")
	errNotUTF8   = errors.New("secret: the text is not valid UTF-8, so JSON would change it")
	errGob       = errors.New("secret: encoding/gob is not supported, because it would lose the text: use Reveal")
)

// String is a secret. The zero value means that there is none, and prints as the empty string.
type String struct{ reveal func() string }

// New returns text as a secret. New("") is the zero value.
func New(text string) String {
	if text == "" {
		return String{}
	}
	return String{reveal: func() string { return text }}
}

// Generate returns a new secret: 48 characters of the URL-safe base64 alphabet, 288 bits from
// crypto/rand, like the secrets that Stytch has been seen to generate. With a client_secret of your
// own, a lost response to a create request does not lose the secret:
//
//	chosen := secret.Generate()
//	request.ClientSecret = secret.Outgoing(chosen)
func Generate() String {
	var b [36]byte
	rand.Read(b[:]) // never returns an error
	return New(base64.RawURLEncoding.EncodeToString(b[:]))
}

// Reveal returns the text, or "" for the zero value. Nothing else does.
func (s String) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether there is no secret. It makes omitzero work in encoding/json.
func (s String) IsZero() bool { return s.reveal == nil }

// Equal reports whether both have the same text. Its duration does not reveal where the texts
// differ. Two zero values are equal.
func (s String) Equal(other String) bool {
	a, b := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String returns [Placeholder], or "" for the zero value.
func (s String) String() string {
	if s.IsZero() {
		return ""
	}
	return Placeholder
}

// GoString returns the same as [String.String].
func (s String) GoString() string { return s.String() }

// Format writes what [String.String] returns, whatever the verb, flags and width. Without it, %x
// would print the placeholder in hexadecimal, and %d the address of the closure.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs what [String.String] returns.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns [Placeholder], or "" for the zero value.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON returns [Placeholder] as a JSON string, or "" for the zero value.
func (s String) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalText stores text. It fails with [ErrRedacted] if text contains [Placeholder], and also
// if text is not valid UTF-8. On failure s does not change.
func (s *String) UnmarshalText(text []byte) error {
	if err := check(string(text)); err != nil {
		return err
	}
	*s = New(string(text))
	return nil
}

// UnmarshalJSON stores the text of a JSON string. null stores the zero value, so that a reused
// variable does not keep an earlier secret. It fails as [String.UnmarshalText] does, and for any
// other kind of JSON value.
func (s *String) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return errNotString // without the cause, which may quote the data
	}
	return s.UnmarshalText([]byte(text))
}

// GobEncode fails: a redacted copy would silently lose the secret.
func (s String) GobEncode() ([]byte, error) { return nil, errGob }

// GobDecode fails, as [String.GobEncode] does.
func (s *String) GobDecode([]byte) error { return errGob }

// check refuses what cannot be the original secret: the placeholder, and U+FFFD, by which
// encoding/json replaces invalid bytes. ContainsRune also finds invalid bytes as U+FFFD.
func check(text string) error {
	switch {
	case strings.Contains(text, Placeholder):
		return ErrRedacted
	case strings.ContainsRune(text, utf8.RuneError):
		return errNotUTF8
	}
	return nil
}
