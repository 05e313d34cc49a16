package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
)

// A Record is one part of the state of an emulator: a client, a key, a setting. Its Kind and ID
// together name it.
//
// The kinds are version, project, project_secret, behavior, m2m_client, connected_app, signing_key,
// minted_tokens, revoked_token, sequence and deleted_seed. No record holds a token or the secret of
// a client: what is stored is its hash. A Record prints without its value.
type Record struct {
	Kind  string
	ID    string
	Value []byte // a JSON object; nil in [Storage].Save if the record was removed
}

// HasSecret reports whether the value holds a secret of the project in plain text: its own secret
// or the private part of a signing key. An export that others may read leaves such records out.
func (r Record) HasSecret() bool { return r.Kind == kindProjectSecret || r.Kind == kindKey }

// Format prints the record without its value, for every verb.
func (r Record) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.name()) }

// LogValue logs the record without its value.
func (r Record) LogValue() slog.Value { return slog.StringValue(r.name()) }

func (r Record) name() string { return "Record(" + r.Kind + " " + r.ID + ")" }

// A Storage keeps the state of an emulator beyond its process; see [WithStorage]. It belongs to one
// emulator at a time: lock the file or the database, so that no other one writes to it.
type Storage interface {
	// Load returns all records, in any order, without removed ones. The loop ends at the first
	// error.
	Load() iter.Seq2[Record, error]

	// Save takes changed records: an existing one is replaced, and one whose value is nil is
	// removed. Its calls come one at a time, in the order of the changes, and while the changed
	// part of the state is locked, so it must not block: it queues the records for a goroutine
	// that writes them. The records belong to the storage from then on.
	//
	// The returned function waits until the records of this call and of all earlier ones survive a
	// crash. It is called at most once, before the response to the request that made the changes
	// is sent. A crash may lose the latest calls of Save whose function did not yet return, but
	// never a part of one call.
	Save(records []Record) (wait func() error)
}

// ErrStorage is what errors.Is finds in every error of a [Storage]: of records that cannot be read
// or written.
var ErrStorage = errors.New("emulator: storage")

// errRefused is the refusal of every change after the storage has failed.
var errRefused = fmt.Errorf("%w: it failed before, so memory and storage may differ: start the emulator again. Nothing was changed", ErrStorage)

// The kinds of records.
const (
	kindVersion       = "version"
	kindProject       = "project"
	kindProjectSecret = "project_secret"
	kindBehavior      = "behavior"
	kindClient        = "m2m_client"
	kindApp           = "connected_app"
	kindKey           = "signing_key"
	kindMinted        = "minted_tokens"
	kindRevoked       = "revoked_token"
	kindSequence      = "sequence"     // the last seq of a table, needed once its newest record was deleted
	kindDeletedSeed   = "deleted_seed" // a seed that was deleted, so that a restart does not add it again
)

// storageFormat is the version of the format of all records.
const storageFormat = 1

type sequenceValue struct {
	Last uint64 `json:"last"`
}

// seedID is the id of a deleted_seed record.
func seedID(kind, id string) string { return kind + "/" + id }

func newRecord(kind, id string, value any) Record { return Record{kind, id, encode(value)} }

// decodeRecord reads the value of a record. Unknown fields are refused: a newer version wrote them,
// and they would be lost.
func decodeRecord[T any](r Record) (value T, err error) {
	dec := json.NewDecoder(bytes.NewReader(r.Value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&value); err != nil {
		return value, r.unreadable("the value is not what this version writes: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || bytes.Equal(bytes.TrimSpace(r.Value), []byte("null")) {
		return value, r.unreadable("the value must be one JSON object")
	}
	return value, nil
}

// unreadable returns the error for a record that cannot be used.
func (r Record) unreadable(reason string, args ...any) error {
	return fmt.Errorf("%w: record %.64q %.256q: %w: restore the data from a backup or an export, or start with an empty storage",
		ErrStorage, r.Kind, r.ID, fmt.Errorf(reason, args...))
}
