package instance

import (
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/stytch/emulator"
)

// A Reset says what to return to and what stays.
type Reset struct {
	Empty      bool // not even the seed
	KeepKeys   bool
	KeepFaults bool
}

// Reset starts the project again. Its id, secret and issuer stay.
func (i *Instance) Reset(how Reset) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	from := i.config.Seed
	if how.Empty {
		from = nil
	}
	records, err := i.identity(how.KeepKeys)
	if err != nil {
		return err
	}
	for r := range i.current.Load().Records() {
		if r.Kind == versionKind {
			records = append(records, r)
		}
	}
	offset := time.Duration(0)
	if !i.config.Start.IsZero() {
		offset = time.Until(i.config.Start)
	}
	return i.replace(records, from, offset, func(e *emulator.Emulator) error {
		if how.KeepFaults {
			e.TakeFaults(i.current.Load())
		}
		return nil
	})
}

// replace builds an emulator from records and a seed, stores its content and lets it serve once
// prepare has made what is not stored. The caller holds i.mu. Requests that the old emulator still
// answers count as served before.
func (i *Instance) replace(records []emulator.Record, from *seed.Seed, offset time.Duration, prepare func(*emulator.Emulator) error) error {
	if err := checkOffset(offset); err != nil {
		return err
	}
	var content interface {
		emulator.Storage
		Replace(settings map[string][]byte) error
	} = &unstored{records: slices.Values(records)}
	if i.config.Store != nil {
		content = i.config.Store.Stage(records)
	}
	e, err := i.build(content, from)
	if errors.Is(err, emulator.ErrStorage) { // a record: nothing is written yet
		return invalid("%s. Nothing was changed.", plain(err))
	}
	if err != nil {
		return refusal(err)
	}
	if err := prepare(e); err != nil {
		return err
	}
	if err := content.Replace(map[string][]byte{offsetSetting: []byte(offset.String())}); err != nil {
		return err
	}
	i.clock.offset.Store(int64(offset))
	i.current.Store(e)
	i.requests.Clear()
	return nil
}

// unstored provides records to an emulator in memory, and forgets what it saves.
type unstored struct{ records iter.Seq[emulator.Record] }

func (u *unstored) Load() iter.Seq2[emulator.Record, error] {
	return func(yield func(emulator.Record, error) bool) {
		for r := range u.records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (*unstored) Save([]emulator.Record) func() error { return func() error { return nil } }

func (*unstored) Replace(map[string][]byte) error { return nil }
