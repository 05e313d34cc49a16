package rotate

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch/secret"
)

// maxID is how many bytes a client id or a project may have.
const maxID = 256

// Codec turns the records of one project into bytes that a journal stores as they are, and back. With keys it encrypts the
// secrets and authenticates everything else, which stays readable. It is safe for concurrent use.
type Codec struct {
	project string
	keys    []sealKey
}

// NewCodec makes a codec for a project. Without keys the secrets are stored as they are. The first key encrypts, all decrypt;
// each is a random text of at least 32 bytes. To change keys, put the new one in front and keep the old one until no rotation
// that it encrypted is under way. An error is [ErrInvalidArgument].
//
// A record that is not encrypted is read even if there are keys, so that keys can be introduced while rotations are under way.
// So keys do not show that somebody who can write to the storage put another record there.
func NewCodec(project string, keys ...secret.String) (*Codec, error) {
	if err := checkID("project", project); err != nil {
		return nil, err
	}
	c := &Codec{project: project}
	for _, key := range keys {
		k, err := newSealKey(key, project)
		if err != nil {
			return nil, err
		}
		c.keys = append(c.keys, k)
	}
	return c, nil
}

// Encode returns r as bytes. The secrets of a final state are left out, and a reason is cut after 1 KiB. Times keep their
// instant but not their zone. A record that could not be decoded is [ErrInvalidArgument]: one without a client or state, without
// the next secret where the state needs it, of more than 64 KiB, or with text that is not UTF-8.
func (c *Codec) Encode(r Record) ([]byte, error) {
	r = r.stored()
	if err := checkID("client id", r.ClientID); err != nil {
		return nil, err
	}
	if rule := r.broken(); rule != "" {
		return nil, wrong(ErrInvalidArgument, "record: %s", rule)
	}
	return c.marshal(r)
}

// Decode returns the record that [Codec.Encode] made bytes of. Otherwise its error is, in this order: [ErrCorrupt] if the bytes are not
// those that were encoded, [ErrNewerVersion] if a later version of this package encoded them, [ErrOtherProject] if they are of
// another project or client, and [ErrWrongKey] if they are encrypted with none of the keys. Errors quote nothing.
func (c *Codec) Decode(clientID string, data []byte) (Record, error) {
	e, err := unmarshal(data)
	if err != nil {
		return Record{}, err
	}
	if e.ClientID != clientID {
		return Record{}, wrong(ErrOtherProject, "it is of another client")
	}
	return c.open(e)
}

// decodeAny is Decode of a record of any client.
func (c *Codec) decodeAny(data []byte) (Record, error) {
	e, err := unmarshal(data)
	if err != nil {
		return Record{}, err
	}
	return c.open(e)
}

// open is the record of an envelope, after its secrets were decrypted.
func (c *Codec) open(e *envelope) (Record, error) {
	if e.Project != c.project {
		return Record{}, wrong(ErrOtherProject, "it is of another project")
	}
	if e.Sealed != "" {
		secrets, err := c.unseal(e)
		if err != nil {
			return Record{}, err
		}
		e.Secrets = secrets
	}
	r := e.record()
	if rule := r.broken(); rule != "" {
		return Record{}, wrong(ErrCorrupt, "%s", rule)
	}
	return r, nil
}

// maxReason is how many bytes of a reason are kept: it is the text of an error that may come from anywhere.
const maxReason = 1 << 10

// stored is what a journal gives back after r was written.
func (r Record) stored() Record {
	r = r.clone()
	if r.State.Final() {
		r.Current, r.Next = secret.String{}, secret.String{}
	}
	r.Reason = strings.ToValidUTF8(r.Reason[:min(len(r.Reason), maxReason)], "")
	r.PlannedAt, r.UpdatedAt, r.GraceUntil = r.PlannedAt.UTC().Round(0), r.UpdatedAt.UTC().Round(0), r.GraceUntil.UTC().Round(0)
	return r
}

// broken is the rule that a record breaks, "" if none.
func (r Record) broken() string {
	switch {
	case !r.State.known():
		return "unknown state"
	case r.Stopped != "" && !r.Stopped.known(), r.State == NeedsHuman && (r.Stopped == "" || r.Stopped.Final() || r.Stopped == NeedsHuman):
		return "unknown state before it came to need a human"
	case r.State.Final() && !(r.Current.IsZero() && r.Next.IsZero()):
		return "a final state holds secrets"
	case r.again().needsNext() && r.Next.IsZero():
		return "the state needs the next secret, which is not there"
	case r.Restarts < 0:
		return "a negative number of restarts"
	}
	for _, text := range append(slices.Clone(r.Delivered), r.RotationID, r.Current.Reveal(), r.Next.Reveal()) {
		if !utf8.ValidString(text) {
			return "text that is not UTF-8"
		}
	}
	return ""
}

func (r Record) needsNext() bool {
	switch r.State {
	case Started, Delivered, Verified, Grace, Completing:
		return true
	}
	return false
}

// checkID refuses what no client id and no project is, and what cannot be stored.
func checkID(what, id string) error {
	if id == "" || len(id) > maxID || strings.ContainsRune(id, 0) || !utf8.ValidString(id) {
		return wrong(ErrInvalidArgument, "%s: must be 1 to %d bytes of UTF-8 without NUL", what, maxID)
	}
	return nil
}
