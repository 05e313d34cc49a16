package console

import (
	"net/url"
	"strconv"
	"strings"
)

const (
	pageSize = 50
	maxTrail = 50 // pages that one can go back; the address stays short
)

// A listQuery is what one page of a list shows.
type listQuery struct {
	Filter string
	Cursor string // "" for the first page
	trail  []string
	number int // of the page, from 1
}

func parseQuery(values url.Values) listQuery {
	q := listQuery{Filter: strings.TrimSpace(values.Get("q")), Cursor: values.Get("cursor"), number: 1}
	if trail := values.Get("trail"); trail != "" {
		q.trail = strings.Split(trail, ",")
	}
	if n, err := strconv.Atoi(values.Get("page")); err == nil && n > 1 && q.Cursor != "" {
		q.number = n
	}
	return q
}

// firstPage stands for the empty cursor in a trail.
const firstPage = "-"

// next is the address of the following page, which leads back here.
func (q listQuery) next(base, cursor string) string {
	here := q.Cursor
	if here == "" {
		here = firstPage
	}
	trail := append(append([]string(nil), q.trail...), here)
	if len(trail) > maxTrail {
		trail = trail[len(trail)-maxTrail:]
	}
	return q.address(base, cursor, trail, q.number+1)
}

// previous is the address of the page before; "" if there is none or it is not known.
func (q listQuery) previous(base string) string {
	if len(q.trail) == 0 {
		return ""
	}
	last := len(q.trail) - 1
	cursor := q.trail[last]
	if cursor == firstPage {
		return q.address(base, "", nil, 1)
	}
	return q.address(base, cursor, q.trail[:last], q.number-1)
}

func (q listQuery) address(base, cursor string, trail []string, number int) string {
	values := url.Values{}
	if q.Filter != "" {
		values.Set("q", q.Filter)
	}
	if cursor != "" {
		values.Set("cursor", cursor)
		values.Set("page", strconv.Itoa(number))
	}
	if len(trail) > 0 {
		values.Set("trail", strings.Join(trail, ","))
	}
	if len(values) == 0 {
		return base
	}
	return base + "?" + values.Encode()
}
