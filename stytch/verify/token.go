package verify

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strings"
	"sync"

	"github.com/stytchkit/m2m/internal/jwks"
	"github.com/stytchkit/m2m/internal/strictjson"
)

// parts are where the dots of a token are.
type parts struct{ first, second int }

// split finds the dots of a token. It costs no memory, however long the token is and whatever it holds.
func split(raw string) (p parts, ok bool) {
	p.first = strings.IndexByte(raw, '.')
	n := strings.IndexByte(raw[p.first+1:], '.')
	p.second = p.first + 1 + n
	return p, p.first > 0 && n >= 0 && strings.IndexByte(raw[p.second+1:], '.') < 0
}

// scratch is the memory that one verification needs while it runs. It is reused, because it is most of what a verification
// would leave behind.
type scratch struct {
	raw, header, payload, signature []byte
	digest                          []byte    // of what was signed
	sum                             []byte    // of the whole token
	hash                            hash.Hash // SHA-256
	members                         []strictjson.Member
	elements                        []strictjson.Value
	text                            []byte
}

var scratches = sync.Pool{New: func() any {
	return &scratch{
		digest: make([]byte, 0, sha256.Size), sum: make([]byte, 0, sha256.Size), hash: sha256.New(),
		members: make([]strictjson.Member, 0, 16), elements: make([]strictjson.Value, 0, 4),
	}
}}

// release gives the memory back. The token must not stay in it.
func (s *scratch) release() {
	const limit = 16 << 10
	clear(s.raw)
	clear(s.signature)
	clear(s.members)
	clear(s.elements)
	if cap(s.raw) <= limit && cap(s.members) <= 256 && cap(s.elements) <= 256 {
		scratches.Put(s)
	}
}

// A knownHeader is a header that was read, and the key that it means in a key set. All tokens of a key have the same header, so
// the first good one of each key set is remembered as it stands, and need not be read again.
type knownHeader struct {
	text string
	set  *jwks.Set
	key  *jwks.Key
}

// header is what counts in the header of a token.
type header struct{ kid []byte }

// decode decodes a part. Go's decoder skips line breaks, even when strict, so there must be none.
func decode(buf, part []byte) ([]byte, error) {
	out, err := base64url.AppendDecode(buf[:0], part)
	if err != nil {
		return buf[:0], errBase64
	}
	return out, nil
}

var base64url = base64.RawURLEncoding.Strict()

// open checks the signature of a token by the rules of JWS (RFC 7515), and leaves its payload in s. Nothing of the payload is
// looked at before. The cheapest rules come first, and nothing is fetched for what is no token.
func (v *Verifier) open(ctx context.Context, s *scratch, raw string, p parts, set *jwks.Set) (*jwks.Set, error) {
	if strings.IndexByte(raw, '\n') >= 0 || strings.IndexByte(raw, '\r') >= 0 {
		return nil, errBase64
	}
	s.raw = append(s.raw[:0], raw...)
	var err error
	if s.signature, err = decode(s.signature, s.raw[p.second+1:]); err != nil {
		return nil, err
	}
	known := v.header.Load()
	if known == nil || known.set != set || known.text != raw[:p.first] {
		if known, err = v.readHeader(ctx, s, raw[:p.first], set); err != nil {
			return nil, err
		}
	}
	s.hash.Reset()
	s.hash.Write(s.raw[:p.second])
	s.digest = s.hash.Sum(s.digest[:0])
	if known.key.Verify(s.digest, s.signature) != nil {
		return nil, errSignature
	}
	if last := v.header.Load(); last == nil || last.set != known.set {
		v.header.Store(&knownHeader{strings.Clone(raw[:p.first]), known.set, known.key})
	}
	s.payload, err = decode(s.payload, s.raw[p.first+1:p.second])
	return known.set, err
}

// readHeader finds the key that the header, as it stands in the token, asks for.
func (v *Verifier) readHeader(ctx context.Context, s *scratch, text string, set *jwks.Set) (*knownHeader, error) {
	var err error
	if s.header, err = decode(s.header, s.raw[:len(text)]); err != nil {
		return nil, err
	}
	h, err := s.readHeader()
	if err != nil {
		return nil, err
	}
	key := set.Key(h.kid)
	if key == nil {
		if set, err = v.keys.Find(ctx, string(h.kid)); err != nil {
			return nil, keyError(err)
		}
		key = set.Key(h.kid)
	}
	return &knownHeader{text, set, key}, nil
}

// readHeader checks the header. Keys and addresses in it (jwk, jku, x5c, x5u) are never used.
func (s *scratch) readHeader() (h header, err error) {
	members, err := strictjson.Members(s.header, s.members[:0])
	if err != nil {
		return h, errHeader
	}
	s.members = members
	algorithm := false
	for i := range members {
		m := &members[i]
		switch string(m.Name) {
		case "alg":
			algorithm = m.Is("RS256")
		case "kid":
			h.kid, _ = m.Text()
			if m.Kind != strictjson.String {
				return h, errKeyID
			}
		case "typ":
			if m.Kind != strictjson.String {
				return h, errTypeText
			}
			if !m.Is("JWT") && !m.Is("at+jwt") {
				return h, errType
			}
		case "crit", "b64", "enc":
			return h, errExtension
		}
	}
	if !algorithm {
		return h, errAlg
	}
	if len(h.kid) == 0 {
		return h, errKeyID
	}
	return h, nil
}
