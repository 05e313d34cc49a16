package instance

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/store"
)

// The clock shows times in this range, so that no token has a time that clients cannot read.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

const offsetSetting = "clock_offset"

// A clock is real time and an offset.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

func (c *clock) restore(from *store.Store) error {
	text, err := from.Setting(offsetSetting)
	if err != nil || text == nil {
		return err
	}
	offset, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%w: its clock offset is %.40q, which is no duration", store.ErrUnreadable, text)
	}
	c.offset.Store(int64(offset))
	return nil
}

// A Clock is what the clock shows.
type Clock struct {
	Now    time.Time
	Offset time.Duration // from real time
}

// Clock reads the clock.
func (i *Instance) Clock() Clock {
	offset := time.Duration(i.clock.offset.Load())
	return Clock{time.Now().Add(offset).UTC(), offset}
}

// SetTime lets the clock show a time. It ticks on from there.
func (i *Instance) SetTime(to time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.travel(time.Until(to))
}

// Advance moves the clock, back if by is negative.
func (i *Instance) Advance(by time.Duration) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := time.Duration(i.clock.offset.Load())
	if sum := now + by; (sum > now) == (by > 0) {
		return i.travel(sum)
	}
	return outOfRange()
}

// RealTime removes the offset.
func (i *Instance) RealTime() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.travel(0)
}

// travel sets the offset once it is stored. The caller holds i.mu, or has the instance alone.
func (i *Instance) travel(offset time.Duration) error {
	if err := checkOffset(offset); err != nil {
		return err
	}
	if i.config.Store != nil {
		if err := i.config.Store.SetSetting(offsetSetting, []byte(offset.String())); err != nil {
			return err
		}
	}
	i.clock.offset.Store(int64(offset))
	return nil
}

func checkOffset(offset time.Duration) error {
	if to := time.Now().Add(offset); to.Before(earliest) || to.After(latest) {
		return outOfRange()
	}
	return nil
}

func outOfRange() error {
	return invalid("the clock shows times from 1970 to the end of 2199. Nothing was changed.")
}
