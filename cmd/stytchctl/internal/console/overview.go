package console

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/stytch"
)

type overviewPage struct {
	Storage       string
	Clients, Apps int // -1 where the project does not count them
	Bill          []billed
	Total, Others int // tokens; clients that are not listed
	Requests      int64
	Last          []admin.LoggedRequest // newest first
	Environment   []variable
	Languages     []language
	TLS           bool
}

// billed is how many tokens one client has got.
type billed struct {
	ClientID, Link string
	Tokens         int
}

const (
	billLength = 8
	lastLength = 5
)

func (c *Console) overview(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	p := overviewPage{Storage: c.config.Storage, TLS: isTLS(c.config.Address), Languages: languages(c.config.CAFile, isTLS(c.config.Address))}
	clients, err := c.api.M2M.SearchPage(ctx, stytch.M2MSearch{Limit: 1})
	if err == nil {
		p.Clients = clients.Total
		var apps *stytch.Page[stytch.ConnectedApp]
		if apps, err = c.api.ConnectedApps.SearchPage(ctx, stytch.ConnectedAppSearch{Limit: 1}); err == nil {
			p.Apps = apps.Total
		}
	}
	var bill admin.Bill
	if err == nil {
		bill, err = get[admin.Bill](ctx, c.admin, "/bill")
	}
	var log admin.Requests
	if err == nil {
		log, err = get[admin.Requests](ctx, c.admin, "/requests?limit="+strconv.Itoa(lastLength))
	}
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	p.Total = bill.Total
	ids := slices.SortedFunc(maps.Keys(bill.Tokens), func(a, b string) int {
		return cmp.Or(cmp.Compare(bill.Tokens[b], bill.Tokens[a]), cmp.Compare(a, b))
	})
	for i, id := range ids {
		if i == billLength {
			p.Others = len(ids) - billLength
			break
		}
		p.Bill = append(p.Bill, billed{id, m2mClients.Link(id), bill.Tokens[id]})
	}
	p.Requests = log.Last
	p.Last = log.Requests
	slices.Reverse(p.Last)
	p.Environment = c.environment()
	c.render(w, r, http.StatusOK, "overview", page{Title: "Overview", Section: "overview", Data: p})
}

// showSecret shows the secret of the project once, on the overview.
func (c *Console) showSecret(w http.ResponseWriter, r *http.Request) {
	c.done(w, r, Root, notice{Text: "The lines for your service below have it.", Secret: c.config.ProjectSecret, Meaning: "The secret of the project, shown only now"})
}
