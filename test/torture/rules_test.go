package torture

import (
	"fmt"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// rules check the moments that one process reported against I2, I3 and I4. They share no code with
// the engine.
type rules struct {
	state         string
	current, next string               // as the journal has them, durably
	proved        map[string]time.Time // when this process last did, since it last asked for a completion
	broken        []string
}

func (r *rules) breach(format string, args ...any) {
	r.broken = append(r.broken, fmt.Sprintf(format, args...))
}

func (r *rules) see(m moment) {
	switch m.What + " " + m.When {
	case "claim after", "write after":
		r.current, r.next = m.Current, m.Next
		r.state, _, _ = strings.Cut(m.Of, ",") // "" if it was found and not written
	case "prove after":
		if r.proved == nil {
			r.proved = map[string]time.Time{}
		}
		delete(r.proved, m.Secret)
		if m.Accepted {
			r.proved[m.Secret] = m.At
		}
	case "start before":
		if r.state != string(rotate.Starting) {
			r.breach("asked for a next secret in state %q", r.state)
		}
		if r.current != "" && !r.works(r.current, m.At) {
			r.breach("asked for a next secret before the current one was proved, or long after")
		}
	case "deliver before":
		r.seeDelivery(m)
	case "complete before":
		switch {
		case r.next == "":
			r.breach("I3: completed a rotation whose next secret is not stored")
		case !r.works(r.next, m.At):
			r.breach("I3: completed a rotation whose next secret was not proved just before")
		case r.state != string(rotate.Completing) && r.state != "":
			r.breach("I3: completed in state %q", r.state)
		}
		r.proved = nil // whether it works or not
	case "cancel before":
		if r.current == "" || !r.works(r.current, m.At) {
			r.breach("I4: canceled although the stored current secret was not proved just before")
		}
	}
}

// works reports whether a secret was proved a short time ago.
func (r *rules) works(fingerprint string, now time.Time) bool {
	at, proved := r.proved[fingerprint]
	return proved && now.Sub(at) < 10*time.Second
}

func (r *rules) seeDelivery(m moment) {
	former := m.Current // of the delivery: the previous one
	switch {
	case m.Secret == r.next && (former == "" || former == r.current):
	case m.Secret == r.current && former == "":
	default:
		r.breach("I2: %s was told of secrets that are not stored", m.Of)
	}
}
