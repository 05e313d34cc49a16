// Package redact takes secrets out of texts that come from elsewhere: what a server replied, what a
// program printed, what an error of another package says. Such a text may repeat a secret as it is,
// or as an encoder spelled it.
//
// A secret is found in these spellings: plain; escaped for a query, a path, JSON, JSON in JSON, Go
// and HTML; in hexadecimal; and in base64, also where it is only a part of what was encoded. Of
// each spelling, any 8 bytes in a row are enough, so a secret that was cut or wrapped is found too.
// The exceptions are short: a spelling with less than 8 bytes is found as a whole only, and a
// secret of less than 4 bytes only where no letter or digit stands next to it, since it would be
// found in any text.
//
// What a call costs grows with the length of the text plus the length of the secrets, not with
// their product.
package redact

import (
	"slices"
	"strings"
	"sync"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Redactor replaces a set of secrets by [secret.Placeholder]. It is safe for concurrent use. Nil
// and the zero value know no secret. Its first use compiles the secrets, which costs more than all
// that follow; so keep a redactor that is used often.
type Redactor struct {
	patterns func() *patterns // a closure, which neither fmt nor reflection looks into; nil without secrets
	before   *Redactor        // knows further secrets, or is nil
}

// New returns a redactor for these secrets. Empty ones are ignored.
func New(secrets ...string) *Redactor { return (*Redactor)(nil).With(secrets...) }

// With returns a redactor that knows more secrets. It shares what r has compiled.
func (r *Redactor) With(more ...string) *Redactor {
	more = slices.DeleteFunc(slices.Clone(more), func(s string) bool { return s == "" })
	if len(more) == 0 && r != nil {
		return r
	}
	if len(more) == 0 {
		return &Redactor{}
	}
	return &Redactor{sync.OnceValue(func() *patterns { return compile(more) }), r}
}

// empty reports whether r knows no secret.
func (r *Redactor) empty() bool { return r == nil || r.patterns == nil && r.before.empty() }

// Text returns s with the placeholder for each secret.
func (r *Redactor) Text(s string) string { return r.Part(s, 0, len(s)) }

// Part is the [Redactor.Text] of s[from:to]. The bytes around it show what a piece of a secret at
// the edge belongs to, so where a text has to be cut, keep [Margin] bytes on the other side of the
// cut.
func (r *Redactor) Part(s string, from, to int) string {
	found := r.find(s)
	if found == nil {
		return s[from:to]
	}
	return replace(s, found[0], from, to)
}

// Margin is how many bytes beyond a cut are enough for [Redactor.Part].
const Margin = window

// Found reports whether s holds a secret.
func (r *Redactor) Found(s string) bool { return r.find(s) != nil }

// Line returns s fit for one line of a log or an error: without secrets, printable (see
// [Printable]), and cut to limit bytes, which must be positive.
func (r *Redactor) Line(s string, limit int) string {
	to := len(s)
	if enough := 4*limit + Margin; to > enough+Margin { // secrets are longer than what stands for them
		s, to = s[:enough+Margin], enough
	}
	s = Printable(r.Part(s, 0, to), 0)
	return cut(r.Text(s), limit) // again: a secret with a space may have been there with a line break
}

// replace is s[from:to] with the placeholder for each run of what is hidden.
func replace(s string, hidden []bool, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		switch {
		case !hidden[i]:
			b.WriteByte(s[i])
		case i == from || !hidden[i-1]:
			b.WriteString(secret.Placeholder)
		}
	}
	return b.String()
}
