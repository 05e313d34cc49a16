package rotate

import (
	"errors"

	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// sealLabel names the keys of journals. Every version has used it.
const sealLabel = "stytch m2m rotation journal v1"

// Codec encodes the records of one project for a journal, and decodes them. With keys it encrypts
// the secrets and authenticates the rest, which stays readable. It is safe for concurrent use.
type Codec struct {
	project string
	keys    []seal.Key
}

// NewCodec returns the codec of a project. Without keys, secrets are stored in plain text. The
// first key encrypts, every key decrypts; each is a random text of at least 32 bytes. To replace a
// key, put the new one first and keep the old one until no rotation that it encrypted is in
// progress. A rotation that is over has no secrets, so its record is read without the key. Errors
// are [ErrInvalidArgument].
//
// A record that is not encrypted is decoded even if there are keys, so that keys can be introduced
// at any time. Keys therefore do not detect a forged record in plain text. A rotation does not need
// that: it compares every record with the server before it changes anything.
func NewCodec(projectID string, keys ...secret.String) (*Codec, error) {
	if err := project.CheckID(projectID); err != nil {
		return nil, because(ErrInvalidArgument, err)
	}
	c := &Codec{project: projectID}
	for _, key := range keys {
		k, err := seal.NewKey(key, sealLabel, projectID)
		if err != nil {
			return nil, because(ErrInvalidArgument, err)
		}
		c.keys = append(c.keys, k)
	}
	return c, nil
}

// Encode returns r as at most 64 KiB. The secrets of a final state are left out, a reason is cut
// after 1 KiB, times are stored in UTC. A record that Decode would refuse is [ErrInvalidArgument]:
// without a client or state, without the next secret in a state that needs it, with text that is
// not UTF-8, or too large.
func (c *Codec) Encode(r Record) ([]byte, error) {
	r = r.normalized()
	if err := project.CheckClientID(r.ClientID); err != nil {
		return nil, because(ErrInvalidArgument, err)
	}
	if rule := r.invalid(); rule != "" {
		return nil, wrong(ErrInvalidArgument, "record: %s", rule)
	}
	e, err := c.envelope(r)
	if err != nil {
		return nil, err
	}
	return e.marshal()
}

// Decode returns the record that [Codec.Encode] encoded. Otherwise its error is the first of these
// that applies: [ErrCorrupt] if the bytes were changed, [ErrNewerVersion] if a later version of
// this package encoded them, [ErrOtherProject] if they belong to another project or client,
// [ErrWrongKey] if none of the keys encrypted them. Errors quote nothing.
func (c *Codec) Decode(clientID string, data []byte) (Record, error) {
	return c.decode(data, func(r Record) bool { return r.ClientID == clientID })
}

// DecodeAny is Decode for a record of any client.
func (c *Codec) DecodeAny(data []byte) (Record, error) {
	return c.decode(data, func(Record) bool { return true })
}

func (c *Codec) decode(data []byte, wanted func(Record) bool) (Record, error) {
	e, err := unmarshal(data)
	if err != nil {
		return Record{}, err
	}
	r, owner, err := e.record()
	switch {
	case err != nil:
		return Record{}, err
	case owner != c.project:
		return Record{}, wrong(ErrOtherProject, "it belongs to another project")
	case !wanted(r):
		return Record{}, wrong(ErrOtherProject, "it belongs to another client")
	}
	if r.Current, r.Next, err = c.secrets(e, r.State); err != nil {
		return Record{}, err
	}
	if rule := r.invalid(); rule != "" {
		return Record{}, wrong(ErrCorrupt, "%s", rule)
	}
	return r, nil
}

// open decrypts what seal made with one of the keys.
func (c *Codec) open(box, associated []byte) ([]byte, error) {
	plain, err := seal.Open(c.keys, box, associated)
	switch {
	case errors.Is(err, seal.ErrUnknownKey):
		return nil, because(ErrWrongKey, err)
	case err != nil:
		return nil, because(ErrCorrupt, err)
	}
	return plain, nil
}
