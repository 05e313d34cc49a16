package credentials

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bom is the byte order mark that some editors put in front of a text.
const bom = "\ufeff"

// Text returns an id, secret or address that was read from a file or the environment, without the
// byte order mark that may precede it. It refuses what an editor, a copy or a shell adds and no
// program shows: spaces, line breaks, control characters, zero-width characters and surrounding
// quotation marks. The error names the field and the kind of character, never the value.
func Text(field, text string) (string, error) {
	text = strings.TrimPrefix(text, bom)
	return text, check(field, text)
}

func check(field, text string) error {
	if err := fault(text); err != nil {
		return fmt.Errorf("%s %w", field, err)
	}
	return nil
}

var (
	errEncoding = errors.New("is not UTF-8: save it in that encoding")
	errQuoted   = errors.New("is enclosed in quotation marks: remove them")
	errLine     = errors.New("contains a line break: remove it")
)

// fault is what is wrong with a value.
func fault(text string) error {
	if !utf8.ValidString(text) {
		return errEncoding
	}
	for _, r := range text {
		switch {
		case strings.ContainsRune("\n\r\u0085\u2028\u2029", r):
			return errLine
		case unicode.IsSpace(r):
			return fmt.Errorf("contains a space (U+%04X): remove it", r)
		case unicode.IsControl(r):
			return fmt.Errorf("contains a control character (U+%04X): remove it", r)
		case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return fmt.Errorf("contains a zero-width character (U+%04X): remove it", r)
		}
	}
	if quoted(text) {
		return errQuoted
	}
	return nil
}

// quoted reports whether text begins and ends with a pair of quotation marks.
func quoted(text string) bool {
	for _, pair := range [][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}, {"„", "“"}, {"«", "»"}} {
		if len(text) >= len(pair[0])+len(pair[1]) && strings.HasPrefix(text, pair[0]) && strings.HasSuffix(text, pair[1]) {
			return true
		}
	}
	return false
}
