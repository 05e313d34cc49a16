package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Outgoing is a secret the caller chose, inside a request that hands it to
// Stytch. It behaves as [String] does everywhere but in encoding/json, which
// writes the real text: JSON is how a request travels.
//
// So mind what else encodes JSON. slog's JSON handler redacts an Outgoing it is
// given directly, but passes a struct, slice or map that contains one to
// encoding/json, which reveals it: do not log a create request that way.
//
// Convert freely: secret.Outgoing(s) and secret.String(i).
type Outgoing String

// Reveal returns the text, "" for the zero value.
func (i Outgoing) Reveal() string { return String(i).Reveal() }

// IsZero reports whether there is no secret. encoding/json's omitzero uses it.
func (i Outgoing) IsZero() bool { return String(i).IsZero() }

// Equal compares as [String.Equal] does.
func (i Outgoing) Equal(other Outgoing) bool { return String(i).Equal(String(other)) }

// String returns [Placeholder], or "" for the zero value.
func (i Outgoing) String() string { return String(i).String() }

// GoString returns what [Outgoing.String] does.
func (i Outgoing) GoString() string { return i.String() }

// Format writes what [Outgoing.String] returns, for every verb, flag and width.
func (i Outgoing) Format(f fmt.State, verb rune) { String(i).Format(f, verb) }

// LogValue logs what [Outgoing.String] returns.
func (i Outgoing) LogValue() slog.Value { return String(i).LogValue() }

// MarshalText returns [Placeholder], or "" for the zero value.
func (i Outgoing) MarshalText() ([]byte, error) { return String(i).MarshalText() }

// MarshalJSON returns the real text as a JSON string. It fails with
// [ErrRedacted] if the text carries [Placeholder], and if the text is not
// valid UTF-8: Stytch would store another secret than the one the caller holds.
func (i Outgoing) MarshalJSON() ([]byte, error) {
	text := i.Reveal()
	if err := check(text); err != nil {
		return nil, err
	}
	return json.Marshal(text)
}

// UnmarshalText stores text as [String.UnmarshalText] does.
func (i *Outgoing) UnmarshalText(text []byte) error { return (*String)(i).UnmarshalText(text) }

// UnmarshalJSON stores a JSON string or null as [String.UnmarshalJSON] does.
func (i *Outgoing) UnmarshalJSON(data []byte) error { return (*String)(i).UnmarshalJSON(data) }

// GobEncode fails, as [String.GobEncode] does.
func (i Outgoing) GobEncode() ([]byte, error) { return nil, errGob }

// GobDecode fails, as [String.GobEncode] does.
func (i *Outgoing) GobDecode([]byte) error { return errGob }
