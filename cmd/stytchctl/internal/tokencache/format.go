package tokencache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// The first line of a file is the heading and the number of the version. The rest is JSON.
const (
	heading = "stytchctl token cache "
	version = 1

	maxFile   = 32 << 20
	maxTokens = 200 // those that expire last are kept
)

var (
	errForeign = errors.New("it is not a token cache: name another file")
	errNewer   = errors.New("a newer version of stytchctl wrote it: update this one, or name another file")
	errCorrupt = errors.New("it is damaged")
)

// A content is what the file holds, by the names that package token chooses.
type content struct {
	Tokens map[string]sealed `json:"tokens,omitempty"`
	Leases map[string]lease  `json:"leases,omitempty"`
}

// sealed is an encrypted token.
type sealed struct {
	Expires time.Time `json:"expires"`
	Value   []byte    `json:"value"`
}

// lease is the right of one process to get a token while others wait.
type lease struct {
	Expires time.Time `json:"expires"`
	Owner   string    `json:"owner"`
}

func empty() *content { return &content{map[string]sealed{}, map[string]lease{}} }

// decode reads a file. An empty one, as mktemp makes, is an empty cache.
func decode(text []byte) (*content, error) {
	if len(text) == 0 {
		return empty(), nil
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	number, ok := bytes.CutPrefix(first, []byte(heading))
	if !ok {
		return nil, errForeign
	}
	n, err := strconv.Atoi(string(number))
	switch {
	case err != nil || n < 1:
		return nil, errCorrupt
	case n > version:
		return nil, errNewer
	}
	c := empty()
	if err := json.Unmarshal(rest, c); err != nil || c.Tokens == nil || c.Leases == nil {
		return nil, errCorrupt
	}
	return c, nil
}

// encode writes what has not expired.
func (c *content) encode(now time.Time) ([]byte, error) {
	maps.DeleteFunc(c.Tokens, func(_ string, s sealed) bool { return !now.Before(s.Expires) })
	maps.DeleteFunc(c.Leases, func(_ string, l lease) bool { return !now.Before(l.Expires) })
	if surplus := len(c.Tokens) - maxTokens; surplus > 0 {
		names := slices.SortedFunc(maps.Keys(c.Tokens), func(a, b string) int {
			return c.Tokens[a].Expires.Compare(c.Tokens[b].Expires)
		})
		for _, name := range names[:surplus] {
			delete(c.Tokens, name)
		}
	}
	text, err := json.Marshal(c)
	return append(fmt.Appendf(nil, "%s%d\n", heading, version), text...), err
}
