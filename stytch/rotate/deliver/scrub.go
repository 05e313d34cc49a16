package deliver

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// window is how many characters in a row have to be those of a secret to be removed. It finds secrets that were cut or
// wrapped, and those inside of something larger that was encoded as a whole.
const window = 8

// maxSaid is how many bytes are repeated of what a server or a program said.
const maxSaid = 1 << 10

// confidential is texts that must not be repeated.
type confidential []string

// secretsOf is what a delivery must not be betrayed by.
func secretsOf(d rotate.Delivery) confidential {
	return confidential{d.Secret.Reveal(), d.Previous.Reveal()}
}

// and is c and all that o holds: what is not ours may be a secret too, unless it is so short that hiding it would hide
// half of any text.
func (c confidential) and(o object) confidential {
	c = append(confidential{}, c...)
	for _, m := range o {
		var text string
		if json.Unmarshal(m.value, &text) != nil {
			text = string(m.value)
		}
		if len(text) >= window/2 && m.name != idName {
			c = append(c, text)
		}
	}
	return c
}

// clean is text between two bytes, with the placeholder for what is confidential. Where text was cut there has to be a window
// outside of them, which shows what a piece of a secret at the cut belongs to.
func (c confidential) clean(text string, from, to int) string {
	hidden := c.hidden(text)
	var b strings.Builder
	for i := from; i < to; i++ {
		switch {
		case !hidden[i]:
			b.WriteByte(text[i])
		case i == from || !hidden[i-1]:
			b.WriteString(secret.Placeholder)
		}
	}
	return strings.ToValidUTF8(b.String(), "?")
}

// hidden says of each byte of text whether it is confidential. What it costs grows with the length of text and of the secrets,
// not with their product.
func (c confidential) hidden(text string) []bool {
	hidden := make([]bool, len(text))
	windows := map[[window]byte][]int{} // where they are
	for i := 0; i+window <= len(text); i++ {
		part := [window]byte([]byte(text[i : i+window]))
		windows[part] = append(windows[part], i)
	}
	hide := func(i, n int) {
		for j := range n {
			hidden[i+j] = true
		}
	}
	for _, s := range c {
		for _, form := range forms(s) {
			for i := 0; i+window <= len(form); i++ {
				part := [window]byte([]byte(form[i : i+window]))
				places, found := windows[part]
				for _, at := range places {
					hide(at, window)
				}
				if found {
					delete(windows, part)
				}
			}
			for i := 0; len(form) < window; i++ { // too short for the window: only as a whole
				at := strings.Index(text[i:], form)
				if at < 0 {
					break
				}
				i += at
				hide(i, len(form))
			}
		}
	}
	return hidden
}

// quote is text without what is confidential and in one line, shortened.
func (c confidential) quote(text string) string {
	const enough = 4 * maxSaid // secrets are longer than what stands for them
	to := len(text)
	if to > enough+window {
		text, to = text[:enough+window], enough
	}
	text = strings.TrimSpace(c.clean(text, 0, to))
	if len(text) > maxSaid {
		text = strings.ToValidUTF8(text[:maxSaid], "") + "…"
	}
	return strconv.Quote(text)
}

// forms is how a secret may appear in what somebody says of it.
func forms(s string) (all []string) {
	if s == "" {
		return nil
	}
	var unescaped bytes.Buffer
	encoder := json.NewEncoder(&unescaped)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // cannot fail: a string, to memory
	escaped, _ := json.Marshal(s)
	trim := func(quoted string) string { return strings.Trim(strings.TrimSpace(quoted), `"`) }

	texts := slices.Compact([]string{s, trim(unescaped.String()), trim(string(escaped))})
	for _, text := range texts {
		all = append(all, text)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for shift := range 3 {
				if form := inside(encoding, text, shift); len(form) >= window/2 { // shorter ones are in any text
					all = append(all, form)
				}
			}
		}
	}
	inHex := hex.EncodeToString([]byte(s))
	return append(all, trim(strconv.Quote(s)), url.QueryEscape(s), url.PathEscape(s), inHex, strings.ToUpper(inHex))
}

// inside is what the base64 of a larger text has of s in any case, if s begins there shift bytes after a multiple of three.
func inside(encoding *base64.Encoding, s string, shift int) string {
	encoded := encoding.EncodeToString(append(make([]byte, shift), s...))
	first, last := (shift*8+5)/6, len(encoded) // the characters that what is in front has a part in
	if (shift+len(s))%3 != 0 {
		last--
	}
	return encoded[min(first, last):last]
}

// guard is err without what is confidential. It can be asked what it is but, if its own text must not be seen, not unwrapped.
func (c confidential) guard(err error) error {
	text := err.Error()
	if cleaned := c.clean(text, 0, len(text)); cleaned != text {
		return &guarded{cleaned, err}
	}
	return err
}

type guarded struct {
	text  string
	cause error
}

func (e *guarded) Error() string        { return e.text }
func (e *guarded) Is(target error) bool { return errors.Is(e.cause, target) }
