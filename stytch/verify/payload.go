package verify

import (
	"time"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// payload is the claims of a token before any rule is applied to their values. The texts are parts
// of the scratch memory.
type payload struct {
	issuer, subject, scope, clientID, id []byte
	audience                             strictjson.Value
	issuedAt, notBefore, expiresAt       time.Time
	hasClientID                          bool
	session                              bool // there is a claim https://stytch.com/session
	stytch                               bool // there is a claim https://stytch.com/...
}

const stytchClaims = "https://stytch.com/"

// readPayload reads the claims that every Stytch token has, and collects the others as JSON in
// s.text.
func (s *scratch) readPayload() (p payload, err error) {
	members, err := strictjson.Members(s.payload, s.members[:0])
	if err != nil {
		return p, errClaims
	}
	s.members = members
	s.text = s.text[:0]
	for i := range members {
		known, err := p.set(&members[i])
		if err != nil {
			return p, err
		}
		if !known {
			s.text = append(append(s.text, ','), members[i].Source...)
		}
	}
	return p, p.checkComplete()
}

func (p *payload) checkComplete() error {
	switch {
	case p.issuer == nil:
		return errIssText
	case p.audience.Kind == 0:
		return errAudText
	case p.subject == nil:
		return errSub
	case p.scope == nil && p.stytch:
		return errSession // sessions have no scopes
	case p.scope == nil:
		return errScopeText
	case p.issuedAt.IsZero() || p.notBefore.IsZero() || p.expiresAt.IsZero():
		return errDate
	case !p.expiresAt.After(p.issuedAt):
		return errDateOrder
	}
	return nil
}

// set takes one claim and reports whether it is one that has a field.
func (p *payload) set(m *strictjson.Member) (known bool, err error) {
	switch string(m.Name) {
	case "iss":
		return true, setText(&p.issuer, m, errIssText)
	case "sub":
		return true, setID(&p.subject, m, errSub)
	case "scope":
		if err := setText(&p.scope, m, errScopeText); err != nil || !isScopeClaim(p.scope) {
			return true, errScopeText
		}
		return true, nil
	case "client_id":
		p.hasClientID = true
		return true, setID(&p.clientID, m, errClientID)
	case "jti":
		if err := setText(&p.id, m, errID); err != nil || hasControl(p.id) {
			return true, errID
		}
		return true, nil
	case "aud":
		p.audience = m.Value
		return true, nil
	case "exp":
		return true, setDate(&p.expiresAt, m)
	case "iat":
		return true, setDate(&p.issuedAt, m)
	case "nbf":
		return true, setDate(&p.notBefore, m)
	}
	if len(m.Name) >= len(stytchClaims) && string(m.Name[:len(stytchClaims)]) == stytchClaims {
		p.stytch = true
		p.session = p.session || string(m.Name[len(stytchClaims):]) == "session"
	}
	return false, nil
}

func setText(to *[]byte, m *strictjson.Member, broken error) error {
	text, ok := m.Text()
	if !ok {
		return broken
	}
	*to = text
	return nil
}

// setID is setText for ids, which are logged and looked up.
func setID(to *[]byte, m *strictjson.Member, broken error) error {
	if err := setText(to, m, broken); err != nil || len(*to) == 0 || hasControl(*to) {
		return broken
	}
	return nil
}

// hasControl looks for what could forge a line of a log: the control characters of ASCII and of
// Latin-1, which begin with C2 in UTF-8, and the separators of lines and paragraphs.
func hasControl(text []byte) bool {
	for i, c := range text {
		if c < ' ' || c == 0x7F || c == 0xC2 && text[i+1] < 0xA0 {
			return true
		}
		if c == 0xE2 && text[i+1] == 0x80 && (text[i+2] == 0xA8 || text[i+2] == 0xA9) {
			return true
		}
	}
	return false
}

func setDate(to *time.Time, m *strictjson.Member) error {
	if m.Kind != strictjson.Number {
		return errDate
	}
	t, ok := date(m.Raw)
	if !ok {
		return errDate
	}
	*to = t
	return nil
}

// ownClientID reports whether client_id says something that sub does not.
func (p *payload) ownClientID() bool { return p.hasClientID && string(p.clientID) != string(p.subject) }

// kind is what the claims say the token is, or "".
func (p *payload) kind() Kind {
	switch {
	case p.stytch:
		return Session
	case p.ownClientID():
		return ConnectedApp
	case p.subject != nil && !isForeign(string(p.subject)):
		return M2M
	}
	return ""
}

// copyTexts copies the texts of a payload out of the scratch memory, all in one allocation. The
// custom claims are in s.text already.
func (c *Claims) copyTexts(s *scratch, p *payload) {
	if len(s.text) > 0 {
		s.text[0] = '{' // in place of the first comma
		s.text = append(s.text, '}')
	}
	custom := len(s.text)
	s.text = append(append(append(s.text, p.subject...), p.scope...), p.id...)
	if p.ownClientID() {
		s.text = append(s.text, p.clientID...)
	}
	rest := string(s.text)
	next := func(n int) (piece string) {
		piece, rest = rest[:n], rest[n:]
		return piece
	}
	c.custom = next(custom)
	c.Subject = next(len(p.subject))
	c.Scope = next(len(p.scope))
	c.ID = next(len(p.id))
	c.ClientID = c.Subject
	if p.ownClientID() {
		c.ClientID = rest
	}
}
