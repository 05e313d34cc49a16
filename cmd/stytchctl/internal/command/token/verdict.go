package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/verify"
)

// A refusalKind is what programs and people call a refusal.
type refusalKind struct {
	err    error
	name   string // the type of the error in JSON
	passed int    // how many of checks were good before this one
}

// checks are those of package verify, in its order.
var checks = []string{"signature", "issuer", "audience", "kind", "times"}

var refusals = []refusalKind{
	{verify.ErrMalformed, "malformed", 0},
	{verify.ErrAlgorithm, "algorithm", 0},
	{verify.ErrUnknownKey, "unknown_key", 0},
	{verify.ErrSignature, "signature", 0},
	{verify.ErrIssuer, "issuer", 1},
	{verify.ErrAudience, "audience", 2},
	{verify.ErrKind, "kind", 3},
	{verify.ErrLifetime, "lifetime", 4},
	{verify.ErrExpired, "expired", 4},
	{verify.ErrNotYetValid, "not_yet_valid", 4},
	{verify.ErrTooOld, "too_old", 4},
	{verify.ErrScope, "scope_missing", 5},
}

// passed are the checks that were good before err, all of them without one.
func passed(err error) []string {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return slices.Clone(checks[:r.passed])
		}
	}
	return slices.Clone(checks)
}

// sentence is "Signature, issuer and times are good." It leaves out the kind, which the command
// line names.
func sentence(good []string) string {
	good = slices.DeleteFunc(slices.Clone(good), func(check string) bool { return check == "kind" })
	switch len(good) {
	case 0:
		return ""
	case 1:
		return strings.ToUpper(good[0][:1]) + good[0][1:] + " is good."
	}
	list := strings.Join(good[:len(good)-1], ", ") + " and " + good[len(good)-1]
	return strings.ToUpper(list[:1]) + list[1:] + " are good."
}

// refusal explains an error of package verify with what the token says.
func (f *verifyFlags) refusal(err error, raw, projectID string, now time.Time) error {
	if errors.Is(err, verify.ErrKeysUnavailable) {
		return cli.Errorf(cli.Unavailable, "%w: nothing is known about the token: try again, or give --keys", err)
	}
	name := ""
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			name = r.name
		}
	}
	if name == "" { // an argument, or the end of the command
		return err
	}
	good := passed(err)
	text := "refused: " + f.reason(err, name, raw, projectID, now)
	if s := sentence(good); s != "" {
		text += ". " + s
	}
	return &cli.Error{
		Class: cli.Refused, Type: name, Message: redact.Printable(text, 2<<10),
		Details: map[string][]string{"good": good},
	}
}

// reason says what is not good in plain words. The token's own words are shown only after its
// signature was found good, apart from the id of its key.
func (f *verifyFlags) reason(err error, name, raw, projectID string, now time.Time) string {
	d, decodeErr := decodeToken(raw)
	if decodeErr != nil {
		return decodeErr.Error()
	}
	switch name {
	case "algorithm":
		return fmt.Sprintf("it is signed with %s, and only RS256 is accepted", orNone(d.algorithm))
	case "unknown_key":
		return fmt.Sprintf("the key set has no key %s: the token is of another project, or older than its key", orNone(d.keyID))
	case "signature":
		return "the signature does not match the key: the token was changed, or is not Stytch's"
	case "issuer":
		return fmt.Sprintf("its issuer is %s, not stytch.com/%s: give --issuer for a custom domain", orNone(d.issuer), projectID)
	case "audience":
		return fmt.Sprintf("its audience is %s, not %s", orNone(strings.Join(d.audience, ", ")), f.wantedAudience(projectID))
	case "kind":
		return fmt.Sprintf("it is %s, and %s is wanted", d.kind(), map[string]string{"m2m": "a token of an M2M client", "app": "a token of a Connected App"}[f.kind])
	case "lifetime":
		return fmt.Sprintf("it lives for %s, and at most %v is accepted: see --max-lifetime", span(d.expires.Sub(d.issued)), f.maxLife)
	case "expired":
		return fmt.Sprintf("it expired %s, at %s", when(d.expires, now), d.expires.Format(time.RFC3339))
	case "not_yet_valid":
		later := d.notBefore
		if d.issued.After(later) {
			later = d.issued
		}
		return fmt.Sprintf("it is not valid yet: it begins %s, at %s. Check the clock of this machine: stytchctl doctor", when(later, now), later.Format(time.RFC3339))
	case "too_old":
		return fmt.Sprintf("it was issued %s, and at most %v is accepted (--max-age)", when(d.issued, now), f.maxAge)
	case "scope_missing":
		return f.missingScopes(d)
	}
	return strings.TrimPrefix(err.Error(), "verify: ")
}

func (f *verifyFlags) wantedAudience(projectID string) string {
	if len(f.audiences) > 0 {
		return strings.Join(f.audiences, " or ")
	}
	return projectID
}

// missingScopes names the wanted scopes that the token lacks, by the rule of package verify.
func (f *verifyFlags) missingScopes(d *decoded) string {
	granted := verify.Claims{Scope: d.scope}
	var missing []string
	for _, scope := range f.scopes {
		if !granted.HasScope(scope) {
			missing = append(missing, scope)
		}
	}
	has := strings.Join(granted.Scopes(), " and ")
	if has == "" {
		has = "none"
	}
	if len(missing) == 1 {
		return fmt.Sprintf("scope %s is missing; the token has %s", missing[0], has)
	}
	return fmt.Sprintf("scopes %s are missing; the token has %s", strings.Join(missing, " and "), has)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
