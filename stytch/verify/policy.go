package verify

import (
	"time"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// A policy decides which claims are accepted, once the signature is known to be good.
type policy struct {
	kindRules
	issuers, audiences          []string
	exactAudience               bool
	leeway, maxAge, maxLifetime time.Duration
}

func newPolicy(projectID string, s *settings) policy {
	return policy{
		kindRules: newKindRules(projectID, s), issuers: s.issuers, audiences: s.audiences,
		exactAudience: s.exactAudience,
		leeway:        s.leeway, maxAge: s.maxAge, maxLifetime: s.maxLifetime,
	}
}

// read makes claims of the payload in s. It applies the rules whose result never changes for a
// token. With an error, the claims hold who the token is from, as far as it says so.
func (r *policy) read(s *scratch, c *Claims) error {
	p, err := s.readPayload()
	if err == nil {
		err = r.accept(s, &p, c)
	}
	if err != nil {
		*c = Claims{Kind: p.kind(), ClientID: string(p.subject), Subject: string(p.subject)}
		if p.hasClientID {
			c.ClientID = string(p.clientID)
		}
		return err
	}
	c.copyTexts(s, &p)
	return nil
}

func (r *policy) accept(s *scratch, p *payload, c *Claims) (err error) {
	if c.Issuer, err = r.issuer(p.issuer); err != nil {
		return err
	}
	if c.audience, err = r.audience(s, p.audience); err != nil {
		return err
	}
	if err := r.checkKind(p); err != nil {
		return err
	}
	// In whole seconds: fractions would make an hour a little longer, and a Duration cannot hold
	// every forged lifetime.
	if p.expiresAt.Unix()-p.issuedAt.Unix() > int64((r.maxLifetime+r.leeway)/time.Second) {
		return errLifetime
	}
	c.Kind, c.IssuedAt, c.NotBefore, c.ExpiresAt = r.kind, p.issuedAt, p.notBefore, p.expiresAt
	return nil
}

// issuer returns the accepted issuer that a claim names.
func (r *policy) issuer(claim []byte) (string, error) {
	for _, accepted := range r.issuers {
		if string(claim) == accepted {
			return accepted, nil
		}
	}
	return "", errIssuer
}

// audience returns the audience if one of it is accepted. It shares memory with the policy where
// that one is all of it.
func (r *policy) audience(s *scratch, claim strictjson.Value) (audience []string, err error) {
	elements := append(s.elements[:0], claim)
	if claim.Kind == strictjson.Array {
		if elements, err = strictjson.Elements(claim.Raw, s.elements[:0]); err != nil {
			return nil, errAudText
		}
	}
	s.elements = elements
	accepted := -1
	for i := range elements {
		if elements[i].Kind != strictjson.String {
			return nil, errAudText
		}
		for j, name := range r.audiences {
			if elements[i].Is(name) {
				accepted = j
			}
		}
	}
	if accepted < 0 {
		return nil, errAudience
	}
	if r.exactAudience && len(elements) > 1 {
		return nil, errNotExact
	}
	if len(elements) == 1 {
		return r.audiences[accepted : accepted+1 : accepted+1], nil
	}
	for _, element := range elements {
		text, _ := element.Text()
		audience = append(audience, string(text))
	}
	return audience, nil
}

// check applies the rules whose result may change while the token lives.
func (r *policy) check(c *Claims, now time.Time) error {
	switch {
	case !now.Before(c.ExpiresAt.Add(r.leeway)):
		return errExpired
	case now.Add(r.leeway).Before(c.NotBefore):
		return errNotBefore
	case now.Add(r.leeway).Before(c.IssuedAt):
		return errIssuedAt
	case r.maxAge > 0 && now.Sub(c.IssuedAt) > r.maxAge:
		return errTooOld
	}
	return r.checkClient(c.ClientID)
}
