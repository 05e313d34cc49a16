package rotate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/stytchkit/m2m/internal/strictjson"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A record is stored as one line of JSON with the members in this order. Those after state are left out when they are empty,
// except the last two; times are in UTC, RFC 3339.
//
//	{"version":1,"project":…,"client_id":…,"rotation_id":…,"state":…,"delivered":[…],"abort":true,"restarts":…,"stopped":…,
//	 "reason":…,"planned_at":…,"updated_at":…,"grace_until":…,"secrets":{"current":…,"next":…},"checksum":…}\n
//
//	checksum    SHA-256, in hexadecimal, of all bytes before its comma. It is of bytes and not of values, so that it does not
//	            depend on how an encoder writes a value.
//
// With keys there is, in place of secrets,
//
//	"sealed":…  unpadded URL-safe base64 of: id of the key (8 bytes), nonce (12), ciphertext, tag (16)
//	plaintext   the JSON that secrets would have
//	AEAD        AES-256-GCM with a random nonce; associated data: sealLabel, NUL, all bytes before the comma of sealed
//	keys        HKDF-SHA-256 of the given key with the info sealLabel, NUL, project: 32 bytes of key, 8 of its id
const (
	recordVersion = 1
	maxRecord     = 64 << 10
)

// envelope is a record as JSON.
type envelope struct {
	Version    int       `json:"version"`
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

	// What follows is not written by way of this struct, because it depends on the bytes before it.
	Secrets  *pair  `json:"secrets,omitempty"`
	Sealed   string `json:"sealed,omitempty"`
	Checksum string `json:"checksum,omitempty"`

	clear []byte // the bytes before sealed
}

var (
	envelopeNames = []string{
		"version", "project", "client_id", "rotation_id", "state", "delivered", "abort", "restarts", "stopped", "reason",
		"planned_at", "updated_at", "grace_until", "secrets", "sealed", "checksum",
	}
	pairNames = []string{"current", "next"}
)

// pair is the secrets of a record in the clear.
type pair struct {
	Current string `json:"current,omitempty"`
	Next    string `json:"next,omitempty"`
}

func (e *envelope) record() Record {
	r := Record{
		RotationID: e.RotationID, ClientID: e.ClientID, State: e.State, Delivered: e.Delivered, Abort: e.Abort,
		Restarts: e.Restarts, Stopped: e.Stopped, Reason: e.Reason,
		PlannedAt: e.PlannedAt, UpdatedAt: e.UpdatedAt, GraceUntil: e.GraceUntil,
	}
	if e.Secrets != nil {
		r.Current, r.Next = secret.New(e.Secrets.Current), secret.New(e.Secrets.Next)
	}
	return r
}

// marshal is the bytes of a record that keeps the rules.
func (c *Codec) marshal(r Record) ([]byte, error) {
	text, err := json.Marshal(envelope{
		Version: recordVersion, Project: c.project, ClientID: r.ClientID, RotationID: r.RotationID, State: r.State,
		Delivered: r.Delivered, Abort: r.Abort, Restarts: r.Restarts, Stopped: r.Stopped, Reason: r.Reason,
		PlannedAt: r.PlannedAt, UpdatedAt: r.UpdatedAt, GraceUntil: r.GraceUntil,
	})
	if err != nil { // a year of five digits
		return nil, wrong(ErrInvalidArgument, "record: not fit for JSON")
	}
	secrets, err := json.Marshal(pair{r.Current.Reveal(), r.Next.Reveal()})
	if err != nil {
		return nil, wrong(ErrInvalidArgument, "record: not fit for JSON") // unreachable, and it might quote
	}
	text = text[:len(text)-1] // without the brace
	if len(c.keys) == 0 {
		text = append(append(text, `,"secrets":`...), secrets...)
	} else {
		text = append(text, sealedMember(c.seal(secrets, text))...)
	}
	text = append(text, checksumMember(text)...)
	if len(text) > maxRecord {
		return nil, wrong(ErrInvalidArgument, "record: larger than %d bytes", maxRecord)
	}
	return text, nil
}

func sealedMember(sealed string) string { return `,"sealed":"` + sealed + `"` }

// checksumMember is what follows after text.
func checksumMember(text []byte) string {
	sum := sha256.Sum256(text)
	return `,"checksum":"` + hex.EncodeToString(sum[:]) + "\"}\n"
}

// unmarshal checks everything that can be checked without project, client and key.
func unmarshal(data []byte) (*envelope, error) {
	if len(data) > maxRecord {
		return nil, wrong(ErrCorrupt, "larger than %d bytes", maxRecord)
	}
	members, err := strictjson.Members(data, nil)
	if err != nil {
		return nil, because(ErrCorrupt, err)
	}
	if err := checkVersion(members); err != nil {
		return nil, err
	}
	var e envelope
	if !only(members, envelopeNames) || json.Unmarshal(data, &e) != nil { // whose error might quote
		return nil, wrong(ErrCorrupt, "unknown members, or of another kind")
	}
	text, ok := bytes.CutSuffix(data, []byte(`,"checksum":"`+e.Checksum+"\"}\n"))
	if !ok || !bytes.HasSuffix(data, []byte(checksumMember(text))) {
		return nil, wrong(ErrCorrupt, "the checksum is of other content")
	}
	if !e.State.known() {
		return nil, wrong(ErrCorrupt, "unknown state")
	}
	if (e.Secrets == nil) == (e.Sealed == "") {
		return nil, wrong(ErrCorrupt, "must have either secrets or sealed")
	}
	if e.clear, ok = bytes.CutSuffix(text, []byte(sealedMember(e.Sealed))); !ok && e.Sealed != "" {
		return nil, wrong(ErrCorrupt, "members in another order")
	}
	return &e, nil
}

func checkVersion(members []strictjson.Member) error {
	for _, m := range members {
		if string(m.Name) != "version" || m.Kind != strictjson.Number {
			continue
		}
		version, err := strconv.Atoi(string(m.Raw))
		switch {
		case err != nil || version < recordVersion:
			return wrong(ErrCorrupt, "unknown version")
		case version > recordVersion:
			return wrong(ErrNewerVersion, "only version %d is known", recordVersion)
		}
		return nil
	}
	return wrong(ErrCorrupt, "no version")
}

// only reports whether all names are among those allowed, exactly: encoding/json would take STATE for state.
func only(members []strictjson.Member, allowed []string) bool {
	for _, m := range members {
		if !slices.Contains(allowed, string(m.Name)) {
			return false
		}
		if string(m.Name) == "secrets" {
			if inner, err := strictjson.Members(m.Raw, nil); err != nil || !only(inner, pairNames) {
				return false
			}
		}
	}
	return true
}
