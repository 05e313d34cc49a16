package postgres

import (
	"sync"
	"time"
)

const (
	wholeEvery  = time.Second     // a process looks at the whole queue this often, and otherwise only at what comes after its last claim
	wholeRarely = time.Minute     // and at least this often if that takes long
	wholeShare  = 20              // so that it takes a twentieth of the time at most
	forgetEvery = 5 * time.Minute // and forgets where the queue begins this often
	unsettled   = time.Minute     // for which a statement that adds to the queue may take at most
)

// front is where the queue begins, as this process has seen it. While an old snapshot is open
// anywhere in the database (a report, a backup, a forgotten transaction), nothing that the index of
// the queue once held can be removed. A search from its start then passes the entries of all
// rotations that have ended since, on each claim.
type front struct {
	mu     sync.Mutex
	floor  *time.Time // nothing in the queue, claimed or not, is due before; nil if that is not known
	cursor *time.Time // when the latest claim of this process was due; nil after a surprise
	whole  time.Time  // when to look at the whole queue next
	forgot time.Time
	moved  int // how often something was put before the floor
}

// look is a search in the queue, from its floor (whole) or from the cursor.
type look struct {
	from  *time.Time
	whole bool
	moved int
	began time.Time
}

// look returns where to search for what is due. What a dead worker had claimed, or another worker
// released, is before the cursor, so a search of the whole queue has to come now and then.
func (f *front) look() look {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cursor == nil || !time.Now().Before(f.whole) {
		return f.fromFloor()
	}
	return look{from: f.cursor}
}

func (f *front) wholeLook() look {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fromFloor()
}

func (f *front) fromFloor() look {
	now := time.Now()
	f.whole = now.Add(wholeEvery)
	if now.Sub(f.forgot) >= forgetEvery {
		f.forgot, f.floor = now, nil
	}
	return look{f.floor, true, f.moved, now}
}

// found records a claim.
func (f *front) found(l look, due time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.whole || f.cursor == nil || due.After(*f.cursor) {
		f.cursor = &due
	}
}

// seen records what is first in the whole queue, nil if it is empty, at a time of the database.
// Statements that are not finished may still add what is due before that, but not long before.
func (f *front) seen(l look, first *time.Time, now time.Time) {
	floor := now.Add(-unsettled)
	if first != nil && first.Before(floor) {
		floor = *first
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if took := time.Since(l.began); took > wholeEvery/wholeShare {
		f.whole = time.Now().Add(min(took*wholeShare, wholeRarely))
	}
	if l.moved == f.moved && (f.floor == nil || f.floor.Before(floor)) {
		f.floor = &floor
	}
}

// back is called when this process has made something due at a time that may be in the past.
func (f *front) back(due time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.floor != nil && due.Before(*f.floor) {
		f.floor = &due
		f.moved++
	}
	if f.cursor != nil && due.Before(*f.cursor) {
		f.cursor = nil
	}
}
