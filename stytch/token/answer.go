package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch/secret"
)

const maxAnswer = 64 << 10 // bytes of a token answer after decompression

// object reads a JSON object strictly: valid UTF-8, no name twice, nothing behind it. Names are compared exactly.
func object(data []byte) (map[string]json.RawMessage, bool) {
	if !utf8.Valid(data) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, false
		}
		key, _ := name.(string)
		if _, twice := fields[key]; twice {
			return nil, false
		}
		fields[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return fields, errors.Is(err, io.EOF)
}

// text reads a JSON string; null and an absent value are "".
func text(raw json.RawMessage) (s string, ok bool) {
	if raw == nil || string(raw) == "null" {
		return "", true
	}
	return s, json.Unmarshal(raw, &s) == nil
}

// number reads a JSON number, which may be fractional.
func number(raw json.RawMessage) (float64, bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(raw), 64) // out of range is infinite, and an error
	return n, err == nil
}

// parseAnswer reads a success. asked is when the request was sent: its life is counted from there, which is a little early.
// The error is a fixed text.
func parseAnswer(header http.Header, body []byte, asked time.Time, r request) (tokenData, error) {
	if media, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return tokenData{}, errors.New("the content type is not JSON")
	}
	fields, ok := object(body)
	if !ok {
		return tokenData{}, errors.New("the body is not one JSON object without repeated names")
	}
	if problem, ok := text(fields["error"]); !ok || problem != "" {
		return tokenData{}, errors.New("a success that also says error")
	}
	value, ok := text(fields["access_token"])
	if !ok || !isToken(value) {
		return tokenData{}, errors.New("access_token is missing or not a bearer token")
	}
	if kind, ok := text(fields["token_type"]); !ok || !strings.EqualFold(kind, "bearer") {
		return tokenData{}, errors.New("token_type is not bearer")
	}
	scope, ok := text(fields["scope"])
	if !ok {
		return tokenData{}, errors.New("scope is not a string")
	}
	c := claimsOf(value)
	if scope == "" {
		scope = c.scope
	}
	d := tokenData{value: secret.New(value), issued: asked, scopes: r.scopes}
	if scope != "" {
		d.scopes = strings.Fields(scope)
	}
	life, known := c.life(now(header))
	if raw, there := fields["expires_in"]; there && string(raw) != "null" {
		seconds, ok := number(raw)
		if !ok || seconds <= 0 {
			return tokenData{}, errors.New("expires_in is not a positive number")
		}
		life, known = min(life, duration(seconds)), true
	}
	if known {
		d.expires = asked.Add(life)
	}
	return d, nil
}

// now is the time by the endpoint's clock, which dated the token, if the answer says it.
func now(header http.Header) time.Time {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		return date
	}
	return time.Now()
}

// isToken follows RFC 6750, section 2.1.
func isToken(s string) bool {
	body := strings.TrimRight(s, "=")
	return body != "" && !strings.ContainsFunc(body, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~+/", r))
	})
}

// claims are what a token says of itself, if it is a JWT. Nobody has verified them: they may shorten its life here, nothing
// else.
type claims struct {
	exp, iat       float64
	hasExp, hasIat bool
	scope          string
}

func claimsOf(token string) (c claims) {
	_, rest, _ := strings.Cut(token, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") {
		return c
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil {
		return c
	}
	fields, ok := object(decoded)
	if !ok {
		return c
	}
	c.exp, c.hasExp = number(fields["exp"])
	c.iat, c.hasIat = number(fields["iat"])
	c.scope, _ = text(fields["scope"])
	return c
}

// life is how long the token has from now on, at most maxLife. known is false if the token does not say.
func (c claims) life(now time.Time) (life time.Duration, known bool) {
	if !c.hasExp {
		return maxLife, false
	}
	seconds := c.exp - float64(now.UnixMilli())/1000
	if c.hasIat { // it cannot be used longer than it lives, however wrong a clock is
		seconds = min(seconds, c.exp-c.iat)
	}
	return duration(seconds), true
}

// duration is never over maxLife, and never negative.
func duration(seconds float64) time.Duration {
	return time.Duration(max(0, min(seconds, maxLife.Seconds())) * float64(time.Second))
}
