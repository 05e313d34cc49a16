package emulator

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
)

// The types of this file are the values of records. A change of them is a new storageFormat.

type clientValue struct {
	Seq         uint64          `json:"seq"`
	Name        string          `json:"client_name"`
	Description string          `json:"client_description"`
	Status      string          `json:"status"`
	Scopes      []string        `json:"scopes"`
	Metadata    json.RawMessage `json:"trusted_metadata"`
	Secret      *secretValue    `json:"secret"`
	NextSecret  *secretValue    `json:"next_secret"`
}

type appValue struct {
	Seq                 uint64       `json:"seq"`
	Name                string       `json:"client_name"`
	Description         string       `json:"client_description"`
	ClientType          string       `json:"client_type"`
	RedirectURLs        []string     `json:"redirect_urls"`
	PostLogoutURLs      []string     `json:"post_logout_redirect_urls"`
	FullAccess          bool         `json:"full_access_allowed"`
	BypassConsent       bool         `json:"bypass_consent_for_offline_access"`
	ExpiryMinutes       int32        `json:"access_token_expiry_minutes"`
	AccessTokenTemplate string       `json:"access_token_template_content"`
	IDTokenTemplate     string       `json:"id_token_template_content"`
	CustomAudience      *string      `json:"access_token_custom_audience"`
	LogoURL             *string      `json:"logo_url"`
	Secret              *secretValue `json:"secret"`
	NextSecret          *secretValue `json:"next_secret"`

	// Left out of apps that were created, so that earlier versions can read them.
	Registered bool   `json:"registered,omitempty"`
	ClientURI  string `json:"client_uri,omitempty"`
}

// A secretValue is the hash of a client's secret.
type secretValue struct {
	Algorithm  string `json:"algorithm"`
	Iterations int    `json:"iterations"`
	Salt       []byte `json:"salt"`
	Hash       []byte `json:"hash"`
	LastFour   string `json:"last_four"`
}

// The algorithms of a secretValue.
const (
	saltedHash    = "sha256"
	iteratedHash  = "pbkdf2-sha256"
	maxIterations = 1_000_000 // more would let a damaged record stop the emulator
)

func encodeClient(c *m2mClient, seq uint64) Record {
	return newRecord(kindClient, c.id, clientValue{
		Seq: seq, Name: c.name, Description: c.description, Status: c.status, Scopes: c.scopes, Metadata: c.metadata,
		Secret: encodeSecret(c.secrets.current), NextSecret: encodeSecret(c.secrets.next),
	})
}

func decodeClient(r Record) (*m2mClient, uint64, error) {
	v, err := decodeRecord[clientValue](r)
	if err != nil {
		return nil, 0, err
	}
	c := &m2mClient{id: r.ID, name: v.Name, description: v.Description, status: v.Status, scopes: v.Scopes}
	if v.Status != statusActive && v.Status != statusInactive {
		return nil, 0, r.unreadable("the status must be active or inactive")
	}
	if v.Scopes == nil || v.Secret == nil {
		return nil, 0, r.unreadable("scopes and secret must not be null")
	}
	fields, ok := parseObject(v.Metadata)
	if !ok {
		return nil, 0, r.unreadable("the trusted_metadata must be a JSON object")
	}
	for name, value := range fields {
		fields[name] = canonical(value)
	}
	c.metadata = encode(fields)
	if c.secrets, err = decodeSecrets(r, v.Secret, v.NextSecret); err != nil {
		return nil, 0, err
	}
	return c, v.Seq, nil
}

func encodeApp(a *connectedApp, seq uint64) Record {
	return newRecord(kindApp, a.id, appValue{
		Seq: seq, Name: a.name, Description: a.description, ClientType: a.clientType,
		RedirectURLs: a.redirectURLs, PostLogoutURLs: a.postLogoutURLs, FullAccess: a.fullAccess, BypassConsent: a.bypassConsent,
		ExpiryMinutes: a.expiryMinutes, AccessTokenTemplate: a.accessTokenTemplate, IDTokenTemplate: a.idTokenTemplate,
		CustomAudience: a.customAudience, LogoURL: a.logoURL, Registered: a.registered, ClientURI: a.clientURI,
		Secret: encodeSecret(a.secrets.current), NextSecret: encodeSecret(a.secrets.next),
	})
}

func decodeApp(r Record) (*connectedApp, uint64, error) {
	v, err := decodeRecord[appValue](r)
	if err != nil {
		return nil, 0, err
	}
	a := &connectedApp{
		id: r.ID, name: v.Name, description: v.Description, clientType: v.ClientType,
		redirectURLs: v.RedirectURLs, postLogoutURLs: v.PostLogoutURLs, fullAccess: v.FullAccess, bypassConsent: v.BypassConsent,
		expiryMinutes: v.ExpiryMinutes, accessTokenTemplate: v.AccessTokenTemplate, idTokenTemplate: v.IDTokenTemplate,
		customAudience: v.CustomAudience, logoURL: v.LogoURL, registered: v.Registered, clientURI: v.ClientURI,
	}
	if !validClientType(v.ClientType) {
		return nil, 0, r.unreadable("the client_type is not known")
	}
	if v.RedirectURLs == nil || v.PostLogoutURLs == nil {
		return nil, 0, r.unreadable("redirect_urls and post_logout_redirect_urls must not be null")
	}
	if a.public() != (v.Secret == nil) || a.public() && v.NextSecret != nil {
		return nil, 0, r.unreadable("a public app has no secret, and any other app has one")
	}
	if a.secrets, err = decodeSecrets(r, v.Secret, v.NextSecret); err != nil {
		return nil, 0, err
	}
	return a, v.Seq, nil
}

func encodeSecret(s *clientSecret) *secretValue {
	if s == nil {
		return nil
	}
	v := &secretValue{Algorithm: saltedHash, Iterations: s.iterations, Salt: s.salt[:], Hash: s.sum[:], LastFour: s.lastFour}
	if s.iterations > 0 {
		v.Algorithm = iteratedHash
	}
	return v
}

func decodeSecrets(r Record, current, next *secretValue) (p secretPair, err error) {
	if p.current, err = current.decode(); err == nil {
		p.next, err = next.decode()
	}
	if err != nil {
		return p, r.unreadable("a secret: %w", err)
	}
	return p, nil
}

func (v *secretValue) decode() (*clientSecret, error) {
	if v == nil {
		return nil, nil
	}
	s := &clientSecret{iterations: v.Iterations, lastFour: v.LastFour}
	if v.Algorithm != saltedHash && v.Algorithm != iteratedHash {
		return nil, errors.New("the algorithm must be " + saltedHash + " or " + iteratedHash)
	}
	if (v.Algorithm == saltedHash) != (v.Iterations == 0) || v.Iterations < 0 || v.Iterations > maxIterations {
		return nil, errors.New("the iterations are out of range")
	}
	if len(v.Salt) != len(s.salt) || len(v.Hash) != sha256.Size || lastFour(v.LastFour) != v.LastFour {
		return nil, errors.New("salt, hash or last_four has the wrong length")
	}
	copy(s.salt[:], v.Salt)
	copy(s.sum[:], v.Hash)
	return s, nil
}
