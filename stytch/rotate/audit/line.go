package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// line is a line of the log. Its members are written in this order and without spaces; nothing else
// is accepted.
type line struct {
	Seq        int          `json:"seq"`
	Time       string       `json:"time"`
	Host       string       `json:"host"`
	PID        int          `json:"pid"`
	Actor      string       `json:"actor,omitempty"`
	ClientID   string       `json:"client_id"`
	RotationID string       `json:"rotation_id"`
	From       rotate.State `json:"from"`
	To         rotate.State `json:"to"`
	Current    string       `json:"current,omitempty"`
	Next       string       `json:"next,omitempty"`
	Error      string       `json:"error,omitempty"`
	Replayed   bool         `json:"replayed,omitempty"`
	Previous   string       `json:"previous"`
}

// unknown is where a rotation went of which the journal has no record any more.
const unknown rotate.State = "unknown"

// changes reports whether a line is about a change of state, and not about a failure.
func (l line) changes() bool { return l.From != l.To && l.RotationID != "" }

// ends reports whether a line is about the end of a rotation.
func (l line) ends() bool { return l.To.Final() || l.To == unknown }

// text is the line without its end.
func (l line) text() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(l); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// parse returns the line with the given text, and whether it is exactly one.
func parse(text []byte) (l line, ok bool) {
	if json.Unmarshal(text, &l) != nil {
		return line{}, false
	}
	again, err := l.text()
	return l, err == nil && bytes.Equal(again, text)
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
