package verify

import (
	"time"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// payload is the claims of a token before they are judged. The texts are parts of the scratch memory.
type payload struct {
	issuer, subject, scope, clientID, id []byte
	audience                             strictjson.Value
	issuedAt, notBefore, expiresAt       time.Time
	hasClientID                          bool
	ofSession, ofStytch                  bool // a claim named https://stytch.com/session; any https://stytch.com/...
}

const stytchClaims = "https://stytch.com/"

// readPayload reads the claims that every token of Stytch has, and collects the others, as JSON, in s.text.
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
	switch {
	case p.issuer == nil:
		return p, errIssText
	case p.audience.Kind == 0:
		return p, errAudText
	case p.subject == nil:
		return p, errSub
	case p.scope == nil:
		return p, errMissingScope(&p)
	case p.issuedAt.IsZero() || p.notBefore.IsZero() || p.expiresAt.IsZero():
		return p, errDate
	case !p.expiresAt.After(p.issuedAt):
		return p, errDateOrder
	}
	return p, nil
}

// errMissingScope tells a session from a broken token: no session has scopes.
func errMissingScope(p *payload) error {
	if p.ofStytch {
		return errStytch
	}
	return errScopeText
}

// set takes one claim, if it is one that has a field in Claims.
func (p *payload) set(m *strictjson.Member) (known bool, err error) {
	switch string(m.Name) {
	case "iss":
		return true, setText(&p.issuer, m, errIssText)
	case "sub":
		return true, setName(&p.subject, m, errSub)
	case "scope":
		return true, setText(&p.scope, m, errScopeText)
	case "client_id":
		p.hasClientID = true
		return true, setName(&p.clientID, m, errClientID)
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
		p.ofStytch = true
		p.ofSession = p.ofSession || string(m.Name[len(stytchClaims):]) == "session"
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

// setName is setText for what ends up in logs and look-ups.
func setName(to *[]byte, m *strictjson.Member, broken error) error {
	if err := setText(to, m, broken); err != nil || len(*to) == 0 || hasControl(*to) {
		return broken
	}
	return nil
}

// hasControl looks for the control characters of ASCII and of Latin-1, which begin with C2 in UTF-8, and for the separators
// of lines and paragraphs: each may forge a line of a log.
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
	t, ok := time.Time{}, m.Kind == strictjson.Number
	if ok {
		t, ok = date(m.Raw)
	}
	if !ok {
		return errDate
	}
	*to = t
	return nil
}

// audienceOf returns the audience, which shares memory with the settings where it is the only one accepted, and whether one
// of it is accepted.
func (v *Verifier) audienceOf(s *scratch, value strictjson.Value) (audience []string, err error) {
	elements := append(s.elements[:0], value)
	if value.Kind == strictjson.Array {
		if elements, err = strictjson.Elements(value.Raw, s.elements[:0]); err != nil {
			return nil, errAudText
		}
	}
	s.elements = elements
	accepted := -1
	for i := range elements {
		if elements[i].Kind != strictjson.String {
			return nil, errAudText
		}
		for j, name := range v.audiences {
			if elements[i].Is(name) {
				accepted = j
			}
		}
	}
	if accepted < 0 {
		return nil, errAudience
	}
	if len(elements) == 1 {
		return v.audiences[accepted : accepted+1 : accepted+1], nil
	}
	for _, element := range elements {
		text, _ := element.Text()
		audience = append(audience, string(text))
	}
	return audience, nil
}

func (v *Verifier) issuerOf(claim []byte) (issuer string, err error) {
	for _, accepted := range v.issuers {
		if string(claim) == accepted {
			issuer = accepted
		}
	}
	if issuer == "" {
		return "", errIssuer
	}
	return issuer, nil
}

// read makes the claims of a payload whose signature is good. It judges what will not change while the token lives.
func (v *Verifier) read(s *scratch, c *Claims) error {
	p, err := s.readPayload()
	if err != nil {
		return err
	}
	if c.Issuer, err = v.issuerOf(p.issuer); err != nil {
		return err
	}
	if c.Audience, err = v.audienceOf(s, p.audience); err != nil {
		return err
	}
	if err := v.kindOf(&p); err != nil {
		return err
	}
	// In whole seconds: fractions make an hour a little longer, and a Duration cannot hold what a liar may write.
	if p.expiresAt.Unix()-p.issuedAt.Unix() > int64((v.maxLifetime+v.leeway)/time.Second) {
		return errLifetime
	}
	c.Kind, c.IssuedAt, c.NotBefore, c.ExpiresAt = v.kind, p.issuedAt, p.notBefore, p.expiresAt
	return c.setTexts(s, &p)
}

// setTexts copies all texts out of the scratch memory into one piece. The custom claims are in s.text already.
func (c *Claims) setTexts(s *scratch, p *payload) (err error) {
	if len(s.text) > 0 {
		s.text[0] = '{' // in place of the first comma
		s.text = append(s.text, '}')
	}
	custom := len(s.text)
	own := p.hasClientID && string(p.clientID) != string(p.subject)
	s.text = append(append(append(s.text, p.subject...), p.scope...), p.id...)
	if own {
		s.text = append(s.text, p.clientID...)
	}
	rest := string(s.text)
	next := func(n int) (piece string) {
		piece, rest = rest[:n], rest[n:]
		return piece
	}
	c.custom = next(custom)
	c.Subject = next(len(p.subject))
	if c.Scopes, err = splitScopes(next(len(p.scope))); err != nil {
		return err
	}
	c.ID = next(len(p.id))
	c.ClientID = c.Subject
	if own {
		c.ClientID = rest
	}
	return nil
}
