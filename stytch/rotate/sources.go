package rotate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// A source is where the current secret may be known: the function of [WithCurrent], or a place that
// can be read, by the index of its deliverer. What it says counts only after it was proved.
const fromCaller = -1

// answer is what a source said.
type answer struct {
	source   int
	asked    moment
	secret   secret.String // zero if it has none
	previous secret.String // the other one that a place has, which is not tried
	err      error         // it could not be asked, so what it has is not known
	verdict  Verdict       // of the secret
}

// sources are the ones that there are, in the order in which they are tried.
func (c *config) sources() (all []int) {
	if c.current != nil {
		all = append(all, fromCaller)
	}
	for i, d := range c.deliverers {
		if d.reads() {
			all = append(all, i)
		}
	}
	return all
}

// sourceName is a source in an error.
func (c *config) sourceName(source int) string {
	if source == fromCaller {
		return "WithCurrent"
	}
	return fmt.Sprintf("place %q", c.deliverers[source].name)
}

// unasked is the first source that was not asked, or not asked since the start of this round.
func (o *observation) unasked(c *config, thisRound bool) (source int, ok bool) {
	for _, source := range c.sources() {
		i := slices.IndexFunc(o.answers, func(a answer) bool { return a.source == source })
		if i < 0 || o.answers[i].asked.at.IsZero() || thisRound && o.answers[i].asked.round != o.round {
			return source, true
		}
	}
	return 0, false
}

// hears adds what a source said.
func (o *observation) hears(a answer) {
	i := slices.IndexFunc(o.answers, func(before answer) bool { return before.source == a.source })
	if i < 0 {
		o.answers = append(o.answers, a)
		return
	}
	if a.secret.Equal(o.answers[i].secret) {
		a.verdict = o.answers[i].verdict
	}
	o.answers[i] = a
}

// untried is the first secret of a source that was not proved and is not in the record.
func (o *observation) untried(rec Record) (secret.String, bool) {
	for _, a := range o.answers {
		if a.verdict == Unproved && !a.secret.IsZero() && !a.secret.Equal(rec.Current) && !a.secret.Equal(rec.Next) {
			return a.secret, true
		}
	}
	return secret.String{}, false
}

// withCurrent is the record with the current secret of a source, if that was accepted.
func (o *observation) withCurrent(rec Record) Record {
	for _, a := range o.answers {
		if a.verdict == Accepted {
			rec.Current = a.secret
			break
		}
	}
	return rec
}

// current reports whether the current secret is known, if only from sources that were not tried
// yet, and whether it works.
func (o *observation) current(rec Record) (known bool, verdict Verdict) {
	if !rec.Current.IsZero() {
		if o.valid(o.currentAt) && o.currentOf.Equal(rec.Current) {
			verdict = o.working.Current
		}
		return true, verdict
	}
	if rec.State != Planned { // it was begun without
		return false, Unproved
	}
	if _, untried := o.untried(rec); untried {
		return true, Unproved
	}
	if slices.ContainsFunc(o.answers, func(a answer) bool { return a.verdict == Refused }) {
		return true, Refused
	}
	return false, Unproved
}

// unread is the failure of the sources that could not be asked, or nil.
func (o *observation) unread() error {
	var failed []error
	for _, a := range o.answers {
		if a.err != nil {
			failed = append(failed, a.err)
		}
	}
	return errors.Join(failed...)
}

// otherRotation is the error that the pending secret is not ours, with what is known of it.
func (o *observation) otherRotation(rec Record) error {
	if p, _ := o.compare(rec); p == pendingOurs {
		return wrong(ErrOtherRotation, "the pending secret ends like the stored one, which is refused")
	}
	if slices.ContainsFunc(o.answers, func(a answer) bool {
		return lastFour(a.secret) == o.seen.Next || lastFour(a.previous) == o.seen.Next
	}) {
		return because(ErrOtherRotation, errHeld)
	}
	if rec.State == Starting && o.inFlight {
		return wrong(ErrOtherRotation, "this one requested a next secret at %s and got no response, and the pending one may be that or one of another process",
			rec.UpdatedAt.UTC().Format(time.RFC3339))
	}
	return ErrOtherRotation
}

// refusedCurrent is the error that no secret of any source works, and names them.
func (o *observation) refusedCurrent(rec Record, c *config) error {
	var tried []string
	if !rec.Current.IsZero() {
		tried = append(tried, "the journal")
	}
	for _, a := range o.answers {
		if !a.secret.IsZero() {
			tried = append(tried, c.sourceName(a.source))
		}
	}
	return wrong(ErrCurrentRefused, "tried %s", strings.Join(tried, ", "))
}

// unknownCurrent is the error that no source has the current secret, and names them.
func (o *observation) unknownCurrent(c *config) error {
	var asked []string
	for _, source := range c.sources() {
		asked = append(asked, c.sourceName(source))
	}
	if len(asked) == 0 {
		return wrong(ErrCurrentUnknown, "there is no WithCurrent, and no place can be read")
	}
	return wrong(ErrCurrentUnknown, "asked %s", strings.Join(asked, ", "))
}
