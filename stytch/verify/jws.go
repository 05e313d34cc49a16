package verify

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/stytchkit/m2m/internal/jwks"
	"github.com/stytchkit/m2m/internal/strictjson"
)

// dots are the positions of the two dots of a token.
type dots struct{ first, second int }

// split finds the dots of a token. It allocates nothing, however long the token is and whatever it
// holds.
func split(raw string) (d dots, ok bool) {
	d.first = strings.IndexByte(raw, '.')
	n := strings.IndexByte(raw[d.first+1:], '.')
	d.second = d.first + 1 + n
	return d, d.first > 0 && n >= 0 && strings.IndexByte(raw[d.second+1:], '.') < 0
}

var base64url = base64.RawURLEncoding.Strict()

// decode decodes a part of a token. Go's decoder skips line breaks even when strict, so the part
// must have none.
func decode(buf, part []byte) ([]byte, error) {
	out, err := base64url.AppendDecode(buf[:0], part)
	if err != nil {
		return buf[:0], errBase64
	}
	return out, nil
}

// readHeader checks the header in s and returns its key id. Keys and addresses in a header (jwk,
// jku, x5c, x5u) are never used.
func (s *scratch) readHeader() (kid []byte, err error) {
	members, err := strictjson.Members(s.header, s.members[:0])
	if err != nil {
		return nil, errHeader
	}
	s.members = members
	algorithm := false
	for i := range members {
		m := &members[i]
		switch string(m.Name) {
		case "alg":
			algorithm = m.Is("RS256")
		case "kid":
			kid, _ = m.Text()
			if m.Kind != strictjson.String {
				return nil, errKeyID
			}
		case "typ":
			typ, ok := m.Text()
			if !ok {
				return nil, errTypeText
			}
			if !isMediaType(typ, "jwt") && !isMediaType(typ, "at+jwt") {
				return nil, errType
			}
		case "crit", "b64", "enc":
			return nil, errExtension
		}
	}
	if !algorithm {
		return nil, errAlg
	}
	if len(kid) == 0 {
		return nil, errKeyID
	}
	return kid, nil
}

// isMediaType compares a typ with a subtype of application, in any case and with or without
// application/ before it (RFC 7515, section 4.1.9).
func isMediaType(typ []byte, subtype string) bool {
	const application = "application/"
	if n := len(application); len(typ) > n && strings.EqualFold(string(typ[:n]), application) {
		typ = typ[n:]
	}
	return len(typ) == len(subtype) && strings.EqualFold(string(typ), subtype) // of one length: no character beyond ASCII
}

// signatures checks the signatures of tokens by the rules of JWS (RFC 7515).
type signatures struct {
	keys *jwks.Cache
	last atomic.Pointer[knownHeader]
}

// A knownHeader is a header that was read, and its key in a key set. All tokens of a key have the
// same header, so the first good one of each key set is remembered and need not be read again.
type knownHeader struct {
	text string
	set  *jwks.Set
	key  *jwks.Key
}

// open checks the signature of a token and leaves its payload in s. It does not look at the payload
// before. The cheapest rules come first, and a text that is not a token causes no fetch. open
// returns the key set that has the key: set, or a newer one that it had to wait for.
func (c *signatures) open(ctx context.Context, s *scratch, raw string, d dots, set *jwks.Set) (*jwks.Set, error) {
	if strings.IndexByte(raw, '\n') >= 0 || strings.IndexByte(raw, '\r') >= 0 {
		return nil, errBase64
	}
	s.raw = append(s.raw[:0], raw...)
	var err error
	if s.signature, err = decode(s.signature, s.raw[d.second+1:]); err != nil {
		return nil, err
	}
	known := c.last.Load()
	if known == nil || known.set != set || known.text != raw[:d.first] {
		if known, err = c.find(ctx, s, raw[:d.first], set); err != nil {
			return nil, err
		}
	}
	s.hash.Reset()
	s.hash.Write(s.raw[:d.second])
	s.digest = s.hash.Sum(s.digest[:0])
	if known.key.Verify(s.digest, s.signature) != nil {
		return nil, errSignature
	}
	if last := c.last.Load(); last == nil || last.set != known.set {
		c.last.Store(&knownHeader{strings.Clone(raw[:d.first]), known.set, known.key})
	}
	s.payload, err = decode(s.payload, s.raw[d.first+1:d.second])
	return known.set, err
}

// find reads a header and finds its key, in set or in a newer key set.
func (c *signatures) find(ctx context.Context, s *scratch, text string, set *jwks.Set) (*knownHeader, error) {
	var err error
	if s.header, err = decode(s.header, s.raw[:len(text)]); err != nil {
		return nil, err
	}
	kid, err := s.readHeader()
	if err != nil {
		return nil, err
	}
	key := set.Key(kid)
	if key == nil {
		if set, err = c.keys.Find(ctx, string(kid)); err != nil {
			if errors.Is(err, jwks.ErrUnknown) {
				return nil, errKey
			}
			return nil, &unavailable{ErrKeysUnavailable, err}
		}
		key = set.Key(kid)
	}
	return &knownHeader{text, set, key}, nil
}
