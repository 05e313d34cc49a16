// Package secret holds texts that must not be printed by accident: client
// secrets above all.
//
// A [String] shows [Placeholder] to every printer, logger and encoder. Its
// text is kept behind a closure rather than in a string field, because fmt
// calls no methods on the unexported fields of somebody else's struct, and
// tools that dump values by reflection call none at all: both reach a string
// field, neither reaches what a function would return. [String.Reveal] is the
// only door of a String, so a search for "Reveal(" finds where secrets leave.
//
// An [Outgoing] is a secret on its way to Stytch. It differs in one thing:
// encoding/json writes its real text.
//
// The types keep secrets out of output, not out of memory: a core dump, a
// debugger or package unsafe still finds them.
//
// Values are immutable once set and safe for concurrent use. Compare them with
// Equal; == does not compile, and reflect.DeepEqual reports false for any two
// values that are not both zero.
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

// Placeholder is what a secret shows instead of its text. The secrets Stytch
// generates hold no brackets, so Placeholder where a secret is expected means
// that one was printed and read back; see [ErrRedacted].
const Placeholder = "[REDACTED]"

// ErrRedacted reports a text that carries [Placeholder] where a secret is
// expected: the real one was lost when something encoded it.
var ErrRedacted = errors.New("secret: found " + Placeholder + " instead of a secret: it was redacted on the way here, use Reveal where it is written")

// The errors below never quote their input, which may be most of a secret.
var (
	errNotString = errors.New("secret: must be a JSON string or null")
	errNotUTF8   = errors.New("secret: the text is not valid UTF-8 and would not survive JSON")
	errGob       = errors.New("secret: encoding/gob is refused, it would lose the text: use Reveal")
)

// String is a secret that a server sent or a caller holds. The zero value is
// an absent secret, and prints as the empty string so that absence shows.
type String struct{ reveal func() string }

// New returns text as a secret. New("") is the zero value.
func New(text string) String {
	if text == "" {
		return String{}
	}
	return String{reveal: func() string { return text }}
}

// Generate returns a new secret of 48 characters from the URL-safe base64
// alphabet, 288 bits from crypto/rand. That is the length and alphabet of the
// secrets Stytch itself has been seen to generate. It is for callers who
// choose a client_secret of their own, so that a lost answer to the create
// call does not lose the secret:
//
//	chosen := secret.Generate()
//	request.ClientSecret = secret.Outgoing(chosen)
func Generate() String {
	var b [36]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	return New(base64.RawURLEncoding.EncodeToString(b[:]))
}

// Reveal returns the text, "" for the zero value. It is the only way to it.
func (s String) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether there is no secret. encoding/json's omitzero uses it.
func (s String) IsZero() bool { return s.reveal == nil }

// Equal reports whether both hold the same text. Its duration says nothing
// about where two texts differ. Two zero values are equal.
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

// GoString returns what [String.String] does.
func (s String) GoString() string { return s.String() }

// Format writes what [String.String] returns for every verb, flag and width:
// without it %x would print the placeholder in hexadecimal, and %d the address
// of the closure.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs what [String.String] returns.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns [Placeholder], or "" for the zero value.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON returns [Placeholder] as a JSON string, or "" for the zero value.
func (s String) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalText stores text. It fails with [ErrRedacted] if text carries
// [Placeholder], and if text is not valid UTF-8; s is then left as it was.
func (s *String) UnmarshalText(text []byte) error {
	if err := check(string(text)); err != nil {
		return err
	}
	*s = New(string(text))
	return nil
}

// UnmarshalJSON stores the text of a JSON string; null gives the zero value,
// so that a reused variable does not keep an older secret. It fails as
// [String.UnmarshalText] does, and for any other kind of JSON value.
func (s *String) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return errNotString // the cause is dropped: it may quote the data
	}
	return s.UnmarshalText([]byte(text))
}

// GobEncode fails: a redacted copy would be a secret silently lost.
func (s String) GobEncode() ([]byte, error) { return nil, errGob }

// GobDecode fails, as [String.GobEncode] does.
func (s *String) GobDecode([]byte) error { return errGob }

// check refuses what cannot be the secret that was written: the placeholder,
// and U+FFFD, which encoding/json silently puts in place of invalid bytes.
// ContainsRune finds invalid bytes under that name too.
func check(text string) error {
	switch {
	case strings.Contains(text, Placeholder):
		return ErrRedacted
	case strings.ContainsRune(text, utf8.RuneError):
		return errNotUTF8
	}
	return nil
}
