package jwks

import (
	"maps"
	"time"
)

// fetched is a key set and when it was fetched.
//
// Servers behind one address may hold different key sets for a while, when a key is added or taken
// out. If each download replaced all keys, tokens would be refused or accepted by which server
// answered last. So a key that a download lacks is kept for some time after the last download that
// had it. That time is also the most that passes before a key that was taken out in an emergency is
// no longer used. A key that a download has and marks as unusable is not kept.
type fetched struct {
	set  *Set
	at   time.Time
	seed bool // not from a download

	kept  map[string]time.Time // keys of set that the last download lacked: when one last had them
	until time.Time            // when the time of the first of them is over
}

// keys returns nil if f is nil.
func (f *fetched) keys() *Set {
	if f == nil {
		return nil
	}
	return f.set
}

// outlived reports whether the time of a kept key is over.
func (f *fetched) outlived(now time.Time) bool {
	return f != nil && len(f.kept) > 0 && !now.Before(f.until)
}

// replaced returns what a download leaves in place. f may be nil. If the keys stay the same, the
// set does too.
func (f *fetched) replaced(set *Set, now time.Time, overlap time.Duration) *fetched {
	next := &fetched{set: &Set{Version: 1, keys: set.keys}, at: now}
	if f == nil {
		return next
	}
	next.set.Version = f.set.Version + 1
	if !f.seed {
		missing := map[string]time.Time{}
		for kid := range f.set.keys {
			if seen, kept := f.kept[kid]; !set.names(kid) && kept {
				missing[kid] = seen
			} else if !set.names(kid) {
				missing[kid] = f.at
			}
		}
		next.keep(f.set, missing, now, overlap)
	}
	if next.set.equal(f.set) {
		next.set = f.set
	}
	return next
}

// without returns f without the kept keys whose time is over.
func (f *fetched) without(now time.Time, overlap time.Duration) *fetched {
	next := &fetched{set: &Set{Version: f.set.Version + 1, keys: maps.Clone(f.set.keys)}, at: f.at}
	for kid := range f.kept {
		delete(next.set.keys, kid)
	}
	next.keep(f.set, f.kept, now, overlap)
	return next
}

// keep adds the keys that were seen recently enough, as many as a key set may have.
func (f *fetched) keep(from *Set, seen map[string]time.Time, now time.Time, overlap time.Duration) {
	all := maps.Clone(f.set.keys)
	f.kept = map[string]time.Time{}
	for kid, at := range seen {
		end := at.Add(overlap)
		if !now.Before(end) || len(f.kept) == maxKeys {
			continue
		}
		all[kid], f.kept[kid] = from.keys[kid], at
		if f.until.IsZero() || end.Before(f.until) {
			f.until = end
		}
	}
	f.set.keys = all
}
