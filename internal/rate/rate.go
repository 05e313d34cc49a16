// Package rate is the policy by which clients of a server send fewer requests when it asks them to:
// a token bucket whose rate is halved at once and grows back evenly. It is a pure state machine.
// The caller keeps the [State], in memory or in a row of a database, passes the time in, and does
// the waiting.
//
// The numbers are on the careful side, because those who send too much are throttled for
// everything, rotations in progress included:
//
//   - A pause is as long as the server says, but at least 1 s ([MinPause]) and at most 1 h
//     ([MaxPause]), so that a bogus Retry-After cannot stall the work for days.
//   - After it a single request may go out at once and find out whether the server has recovered.
//   - Each pause halves the rate, down to 1/64 of the full one ([Floor]). What is throttled during
//     a pause was sent before it, so it can make the pause longer but does not halve the rate
//     again.
//   - The rate grows by half of the full one per minute ([Recovery]): it is whole 1 min after a
//     single pause, and just under 2 min after the lowest.
package rate

import (
	"errors"
	"math"
	"time"
)

// The policy in numbers.
const (
	MinPause = time.Second     // the shortest pause, and the one if the server does not say
	MaxPause = time.Hour       // the longest, whatever the server says
	Floor    = 1.0 / 64        // of the full rate
	Recovery = 2 * time.Minute // from nothing to the full rate

	// lateness is by how much a timer may be late before tokens are lost to whom it wakes. Without
	// it a small burst would lose much of the rate.
	lateness = 100 * time.Millisecond

	longestWait    = time.Minute // the caller looks again at least this often
	recoveringWait = time.Second // and this often while the rate grows

	roundoff = 1e-9 // tokens
)

// Policy is how many requests are allowed: a rate over time, and a burst after a time of rest.
type Policy struct{ perSecond, burst float64 }

// NewPolicy checks the two numbers. All who share a state should use the same ones.
func NewPolicy(perSecond float64, burst int) (Policy, error) {
	if !(perSecond > 0) || math.IsInf(perSecond, 0) {
		return Policy{}, errors.New("rate must be positive and finite")
	}
	if burst < 1 {
		return Policy{}, errors.New("burst must be at least 1")
	}
	return Policy{perSecond, float64(burst)}, nil
}

// State is a bucket at a time. All of it has to be stored.
type State struct {
	Tokens float64   // requests that may be sent at Filled
	Filled time.Time // when Tokens was counted; if it is in the future, nothing may be sent before it
	Share  float64   // of the full rate, at Slowed
	Slowed time.Time // when the rate began to grow again
}

// Full is the state of a bucket that nothing has been taken from.
func (p Policy) Full(now time.Time) State {
	return State{Tokens: p.burst, Filled: now, Share: 1, Slowed: now}
}

// Take takes up to n tokens, and at most the burst. If it grants none, the caller waits and then
// asks again; the wait is until all of n are likely to be there, or shorter. waited reports whether
// the caller has waited since it last asked: what came in over the burst because a timer was late
// is then not lost.
func (p Policy) Take(s State, now time.Time, n int, waited bool) (next State, granted int, wait time.Duration) {
	s = s.unwound(now)
	if s.Filled.After(now) {
		return s, 0, s.Filled.Sub(now)
	}
	s = p.fill(s, now, waited)
	want := min(float64(n), p.burst)
	if granted = int(min(want, math.Floor(s.Tokens+roundoff))); granted > 0 {
		s.Tokens = max(0, s.Tokens-float64(granted))
		return s, granted, 0
	}
	share := s.share(now)
	limit := longestWait
	if share < 1 {
		limit = recoveringWait
	}
	seconds := min((want-s.Tokens)/(p.perSecond*share), limit.Seconds())
	return s, 0, time.Duration(math.Ceil(seconds * float64(time.Second)))
}

// Throttle begins a pause, or makes it longer, after the server refused a request for sending too
// many. wait is what it asked for, 0 if it did not say.
func (p Policy) Throttle(s State, now time.Time, wait time.Duration) State {
	s = s.unwound(now)
	if !s.Filled.After(now) {
		s.Share = max(Floor, s.share(now)/2)
		s.Tokens = 1
	}
	if end := now.Add(min(max(wait, MinPause), MaxPause)); end.After(s.Filled) {
		s.Filled, s.Slowed = end, end
	}
	return s
}

// Rate is how many requests a second are allowed, pauses aside.
func (p Policy) Rate(s State, now time.Time) float64 { return p.perSecond * s.share(now) }

// fill adds what has come in since the tokens were last counted.
func (p Policy) fill(s State, now time.Time, waited bool) State {
	gained := p.perSecond * (s.share(s.Filled) + s.share(now)) / 2 * now.Sub(s.Filled).Seconds()
	brim := p.burst
	if waited {
		brim += p.perSecond * lateness.Seconds()
	}
	s.Tokens = max(s.Tokens, min(s.Tokens+gained, brim))
	s.Filled = now
	return s
}

// share is which part of the full rate is allowed.
func (s State) share(now time.Time) float64 {
	return min(1, s.Share+max(0, now.Sub(s.Slowed).Seconds())/Recovery.Seconds())
}

// unwound ends a pause that is longer than any: the clock was set back.
func (s State) unwound(now time.Time) State {
	if s.Filled.Sub(now) > MaxPause {
		s.Filled, s.Slowed = now, now
	}
	return s
}
