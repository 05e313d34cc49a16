package console

import (
	"net/http"
)

type listView struct {
	Kind                  *kind
	Page                  listPage
	Query                 listQuery
	Number                int
	First, Previous, Next string
	Problem               string
}

func (c *Console) list(k *kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := parseQuery(r.URL.Query())
		v := listView{Kind: k, Query: q, Number: q.number, Previous: q.previous(k.Path())}
		if q.Cursor != "" {
			v.First = q.address(k.Path(), "", nil, 1)
		}
		status := http.StatusOK
		found, err := k.page(r.Context(), c.api, q)
		if err != nil {
			f := form{}
			if !refused(&f, err) {
				c.failed(w, r, k.section, err)
				return
			}
			status, v.Problem = http.StatusBadRequest, f.Problem
		}
		v.Page = found
		if found.Next != "" {
			v.Next = q.next(k.Path(), found.Next)
		}
		c.render(w, r, status, "list", page{Title: k.many, Section: k.section, Data: v})
	}
}
