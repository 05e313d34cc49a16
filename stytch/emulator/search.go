package emulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/gen/server"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// mayLackBody reports whether a search needs no body.
func mayLackBody(b Behavior) bool { return b.EmptySearchBody == Allow }

// SearchM2MClients lists the clients that match a query.
func (s *service) SearchM2MClients(w http.ResponseWriter, r *http.Request) {
	op := operation{id: "SearchM2MClients", body: server.SearchM2MClientsRequest{}, bodyOptional: mayLackBody}
	s.serve(w, r, op, func(x *exchange) (response, error) {
		in := &input{fields: x.fields, null: Ignore}
		raw, _ := get[json.RawMessage](in, "query")
		match, err := parseQuery(raw, *x.behavior, s.state.strict)
		if err != nil {
			return response{}, err
		}
		found, results, err := search(x, in, &s.state.clients, match, !s.state.noTotals)
		if err != nil {
			return response{}, err
		}
		clients := make([]m2mClientWire, len(found))
		for i, c := range found {
			clients[i] = c.wire(*x.behavior)
		}
		return jsonResponse(200, m2mPageResponse{clients, x.requestID, results, 200}), nil
	})
}

// SearchConnectedApps lists all apps.
func (s *service) SearchConnectedApps(w http.ResponseWriter, r *http.Request) {
	op := operation{id: "SearchConnectedApps", body: server.SearchConnectedAppsRequest{}, bodyOptional: mayLackBody}
	s.serve(w, r, op, func(x *exchange) (response, error) {
		found, results, err := search(x, &input{fields: x.fields, null: Ignore}, &s.state.apps, nil, !s.state.noTotals)
		if err != nil {
			return response{}, err
		}
		apps := make([]connectedAppWire, len(found))
		for i, a := range found {
			apps[i] = a.wire(*x.behavior)
			apps[i].CreationMethod = x.behavior.CreationMethod
		}
		return jsonResponse(200, connectedAppPageResponse{apps, x.requestID, results, 200}), nil
	})
}

// search reads the cursor and the limit, and returns the page that they ask for.
func search[T any](x *exchange, in *input, t *table[T], match func(*T) bool, totals bool) ([]*T, resultsWire, error) {
	cursor, _ := get[string](in, "cursor")
	limit, _ := get[int32](in, "limit")
	if in.err != nil {
		return nil, resultsWire{}, in.err
	}
	size, err := pageSize(limit, *x.behavior)
	if err != nil {
		return nil, resultsWire{}, err
	}
	after, ok := decodeCursor(orZero(cursor))
	if !ok || after > 0 && !t.issued(after) {
		if x.behavior.BadCursor == Refuse {
			return nil, resultsWire{}, because("bad_request", "The cursor is not valid.")
		}
		after = 0
	}
	found := t.page(after, size, match, totals)
	results := resultsWire{Total: found.total}
	if found.more {
		next := encodeCursor(found.last)
		results.NextCursor = &next
	}
	return found.records, results, nil
}

func pageSize(limit *int32, b Behavior) (int, error) {
	switch {
	case limit == nil:
		return defaultLimit, nil
	case *limit < 0 && b.NegativeLimit == Ignore:
		return defaultLimit, nil
	case *limit < 0:
		return 0, because("bad_request", "The limit must not be negative.")
	case *limit == 0 && b.ZeroLimit == Refuse:
		return 0, because("bad_request", "The limit must not be 0.")
	case *limit == 0 && b.ZeroLimit == Ignore:
		return defaultLimit, nil
	case *limit > maxLimit && b.LargeLimit == Refuse:
		return 0, because("bad_request", "The limit must not be over 1000.")
	}
	return min(int(*limit), maxLimit), nil
}

// A cursor is the sequence number of the last record of a page, encoded so that clients treat it as
// opaque.

const cursorPrefix = "after:"

func encodeCursor(seq uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + strconv.FormatUint(seq, 10)))
}

// decodeCursor reads the empty cursor as an absent one, because a sample in the documentation sends
// it.
func decodeCursor(cursor string) (seq uint64, ok bool) {
	if cursor == "" {
		return 0, true
	}
	plain, err := base64.RawURLEncoding.DecodeString(cursor)
	digits, found := strings.CutPrefix(string(plain), cursorPrefix)
	seq, numberErr := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil && found && numberErr == nil && seq > 0
}
