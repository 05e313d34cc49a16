package console

import (
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/verify"
)

// reasons are what the errors of package verify mean for a person.
var reasons = []struct {
	err  error
	text string
}{
	{verify.ErrMalformed, "it is not a well-formed Stytch token: a part cannot be read, or a claim is missing or has the wrong type"},
	{verify.ErrAlgorithm, "its algorithm is not RS256"},
	{verify.ErrUnknownKey, "the key set has no key with its kid: it is from another project, or the key was removed"},
	{verify.ErrSignature, "its signature is not valid: it was changed, or another key made it"},
	{verify.ErrExpired, "it has expired"},
	{verify.ErrNotYetValid, "it is not valid yet"},
	{verify.ErrTooOld, "it is too old"},
	{verify.ErrLifetime, "its lifetime is longer than one hour"},
	{verify.ErrIssuer, "its issuer is not this project"},
	{verify.ErrAudience, "it is meant for another audience"},
	{verify.ErrKind, "it is not an access token of a client: it belongs to a user's session or to something else"},
	{verify.ErrScope, "it lacks a scope that you require"},
	{verify.ErrKeysUnavailable, "the key set could not be fetched"},
}

func reason(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.text
		}
	}
	return err.Error()
}

// sentence is the verdict.
func sentence(err error) string {
	if err == nil {
		return "Good: an API of this project accepts this token."
	}
	return "Refused: " + reason(err) + "."
}

// steps of a verification, in their order: what comes after the one that failed was not reached.
var headerSteps = []struct {
	name, good string
	err        error
}{
	{"Form", "Three parts of base64url, with JSON in them.", verify.ErrMalformed},
	{"alg", "RS256, the one algorithm that Stytch uses.", verify.ErrAlgorithm},
	{"kid", "A key of the project's key set.", verify.ErrUnknownKey},
	{"Signature", "This key made it.", verify.ErrSignature},
}

func headerFindings(header, claims map[string]any, verdict error) (all []finding) {
	failed := len(headerSteps)
	for i, step := range headerSteps {
		if errors.Is(verdict, step.err) {
			failed = i
		}
	}
	if failed == 0 && header != nil && claims != nil {
		failed = len(headerSteps) // the form is good, so a claim is what is malformed
		if verdictIsHeader(header) {
			failed = 1
		}
	}
	for i, step := range headerSteps {
		one := finding{Name: step.name, State: stepGood, Why: step.good}
		if value, ok := header[step.name]; ok {
			one.Value = compact(value)
		}
		switch {
		case i == failed:
			one.State, one.Why = stepBad, upper(reason(verdict))+"."
		case i > failed:
			one.State, one.Why = stepNote, "Not checked: an earlier check failed."
		}
		all = append(all, one)
	}
	return all
}

// verdictIsHeader reports whether a malformed token is malformed in its header.
func verdictIsHeader(header map[string]any) bool {
	_, alg := header["alg"].(string)
	_, kid := header["kid"].(string)
	return !alg || !kid
}

// claim judges one claim by itself.
func (rd *reader) claim(name string, required []string) (finding, error) {
	value, present := rd.claims[name]
	one := finding{Name: name, State: stepGood}
	if present {
		one.Value = compact(value)
	} else if name == "nbf" || name == "iat" || name == "exp" || name == "scope" || name == "sub" || name == "iss" || name == "aud" {
		one.State, one.Why = stepBad, "It is missing. Every token of Stytch has it."
		return one, nil
	}
	var err error
	switch name {
	case "exp", "iat", "nbf":
		return rd.date(one)
	case "sub":
		err = rd.kind()
		one.Why = rd.owner(value)
	case "scope":
		one.Why = "No scope."
		if text, _ := value.(string); text != "" {
			one.Why = plural(len(strings.Fields(text)), "scope", "scopes") + "."
		}
		var checks []verify.Check
		if len(required) > 0 {
			checks = append(checks, verify.AllScopes(required...))
		}
		err = rd.probe(rd.verifier, rd.base, []string{name}, checks...)
		if errors.Is(err, verify.ErrScope) {
			one.Why = "It does not grant all of: " + strings.Join(required, ", ") + "."
		}
	case "iss":
		one.Why, err = "This project.", rd.probe(rd.verifier, rd.base, []string{name})
	case "aud":
		one.Why, err = "It contains this project.", rd.probe(rd.verifier, rd.base, []string{name})
	default:
		one.State, one.Why = stepNote, "A claim of its own. Nothing is required of it."
		names := []string{name}
		if name == "client_id" {
			names = append(names, "sub") // the two belong together
		}
		err = rd.probe(rd.verifier, rd.base, names)
	}
	if isAdmin(err) {
		return one, err
	}
	if err != nil {
		one.State = stepBad
		if !errors.Is(err, verify.ErrScope) {
			one.Why = upper(reason(err)) + "."
		}
	}
	return one, nil
}

func isAdmin(err error) bool {
	var refused *adminError
	return errors.As(err, &refused)
}

// date judges a time. Its lifetime is judged with exp, and a lifetime alone never makes iat wrong.
func (rd *reader) date(one finding) (finding, error) {
	seconds, err := strconv.ParseFloat(one.Value, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 {
		one.State, one.Why = stepBad, "It is not a time: digits, seconds since 1970."
		return one, nil //nolint:nilerr // a verdict, not a failure
	}
	at := time.Unix(int64(seconds), 0)
	// The other times keep a distance that makes them right beside this one.
	base := maps.Clone(rd.base)
	began := max(0, min(at.Add(-time.Minute).Unix(), rd.now.Unix()))
	base["iat"], base["nbf"], base["exp"] = began, began, max(at.Unix(), rd.now.Unix())+60
	err = rd.probe(rd.lasting, base, []string{one.Name})
	if one.Name != "exp" && errors.Is(err, verify.ErrLifetime) {
		err = nil // long ago is not wrong by itself
	}
	if err == nil && one.Name == "exp" {
		if lifetime := rd.probe(rd.verifier, base, []string{"exp", "iat"}); errors.Is(lifetime, verify.ErrLifetime) || isAdmin(lifetime) {
			err = lifetime
		}
	}
	if isAdmin(err) {
		return one, err
	}
	distance := at.Sub(rd.now)
	when := "in " + span(distance)
	if distance < 0 {
		when = span(distance) + " ago"
	}
	one.Why = map[string]string{"exp": "It expires ", "iat": "It was issued ", "nbf": "It is valid since "}[one.Name] + when + ", at " + moment(at) + "."
	switch {
	case errors.Is(err, verify.ErrExpired):
		one.State, one.Why = stepBad, "It expired "+when+", at "+moment(at)+"."
	case errors.Is(err, verify.ErrNotYetValid):
		one.State, one.Why = stepBad, "It is in the future: "+when+", at "+moment(at)+"."
	case err != nil:
		one.State, one.Why = stepBad, upper(reason(err))+"."
	}
	return one, nil
}

// owner is who the subject is.
func (rd *reader) owner(value any) string {
	id, _ := value.(string)
	if _, app := rd.base["client_id"]; app {
		return "The user or member for whom the Connected App acts."
	}
	found, err := rd.console.api.M2M.Get(rd.ctx, id)
	switch {
	case errors.Is(err, stytch.ErrNotFound), errors.Is(err, stytch.ErrInvalidArgument):
		return "The project has no such client now. Its tokens stay valid until they expire."
	case err != nil:
		return "An M2M client."
	case found.Status != "active":
		return "An M2M client of this project, inactive now. Its tokens stay valid until they expire."
	}
	return "An M2M client of this project."
}

// compact is a value of JSON, a string without its quotes.
func compact(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(data)
}
