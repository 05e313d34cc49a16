// Package requestlog holds the last requests that an emulator answered, without headers, queries
// and bodies, for people who look and for tests that count.
package requestlog

import (
	"slices"
	"strings"
	"sync"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// Size is how many requests a log holds.
const Size = 10_000

// An Entry is a request. IDs begin with 1 and grow by one.
type Entry struct {
	ID int64
	emulator.Request
}

// A Filter chooses entries. The zero value of a field matches all.
type Filter struct {
	After     int64 // only greater ids
	Operation string
	Method    string
	Status    *int
	ClientID  string
	ErrorType string
}

func (f Filter) matches(e Entry) bool {
	return e.ID > f.After &&
		(f.Operation == "" || f.Operation == e.Operation) &&
		(f.Method == "" || f.Method == e.Method) &&
		(f.Status == nil || *f.Status == e.Status) &&
		(f.ClientID == "" || f.ClientID == e.ClientID) &&
		(f.ErrorType == "" || f.ErrorType == e.ErrorType)
}

// A Log is the log of one server. The zero value is empty and ready. It is safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	ring    []Entry // entry id is at (id-1) % Size
	last    int64   // id of the newest entry
	cleared int64   // entries up to this id were removed on purpose
	changed chan struct{}
}

// The lengths of what callers choose, in bytes. They bound what a full log holds.
const (
	maxMethod = 32
	maxPath   = 512
	maxReason = 2048
	maxID     = 512
)

// kept is a request as the log holds it. Its texts are copies: one that is part of the request line
// would keep the whole line in memory, with its query.
func kept(r emulator.Request) emulator.Request {
	r.Method, r.Path = clip(r.Method, maxMethod), clip(r.Path, maxPath)
	r.Reason, r.ClientID = clip(r.Reason, maxReason), clip(r.ClientID, maxID)
	return r
}

func clip(text string, limit int) string {
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return strings.Clone(text)
}

// Add appends a request.
func (l *Log) Add(r emulator.Request) {
	r = kept(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e := Entry{l.last, r}
	if len(l.ring) < Size {
		l.ring = append(l.ring, e)
	} else {
		l.ring[l.index(e.ID)] = e
	}
	l.notify()
}

func (l *Log) index(id int64) int { return int((id - 1) % Size) }

func (l *Log) notify() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// first is the id of the oldest entry; last+1 if there is none.
func (l *Log) first() int64 { return max(l.cleared, l.last-int64(len(l.ring))) + 1 }

// discarded is how many entries with greater ids were overwritten.
func (l *Log) discarded(after int64) int64 {
	return max(0, l.first()-1-max(after, l.cleared))
}

// A Page is a part of a log.
type Page struct {
	Entries   []Entry // oldest first
	Last      int64   // id of the newest entry of the log
	Discarded int64   // how many entries after Filter.After were overwritten
}

// Select returns up to limit entries: with Filter.After those that follow it, else the newest.
func (l *Log) Select(f Filter, limit int) Page {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.After > 0 {
		return l.forward(f, limit)
	}
	p := Page{Entries: []Entry{}, Last: l.last, Discarded: l.discarded(0)}
	for id := l.last; id >= l.first() && len(p.Entries) < limit; id-- {
		if e := l.ring[l.index(id)]; f.matches(e) {
			p.Entries = append(p.Entries, e)
		}
	}
	slices.Reverse(p.Entries)
	return p
}

// Since returns up to limit entries that follow an id, which may be 0.
func (l *Log) Since(after int64, limit int) Page {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.forward(Filter{After: after}, limit)
}

func (l *Log) forward(f Filter, limit int) Page {
	p := Page{Entries: []Entry{}, Last: l.last, Discarded: l.discarded(f.After)}
	for id := max(l.first(), f.After+1); id <= l.last && len(p.Entries) < limit; id++ {
		if e := l.ring[l.index(id)]; f.matches(e) {
			p.Entries = append(p.Entries, e)
		}
	}
	return p
}

// Count counts entries. Complete is false if entries that may match were overwritten.
func (l *Log) Count(f Filter) (n int, complete bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := max(l.first(), f.After+1); id <= l.last; id++ {
		if f.matches(l.ring[l.index(id)]) {
			n++
		}
	}
	return n, l.discarded(f.After) == 0
}

// Entry returns an entry, if the log still has it.
func (l *Log) Entry(id int64) (Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id < l.first() || id > l.last {
		return Entry{}, false
	}
	return l.ring[l.index(id)], true
}

// Clear removes all entries. Ids continue.
func (l *Log) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cleared = l.last
	l.notify()
}

// Changed returns the id of the newest entry and a channel that is closed at the next change.
func (l *Log) Changed() (last int64, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.last, l.changed
}
