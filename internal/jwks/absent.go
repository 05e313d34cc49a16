package jwks

import "time"

const (
	absentFor = 10 * time.Second // how long an id that was not in the key set is not looked for again
	maxAbsent = 256
	maxKeyID  = 256 // bytes; no key of a set has a longer id
)

// absent is a negative cache: key ids that were not in the key set, and until when that is
// believed. Without it, one made-up id that is sent again and again would use up the fetches that
// unknown ids may cause.
type absent map[string]time.Time

func (a absent) has(kid string, now time.Time) bool {
	return len(kid) > maxKeyID || now.Before(a[kid])
}

func (a absent) add(kid string, now time.Time) {
	if len(a) >= maxAbsent {
		for id, until := range a {
			if !now.Before(until) {
				delete(a, id)
			}
		}
	}
	if len(a) < maxAbsent && len(kid) <= maxKeyID {
		a[kid] = now.Add(absentFor)
	}
}
