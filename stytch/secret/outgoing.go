package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Outgoing is a secret that the caller chose, in a request that sends it to Stytch. It behaves like
// [String], except that encoding/json writes the real text, because that is how a request is sent.
//
// Take care with anything else that encodes JSON. slog's JSON handler redacts an Outgoing that it
// is passed directly, but encodes a struct, slice or map that contains one with encoding/json,
// which reveals it.
//
// Convert between the two with secret.Outgoing(s) and secret.String(o).
type Outgoing String

// Reveal returns the text, "" for the zero value.
func (o Outgoing) Reveal() string { return String(o).Reveal() }

// IsZero reports whether there is no secret. It makes omitzero work in encoding/json.
func (o Outgoing) IsZero() bool { return String(o).IsZero() }

// Equal compares as [String.Equal] does.
func (o Outgoing) Equal(other Outgoing) bool { return String(o).Equal(String(other)) }

// String returns [Placeholder], or "" for the zero value.
func (o Outgoing) String() string { return String(o).String() }

// GoString returns the same as [Outgoing.String].
func (o Outgoing) GoString() string { return o.String() }

// Format writes what [Outgoing.String] returns, for every verb, flag and width.
func (o Outgoing) Format(f fmt.State, verb rune) { String(o).Format(f, verb) }

// LogValue logs what [Outgoing.String] returns.
func (o Outgoing) LogValue() slog.Value { return String(o).LogValue() }

// MarshalText returns [Placeholder], or "" for the zero value.
func (o Outgoing) MarshalText() ([]byte, error) { return String(o).MarshalText() }

// MarshalJSON returns the real text as a JSON string. It fails with [ErrRedacted] if the text
// contains [Placeholder]. It also fails if the text is not valid UTF-8, because Stytch would then
// store a different secret.
func (o Outgoing) MarshalJSON() ([]byte, error) {
	text := o.Reveal()
	if err := check(text); err != nil {
		return nil, err
	}
	return json.Marshal(text)
}

// UnmarshalText stores text as [String.UnmarshalText] does.
func (o *Outgoing) UnmarshalText(text []byte) error { return (*String)(o).UnmarshalText(text) }

// UnmarshalJSON stores a JSON string or null as [String.UnmarshalJSON] does.
func (o *Outgoing) UnmarshalJSON(data []byte) error { return (*String)(o).UnmarshalJSON(data) }

// GobEncode fails, as [String.GobEncode] does.
func (o Outgoing) GobEncode() ([]byte, error) { return nil, errGob }

// GobDecode fails, as [String.GobEncode] does.
func (o *Outgoing) GobDecode([]byte) error { return errGob }
