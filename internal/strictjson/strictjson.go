// Package strictjson reads JSON that an attacker may have written so that two readers understand it
// differently.
//
// It accepts the part of RFC 8259 that means the same to every reader: UTF-8 without a byte order
// mark, no name twice in an object (after escapes are resolved), no half of a surrogate pair,
// nothing after the value, at most [MaxDepth] levels. Names are compared exactly; encoding/json
// would take EXP for exp. Texts are checked in one pass over their bytes that allocates almost
// nothing, so reading input that is not authenticated yet costs little.
//
// No error quotes the text.
package strictjson

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"
)

// MaxDepth is how many levels of objects and arrays may be nested, the outermost included.
const MaxDepth = 32

// What is wrong with a text.
var (
	ErrSyntax    = errors.New("not valid JSON")
	ErrDuplicate = errors.New("a name occurs twice in an object")
	ErrDepth     = errors.New("nested too deeply")
	ErrEncoding  = errors.New("not valid Unicode")
	ErrKind      = errors.New("another kind of value is expected")
)

// Kind is the kind of a value.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota + 1
	Bool
	Number
	String
	Array
	Object
)

// A Value is a checked value. It shares memory with the text that it was read from.
type Value struct {
	Raw     []byte // as it is in the text; of a string, the part between the quotes
	Kind    Kind
	escaped bool
}

// A Member of an object.
type Member struct {
	Name   []byte // without escapes
	Source []byte // name and value as they are in the text
	Value
}

// Valid returns what is wrong with text as one value, or nil.
func Valid(text []byte) error {
	_, err := Read(text)
	return err
}

// Read reads text as one value.
func Read(text []byte) (Value, error) {
	s := scanner{text: text}
	s.space()
	v, err := s.value(1)
	if err == nil {
		err = s.end()
	}
	return v, err
}

// Members reads text as an object and appends its members to buf, in order.
func Members(text []byte, buf []Member) ([]Member, error) {
	s := scanner{text: text}
	s.space()
	if !s.take('{') {
		if _, err := Read(text); err != nil {
			return nil, err
		}
		return nil, ErrKind
	}
	buf, err := s.members(1, buf, true)
	if err == nil {
		err = s.end()
	}
	return buf, err
}

// Elements reads text as an array and appends its elements to buf, in order.
func Elements(text []byte, buf []Value) ([]Value, error) {
	s := scanner{text: text}
	s.space()
	if !s.take('[') {
		if _, err := Read(text); err != nil {
			return nil, err
		}
		return nil, ErrKind
	}
	buf, err := s.elements(1, buf, true)
	if err == nil {
		err = s.end()
	}
	return buf, err
}

// Is reports whether v is the string text.
func (v Value) Is(text string) bool {
	if v.Kind != String {
		return false
	}
	if v.escaped {
		return string(unescape(v.Raw)) == text
	}
	return string(v.Raw) == text
}

// Text returns the string and whether v is one. It shares memory with the text that was read,
// unless it had escapes.
func (v Value) Text() ([]byte, bool) {
	if v.escaped {
		return unescape(v.Raw), true
	}
	return v.Raw, v.Kind == String
}

// scanner reads on at text[at].
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) take(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) end() error {
	if s.space(); s.at < len(s.text) {
		return ErrSyntax
	}
	return nil
}

// value reads a value. If it is an object or array, its level is depth.
func (s *scanner) value(depth int) (Value, error) {
	if s.at >= len(s.text) {
		return Value{}, ErrSyntax
	}
	start := s.at
	var kind Kind
	var err error
	switch c := s.text[start]; c {
	case '"':
		s.at++
		escaped, err := s.string()
		if err != nil {
			return Value{}, err
		}
		return Value{Raw: s.text[start+1 : s.at-1], Kind: String, escaped: escaped}, nil
	case '{':
		s.at++
		kind = Object
		_, err = s.members(depth, nil, false)
	case '[':
		s.at++
		kind = Array
		_, err = s.elements(depth, nil, false)
	case 't':
		kind, err = Bool, s.word("true")
	case 'f':
		kind, err = Bool, s.word("false")
	case 'n':
		kind, err = Null, s.word("null")
	default:
		kind, err = Number, s.number()
	}
	if err != nil {
		return Value{}, err
	}
	return Value{Raw: s.text[start:s.at], Kind: kind}, nil
}

// members reads an object after its opening brace, and appends to buf if keep is set.
func (s *scanner) members(depth int, buf []Member, keep bool) ([]Member, error) {
	if depth > MaxDepth {
		return nil, ErrDepth
	}
	if s.space(); s.take('}') {
		return buf, nil
	}
	var seen names
	for {
		start := s.at
		name, err := s.name()
		if err != nil {
			return nil, err
		}
		if !seen.add(name) {
			return nil, ErrDuplicate
		}
		s.space()
		v, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if keep {
			buf = append(buf, Member{name, s.text[start:s.at], v})
		}
		s.space()
		if s.take('}') {
			return buf, nil
		}
		if !s.take(',') {
			return nil, ErrSyntax
		}
		s.space()
	}
}

// name reads a name and the colon after it.
func (s *scanner) name() ([]byte, error) {
	if !s.take('"') {
		return nil, ErrSyntax
	}
	start := s.at
	escaped, err := s.string()
	if err != nil {
		return nil, err
	}
	name := s.text[start : s.at-1]
	if escaped {
		name = unescape(name)
	}
	if s.space(); !s.take(':') {
		return nil, ErrSyntax
	}
	return name, nil
}

// elements reads an array after its opening bracket, and appends to buf if keep is set.
func (s *scanner) elements(depth int, buf []Value, keep bool) ([]Value, error) {
	if depth > MaxDepth {
		return nil, ErrDepth
	}
	if s.space(); s.take(']') {
		return buf, nil
	}
	for {
		v, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if keep {
			buf = append(buf, v)
		}
		s.space()
		if s.take(']') {
			return buf, nil
		}
		if !s.take(',') {
			return nil, ErrSyntax
		}
		s.space()
	}
}

func (s *scanner) word(w string) error {
	if !bytes.HasPrefix(s.text[s.at:], []byte(w)) {
		return ErrSyntax
	}
	s.at += len(w)
	return nil
}

func (s *scanner) number() error {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return ErrSyntax
	}
	if s.take('.') && !s.digits() {
		return ErrSyntax
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if !s.digits() {
			return ErrSyntax
		}
	}
	return nil // the caller checks what follows
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > start
}

// plain are the ASCII characters that need no escape in a string.
var plain = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// special sets the highest bit of each of eight bytes that is not plain. It may also set that of a
// plain byte after one of them.
func special(eight uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := eight^'"'*ones, eight^'\\'*ones
	return (eight | (eight-' '*ones)&^eight | (quote-ones)&^quote | (backslash-ones)&^backslash) & high
}

// string reads a string after its opening quote, up to and including the closing one.
func (s *scanner) string() (escaped bool, err error) {
	text, i := s.text, s.at
	for i+8 <= len(text) {
		marks := special(binary.LittleEndian.Uint64(text[i:]))
		if marks != 0 {
			i += bits.TrailingZeros64(marks) / 8
			break
		}
		i += 8
	}
	for i < len(text) {
		c := text[i]
		if plain[c] {
			i++
			continue
		}
		switch {
		case c == '"':
			s.at = i + 1
			return escaped, nil
		case c == '\\':
			_, n, err := escape(text[i:])
			if err != nil {
				return false, err
			}
			escaped = true
			i += n
		case c < ' ':
			return false, ErrSyntax
		default:
			_, n := utf8.DecodeRune(text[i:])
			if n == 1 {
				return false, ErrEncoding
			}
			i += n
		}
	}
	return false, ErrSyntax
}
