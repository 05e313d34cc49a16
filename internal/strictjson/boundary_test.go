package strictjson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// The characters right outside each range of digits are no digits, in escapes and in numbers.
func TestDigitsEndWhereTheyEnd(t *testing.T) {
	for c := range 128 {
		digit := strings.ContainsRune("0123456789", rune(c))
		hexadecimal := digit || strings.ContainsRune("abcdefABCDEF", rune(c))
		for _, format := range []string{`"\u00%c0"`, `"\u000%c"`, `"\u%c000"`, `"\u0%c00"`} {
			text := fmt.Sprintf(format, c)
			if got := strictjson.Valid([]byte(text)) == nil; got != hexadecimal {
				t.Errorf("%q is valid: %v", text, got)
			}
		}
		text := fmt.Sprintf("1%c", c)
		if got := strictjson.Valid([]byte(text)) == nil; got != (digit || strings.ContainsRune(" \t\r\n", rune(c))) {
			t.Errorf("%q is valid: %v", text, got)
		}
	}
}

// A name may be written with escapes, of which each stands for its own character.
func TestEscapedNamesAreTheirCharacters(t *testing.T) {
	for escaped, plain := range map[string]string{
		`\u0061`: "a", `\u004F`: "O", `\u004f`: "O", `\u00e9`: "é", `\uABCD`: "\uabcd", `\uabcd`: "\uabcd",
		`\ud83d\ude00`: "😀", `\"`: `\"`, `\/`: "/", `x\u0079z`: "xyz", `\u0031\u0032`: "12",
	} {
		text := fmt.Sprintf(`{"%s":1,"%s":2}`, escaped, plain)
		if err := strictjson.Valid([]byte(text)); !errors.Is(err, strictjson.ErrDuplicate) {
			t.Errorf("%s: %v, want %v", text, err, strictjson.ErrDuplicate)
		}
	}
}

// Nesting is allowed to MaxDepth, and not one level more, for both kinds of brackets.
func TestDepthEndsAtTheLimit(t *testing.T) {
	for _, brackets := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
		for depth, want := range map[int]error{strictjson.MaxDepth: nil, strictjson.MaxDepth + 1: strictjson.ErrDepth} {
			text := strings.Repeat(brackets[0], depth) + "1" + strings.Repeat(brackets[1], depth)
			if err := strictjson.Valid([]byte(text)); !errors.Is(err, want) {
				t.Errorf("%d times %s: %v, want %v", depth, brackets[0], err, want)
			}
		}
	}
}

// A character that must be escaped is found at each place of a long string.
func TestBytesThatNeedAnEscape(t *testing.T) {
	for _, bad := range []byte{0, 0x1f, '\n', '"'} {
		for at := range 24 {
			text := []byte(`"` + strings.Repeat("x", 24) + `"`)
			text[1+at] = bad
			if strictjson.Valid(text) == nil {
				t.Errorf("%q at %d is accepted", bad, at)
			}
		}
	}
	for _, good := range []byte{' ', 0x7f, '!', '#', '[', ']'} {
		for at := range 24 {
			text := []byte(`"` + strings.Repeat("x", 24) + `"`)
			text[1+at] = good
			if err := strictjson.Valid(text); err != nil {
				t.Errorf("%q at %d: %v", good, at, err)
			}
		}
	}
}
