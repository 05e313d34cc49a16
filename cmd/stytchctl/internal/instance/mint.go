package instance

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// A Mint says which token to make: one with Claims as they are, or that of a client, changed by a
// preset.
type Mint struct {
	Claims   map[string]any
	ClientID string
	Scopes   []string
	Preset   string // "" for a good token
}

// A Preset changes the claims of a good token, or how it is signed.
type Preset struct {
	Name        string
	Description string
	change      func(claims map[string]any)
	foreignKey  bool
}

// Presets are the presets of [Mint].
var Presets = []Preset{
	{Name: "expired", Description: "it expired an hour ago", change: func(c map[string]any) { shift(c, -2*3600) }},
	{Name: "not_yet", Description: "it becomes valid in an hour", change: func(c map[string]any) { shift(c, 3600) }},
	{Name: "wrong_aud", Description: "it is for another project", change: func(c map[string]any) {
		c["aud"] = []string{"project-test-00000000-0000-4000-8000-000000000000"}
	}},
	{Name: "wrong_iss", Description: "another project issued it", change: func(c map[string]any) {
		c["iss"] = "stytch.com/project-test-00000000-0000-4000-8000-000000000000"
	}},
	{Name: "no_scope", Description: "it has no scope", change: func(c map[string]any) { c["scope"] = "" }},
	{Name: "unknown_kid", Description: "a key that is not in the key set signed it", foreignKey: true},
	{Name: "user_session", Description: "it is the session of a user, not an M2M token", change: session},
}

// shift moves the times of a token.
func shift(claims map[string]any, seconds int64) {
	for _, name := range []string{"exp", "iat", "nbf"} {
		if at, ok := claims[name].(int64); ok {
			claims[name] = at + seconds
		}
	}
}

// session makes the claims of a session JWT: those that Stytch documents.
func session(claims map[string]any) {
	delete(claims, "scope")
	user := "user-test-" + uuid()
	claims["sub"] = user
	claims["https://stytch.com/session"] = map[string]any{"id": "session-test-" + uuid(), "authentication_factors": []any{}}
}

// uuid is a random UUID, version 4 (RFC 9562).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// foreignKey is in no key set.
var foreignKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// Mint signs a token. It is not billed and not in the request log. It returns the claims too.
func (i *Instance) Mint(m Mint) (token string, claims map[string]any, err error) {
	e := i.current.Load()
	if m.Claims != nil {
		if m.ClientID != "" || m.Preset != "" || m.Scopes != nil {
			return "", nil, invalid("claims are signed as they are: leave out client_id, scopes and preset. Nothing was minted.")
		}
		token, err := e.Sign(m.Claims)
		return token, m.Claims, err
	}
	if m.ClientID == "" {
		return "", nil, invalid("give claims or a client_id. Nothing was minted.")
	}
	p, err := findPreset(m.Preset)
	if err != nil {
		return "", nil, err
	}
	good, err := e.Claims(m.ClientID, m.Scopes...)
	if err != nil {
		return "", nil, invalid("%s. Nothing was minted.", plain(err))
	}
	claims = maps.Clone(good)
	if p.change != nil {
		p.change(claims)
	}
	if !p.foreignKey {
		token, err = e.Sign(claims)
		return token, claims, err
	}
	token, err = signForeign(claims)
	return token, claims, err
}

func findPreset(name string) (Preset, error) {
	if name == "" {
		return Preset{}, nil
	}
	names := make([]string, len(Presets))
	for i, p := range Presets {
		names[i] = p.Name
	}
	at := slices.Index(names, name)
	if at < 0 {
		return Preset{}, invalid("preset must be one of %s. Nothing was minted.", strings.Join(names, ", "))
	}
	return Presets[at], nil
}

// signForeign signs with a key of an emulator of its own, which no request reaches.
func signForeign(claims map[string]any) (string, error) {
	key, err := foreignKey()
	if err != nil {
		return "", err
	}
	other, err := emulator.New(emulator.WithSigningKey(key))
	if err != nil {
		return "", err
	}
	return other.Sign(claims)
}
