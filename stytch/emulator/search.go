package emulator

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/gen/server"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

func (p *project) SearchM2MClients(ctx context.Context, _ server.SearchM2MClientsRequestObject) (server.SearchM2MClientsResponseObject, error) {
	in := callOf(ctx).input(Ignore)
	raw, _ := get[json.RawMessage](in, "query")
	match, err := p.parseQuery(raw)
	if err != nil {
		return nil, err
	}
	found, results, err := search(p, in, &p.clients, match)
	if err != nil {
		return nil, err
	}
	clients := make([]m2mClientWire, len(found))
	for i, c := range found {
		clients[i] = c.wire(p.behavior)
	}
	return jsonAnswer(200, m2mPageAnswer{clients, callOf(ctx).requestID, results, 200}), nil
}

func (p *project) SearchConnectedApps(ctx context.Context, _ server.SearchConnectedAppsRequestObject) (server.SearchConnectedAppsResponseObject, error) {
	found, results, err := search(p, callOf(ctx).input(Ignore), &p.apps, nil)
	if err != nil {
		return nil, err
	}
	apps := make([]connectedAppWire, len(found))
	for i, a := range found {
		apps[i] = a.wire(p.behavior)
		apps[i].CreationMethod = p.behavior.CreationMethod
	}
	return jsonAnswer(200, connectedAppPageAnswer{apps, callOf(ctx).requestID, results, 200}), nil
}

// search reads the cursor and the limit and answers the page that they ask for.
func search[T any](p *project, in *input, t *table[T], match func(*T) bool) ([]*T, resultsWire, error) {
	cursor, _ := get[string](in, "cursor")
	limit, _ := get[int32](in, "limit")
	if in.err != nil {
		return nil, resultsWire{}, in.err
	}
	size, err := p.pageSize(limit)
	if err != nil {
		return nil, resultsWire{}, err
	}
	after, ok := readCursor(orZero(cursor))
	if !ok || after > 0 && !t.knows(after) {
		if p.behavior.BadCursor == Refuse {
			return nil, resultsWire{}, because("bad_request", "The cursor is not valid.")
		}
		after = 0
	}
	found := t.page(after, size, match, !p.noTotals)
	results := resultsWire{Total: found.total}
	if found.more {
		next := writeCursor(found.last)
		results.NextCursor = &next
	}
	return found.records, results, nil
}

func (p *project) pageSize(limit *int32) (int, error) {
	switch {
	case limit == nil:
		return defaultLimit, nil
	case *limit < 0:
		return 0, because("bad_request", "The limit must not be negative.")
	case *limit == 0 && p.behavior.ZeroLimit == Refuse:
		return 0, because("bad_request", "The limit must not be 0.")
	case *limit == 0 && p.behavior.ZeroLimit == Ignore:
		return defaultLimit, nil
	case *limit > maxLimit && p.behavior.LargeLimit == Refuse:
		return 0, because("bad_request", "The limit must not be over 1000.")
	}
	return min(int(*limit), maxLimit), nil
}

// A cursor is the seq of the last client of a page, dressed up so that nobody is tempted to read it.

const cursorPrefix = "after:"

func writeCursor(seq uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + strconv.FormatUint(seq, 10)))
}

// readCursor takes the empty cursor for an absent one, as a sample of the documentation sends it.
func readCursor(cursor string) (uint64, bool) {
	if cursor == "" {
		return 0, true
	}
	plain, err := base64.RawURLEncoding.DecodeString(cursor)
	digits, found := strings.CutPrefix(string(plain), cursorPrefix)
	seq, numberErr := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil && found && numberErr == nil && seq > 0
}

// parseQuery turns a query into a predicate, nil for every client.
func (p *project) parseQuery(raw *json.RawMessage) (func(*m2mClient) bool, error) {
	if raw == nil {
		return nil, nil
	}
	fields, ok := parseObject(*raw)
	if !ok {
		return nil, because("bad_request", "The query must be an object.")
	}
	in := &input{fields: fields, null: Ignore}
	operator, given := get[string](in, "operator")
	operands, _ := get[[]json.RawMessage](in, "operands")
	if p.strict {
		in.refuseOthers("operator", "operands")
	}
	if in.err != nil {
		return nil, in.err
	}
	if !given || *operator != "AND" && *operator != "OR" {
		return nil, because("bad_request", "The operator of the query must be AND or OR.")
	}
	var conditions []func(*m2mClient) bool
	for _, operand := range orZero(operands) {
		condition, err := p.parseOperand(operand)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, condition)
	}
	switch {
	case len(conditions) == 0:
		return nil, nil
	case len(conditions) == 1:
		return conditions[0], nil
	case *operator == "AND":
		return func(c *m2mClient) bool {
			return !slices.ContainsFunc(conditions, func(holds func(*m2mClient) bool) bool { return !holds(c) })
		}, nil
	}
	return func(c *m2mClient) bool {
		return slices.ContainsFunc(conditions, func(holds func(*m2mClient) bool) bool { return holds(c) })
	}, nil
}

func (p *project) parseOperand(raw json.RawMessage) (func(*m2mClient) bool, error) {
	fields, ok := parseObject(raw)
	if !ok {
		return nil, because("bad_request", "A search operand must be an object.")
	}
	var name string
	switch raw, ok := fields["filter_name"]; {
	case !ok || isNull(raw):
		return nil, fail("m2m_search_missing_filter_name")
	case json.Unmarshal(raw, &name) != nil:
		return nil, fail("m2m_search_filter_name_must_be_string")
	case name != "client_id" && name != "client_name" && name != "scopes":
		return nil, fail("m2m_search_filter_name_not_recognized")
	}
	if raw, ok := fields["filter_value"]; !ok || isNull(raw) {
		return nil, fail("m2m_search_missing_filter_value")
	}
	in := &input{fields: fields, null: Ignore}
	values, given := in.texts("filter_value")
	if !given {
		return nil, fail("m2m_search_expected_array_of_strings")
	}
	if p.strict {
		in.refuseOthers("filter_name", "filter_value")
	}
	return condition(name, values), in.err
}

// condition holds if one of the values matches, exactly; with no values it never holds (assumed).
func condition(name string, values []string) func(*m2mClient) bool {
	if len(values) == 1 && name == "scopes" { // the common case, and the one that many clients are searched for
		return func(c *m2mClient) bool { return slices.Contains(c.scopes, values[0]) }
	}
	wanted := make(map[string]struct{}, len(values))
	for _, value := range values {
		wanted[value] = struct{}{}
	}
	has := func(text string) bool { _, ok := wanted[text]; return ok }
	switch name {
	case "client_id":
		return func(c *m2mClient) bool { return has(c.id) }
	case "client_name":
		return func(c *m2mClient) bool { return has(c.name) }
	}
	return func(c *m2mClient) bool { return slices.ContainsFunc(c.scopes, has) }
}

// refuseOthers is the strict rule for an object inside the body.
func (in *input) refuseOthers(known ...string) {
	for name := range in.fields {
		if !slices.Contains(known, name) {
			in.refuse(because("bad_request", "The query has a field that is not known."))
		}
	}
}
