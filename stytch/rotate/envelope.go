package rotate

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/internal/strictjson"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	recordVersion = 2
	maxRecord     = 64 << 10
)

// envelope is how a record is stored: one line of JSON, with either secrets or sealed. The secrets
// of a rotation that is over are {}, whether there are keys or not.
//
//	{"version":2,"record":{…},"secrets":{…},"checksum":"…"}
//	{"version":2,"record":{…},"sealed":"…","checksum":"…"}
//
// sealed is the unpadded URL-safe base64 of what package seal makes of the JSON of a pair, with the
// bytes of record as associated data. checksum is the SHA-256, in hexadecimal, of the bytes of
// record followed by those of secrets or sealed: it covers bytes and not values, because encoders
// write the same value differently.
type envelope struct {
	Version  int             `json:"version"`
	Record   json.RawMessage `json:"record"`            // fields
	Secrets  json.RawMessage `json:"secrets,omitempty"` // pair
	Sealed   string          `json:"sealed,omitempty"`
	Checksum string          `json:"checksum"`

	clear []byte // version 1: the associated data
}

// fields is what a record stores in the clear.
type fields struct {
	Project    string    `json:"project"`
	ClientID   string    `json:"client_id"`
	RotationID string    `json:"rotation_id"`
	State      State     `json:"state"`
	Delivered  []string  `json:"delivered,omitempty"`
	Abort      bool      `json:"abort,omitempty"`
	Restarts   int       `json:"restarts,omitempty"`
	Stopped    State     `json:"stopped,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	PlannedAt  time.Time `json:"planned_at,omitzero"`
	UpdatedAt  time.Time `json:"updated_at,omitzero"`
	GraceUntil time.Time `json:"grace_until,omitzero"`
}

// pair is the secrets of a record.
type pair struct {
	Current string `json:"current,omitempty"`
	Next    string `json:"next,omitempty"`
}

var (
	envelopeNames = []string{"version", "record", "secrets", "sealed", "checksum"}
	fieldNames    = []string{
		"project", "client_id", "rotation_id", "state", "delivered", "abort", "restarts", "stopped", "reason",
		"planned_at", "updated_at", "grace_until",
	}
	pairNames = []string{"current", "next"}
)

// envelope returns the envelope of a valid record.
func (c *Codec) envelope(r Record) (*envelope, error) {
	clear, err := json.Marshal(fields{
		Project: c.project, ClientID: r.ClientID, RotationID: r.RotationID, State: r.State, Delivered: r.Delivered,
		Abort: r.Abort, Restarts: r.Restarts, Stopped: r.Stopped, Reason: r.Reason,
		PlannedAt: r.PlannedAt, UpdatedAt: r.UpdatedAt, GraceUntil: r.GraceUntil,
	})
	if err != nil { // a year of five digits
		return nil, wrong(ErrInvalidArgument, "record: a time that JSON cannot hold")
	}
	secrets, err := json.Marshal(pair{r.Current.Reveal(), r.Next.Reveal()})
	if err != nil {
		return nil, wrong(ErrInvalidArgument, "record: secrets that JSON cannot hold") // the cause might quote one
	}
	e := &envelope{Version: recordVersion, Record: clear, Secrets: secrets}
	if len(c.keys) > 0 && !r.State.Final() {
		e.Secrets, e.Sealed = nil, base64.RawURLEncoding.EncodeToString(c.keys[0].Seal(secrets, clear))
	}
	e.Checksum = e.sum()
	return e, nil
}

// associated is what is authenticated with the encrypted secrets.
func (e *envelope) associated() []byte {
	if e.Version == 1 {
		return e.clear
	}
	return e.Record
}

func (e *envelope) sum() string {
	sum := sha256.Sum256(slices.Concat(e.Record, e.Secrets, []byte(e.Sealed)))
	return hex.EncodeToString(sum[:])
}

func (e *envelope) marshal() ([]byte, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, wrong(ErrInvalidArgument, "record: content that JSON cannot hold")
	}
	if len(data) >= maxRecord {
		return nil, wrong(ErrInvalidArgument, "record: larger than %d bytes", maxRecord)
	}
	return append(data, '\n'), nil
}

// unmarshal checks everything that needs neither project nor client nor key.
func unmarshal(data []byte) (*envelope, error) {
	if len(data) > maxRecord {
		return nil, wrong(ErrCorrupt, "larger than %d bytes", maxRecord)
	}
	members, err := strictjson.Members(data, nil)
	if err != nil {
		return nil, because(ErrCorrupt, err)
	}
	version, err := versionOf(members)
	switch {
	case err != nil:
		return nil, err
	case version == 1:
		return unmarshalVersion1(data, members)
	}
	var e envelope
	if !only(members, envelopeNames) || json.Unmarshal(data, &e) != nil { // whose error might quote
		return nil, wrong(ErrCorrupt, "unknown members, or values of the wrong type")
	}
	if (e.Secrets == nil) == (e.Sealed == "") {
		return nil, wrong(ErrCorrupt, "either secrets or sealed is required")
	}
	if e.Checksum != e.sum() || !bytes.HasSuffix(data, []byte("}\n")) {
		return nil, wrong(ErrCorrupt, "the checksum does not match")
	}
	return &e, nil
}

func versionOf(members []strictjson.Member) (int, error) {
	for _, m := range members {
		if string(m.Name) != "version" || m.Kind != strictjson.Number {
			continue
		}
		version, err := strconv.Atoi(string(m.Raw))
		switch {
		case err != nil || version < 1:
			return 0, wrong(ErrCorrupt, "unknown version")
		case version > recordVersion:
			return 0, wrong(ErrNewerVersion, "this program reads versions up to %d", recordVersion)
		}
		return version, nil
	}
	return 0, wrong(ErrCorrupt, "no version")
}

// record returns the record without its secrets, and its project.
func (e *envelope) record() (r Record, projectID string, err error) {
	var f fields
	if err := decodeObject(e.Record, &f, fieldNames); err != nil {
		return Record{}, "", err
	}
	if !f.State.known() {
		return Record{}, "", wrong(ErrCorrupt, "unknown state")
	}
	return Record{
		RotationID: f.RotationID, ClientID: f.ClientID, State: f.State, Delivered: f.Delivered, Abort: f.Abort,
		Restarts: f.Restarts, Stopped: f.Stopped, Reason: f.Reason,
		PlannedAt: f.PlannedAt, UpdatedAt: f.UpdatedAt, GraceUntil: f.GraceUntil,
	}, f.Project, nil
}

// noSecrets is the pair of a record without secrets.
const noSecrets = "{}"

// secrets returns the secrets of an envelope with a record in the given state, decrypted.
func (c *Codec) secrets(e *envelope, state State) (current, next secret.String, err error) {
	text := []byte(e.Secrets)
	if e.Sealed != "" {
		box, err := base64.RawURLEncoding.Strict().DecodeString(e.Sealed)
		if err != nil {
			return secret.String{}, secret.String{}, wrong(ErrCorrupt, "sealed is not base64")
		}
		text, err = c.open(box, e.associated())
		if errors.Is(err, ErrWrongKey) && state.Final() && len(box) == seal.Overhead+len(noSecrets) {
			// Earlier versions encrypted a record without secrets too. Its key may be gone, and
			// then nothing authenticates the state. The length does: it shows that there is no
			// secret in it, so this is not a rotation in progress in disguise.
			text, err = []byte(noSecrets), nil
		}
		if err != nil {
			return secret.String{}, secret.String{}, err
		}
	}
	var p pair
	if err := decodeObject(text, &p, pairNames); err != nil {
		return secret.String{}, secret.String{}, err
	}
	return secret.New(p.Current), secret.New(p.Next), nil
}

// decodeObject decodes an object that may have the given members and no others. Its errors do not
// quote the text.
func decodeObject(text []byte, into any, names []string) error {
	members, err := strictjson.Members(text, nil)
	if err != nil {
		return because(ErrCorrupt, err)
	}
	if !only(members, names) || json.Unmarshal(text, into) != nil {
		return wrong(ErrCorrupt, "unknown members, or values of the wrong type")
	}
	return nil
}

// only reports whether every name is one of those allowed, exactly: encoding/json would take STATE
// for state.
func only(members []strictjson.Member, allowed []string) bool {
	return !slices.ContainsFunc(members, func(m strictjson.Member) bool { return !slices.Contains(allowed, string(m.Name)) })
}
