package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
)

// download gets the key set from its address. Redirects are not followed: they would let somebody else choose the keys.
func (c *Cache) download() (*Set, error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.config.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.config.URL, nil)
	if err != nil {
		return nil, errors.New("the address of the key set is not valid")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "stytch-m2m-go/verify")
	response, err := c.config.Transport.RoundTrip(request)
	if err != nil {
		return nil, &downloadError{err}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching the key set: status %d", response.StatusCode)
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	if err != nil {
		return nil, &downloadError{err}
	}
	return Parse(document)
}

// downloadError shows the cause in one short line: a part of it may have been chosen by the other side.
type downloadError struct{ cause error }

func (e *downloadError) Error() string {
	const limit = 200
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, e.cause.Error())
	return "fetching the key set: " + text[:min(len(text), limit)]
}

func (e *downloadError) Unwrap() error { return e.cause }
