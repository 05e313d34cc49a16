package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/verify"
)

// A reading is what is in a token, and why package verify accepts or refuses it.
type reading struct {
	Good    bool
	Verdict string
	Header  []finding
	Claims  []finding
}

// A finding is about one part of a token.
type finding struct {
	Name, Value string
	State       string // stepGood, stepBad or stepNote
	Why         string
}

// A reader reads one token. To judge each claim by itself, it asks the emulator to sign a token in
// which every other claim is right, and lets the verifier judge that: the rules stay in one place.
type reader struct {
	*judge
	console *Console
	ctx     context.Context
	now     time.Time
	claims  map[string]any
}

func (c *Console) read(ctx context.Context, raw string, required []string) (*reading, error) {
	clock, err := get[admin.Clock](ctx, c.admin, "/clock")
	if err != nil {
		return nil, err
	}
	header, claims := decodeToken(raw)
	rd := &reader{console: c, ctx: ctx, now: clock.Now, claims: claims}
	issuer, err := c.config.Issuer()
	if err != nil {
		return nil, err
	}
	m2m, err := c.judge(verify.M2M, issuer, clock.Now)
	if err != nil {
		return nil, err
	}
	defer m2m.close()
	app, err := c.judge(verify.ConnectedApp, issuer, clock.Now)
	if err != nil {
		return nil, err
	}
	defer app.close()
	rd.judge = app
	if claims == nil || rd.kind() != nil {
		rd.judge = m2m
	}
	var checks []verify.Check
	if len(required) > 0 {
		checks = append(checks, verify.AllScopes(required...))
	}
	_, verdict := rd.verifier.Verify(ctx, raw, checks...)
	found := &reading{Good: verdict == nil, Verdict: sentence(verdict), Header: headerFindings(header, claims, verdict)}
	for _, name := range claimOrder(claims) {
		one, err := rd.claim(name, required)
		if err != nil {
			return nil, err
		}
		found.Claims = append(found.Claims, one)
	}
	return found, nil
}

// A judge accepts the tokens of one kind.
type judge struct {
	base     map[string]any // the claims of a good token
	verifier *verify.Verifier
	lasting  *verify.Verifier // accepts the longest lifetime that a verifier can
}

func (c *Console) judge(kind verify.Kind, issuer string, now time.Time) (*judge, error) {
	j := &judge{base: map[string]any{
		"iss": issuer, "aud": []any{c.config.ProjectID}, "sub": "reader", "scope": "",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}}
	options := []verify.Option{
		verify.WithBaseURL("http://localhost"), verify.WithHTTPClient(&http.Client{Transport: local{c.config.API}}),
		verify.WithClock(func() time.Time { return now }), verify.WithCache(0),
	}
	if issuer != "stytch.com/"+c.config.ProjectID { // which is always accepted
		options = append(options, verify.WithIssuers(issuer))
	}
	limit := time.Hour
	if kind == verify.ConnectedApp {
		options = append(options, verify.WithConnectedApps(), verify.WithClientMetadataDocuments())
		j.base["sub"], j.base["client_id"] = "user-"+project.Environment(c.config.ProjectID)+"-reader", "connected-app-"+project.Environment(c.config.ProjectID)+"-reader"
		limit = longestLife // a lifetime of any length can be set for an app
	}
	var err error
	if j.verifier, err = verify.New(c.config.ProjectID, append(options, verify.WithMaxLifetime(limit))...); err != nil {
		return nil, err
	}
	if j.lasting, err = verify.New(c.config.ProjectID, append(options, verify.WithMaxLifetime(longestLife))...); err != nil {
		return nil, err
	}
	return j, nil
}

// longestLife is the longest lifetime that package verify takes.
const longestLife = 10 * 365 * 24 * time.Hour

func (j *judge) close() {
	_ = j.verifier.Close()
	_ = j.lasting.Close()
}

// probe verifies a token that is good but for the named claims, which are those of the token that
// is read.
func (rd *reader) probe(v *verify.Verifier, base map[string]any, names []string, checks ...verify.Check) error {
	claims := maps.Clone(base)
	for _, name := range names {
		if value, present := rd.claims[name]; present {
			claims[name] = value
		} else {
			delete(claims, name)
		}
	}
	var out admin.MintedToken
	if err := rd.console.admin.do(rd.ctx, http.MethodPost, "/tokens", admin.MintRequest{Claims: claims}, &out); err != nil {
		return err
	}
	_, err := v.Verify(rd.ctx, out.AccessToken, checks...)
	return err
}

// standard are the claims that every token has; the others decide of which kind it is.
var standard = []string{"iss", "aud", "sub", "scope", "iat", "nbf", "exp"}

// kind verifies what decides of which kind the token is.
func (rd *reader) kind() error {
	names := []string{"sub", "client_id"}
	for name := range rd.claims {
		if !slices.Contains(standard, name) && name != "client_id" {
			names = append(names, name)
		}
	}
	return rd.probe(rd.verifier, rd.base, names)
}

// claimOrder is the standard claims, missing ones included, and then the others by name.
func claimOrder(claims map[string]any) []string {
	if claims == nil {
		return nil
	}
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(claims)), func(name string) bool { return slices.Contains(standard, name) })
	return append(slices.Clone(standard), others...)
}

// decodeToken reads the header and the claims without judging them; nil if they cannot be read.
func decodeToken(raw string) (header, claims map[string]any) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, nil
	}
	return decodePart(parts[0]), decodePart(parts[1])
}

func decodePart(part string) (object map[string]any) {
	if strings.ContainsAny(part, "\r\n") {
		return nil // the decoder would pass over them
	}
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if d.Decode(&object) != nil {
		return nil
	}
	return object
}
