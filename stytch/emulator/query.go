package emulator

import (
	"encoding/json"
	"slices"
)

// parseQuery turns a query into a predicate. A nil predicate matches every client.
func parseQuery(raw *json.RawMessage, b Behavior, strict bool) (func(*m2mClient) bool, error) {
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
	if strict {
		in.refuseOthers("operator", "operands")
	}
	if in.err != nil {
		return nil, in.err
	}
	if len(fields) == 0 && b.EmptyQuery == Allow {
		return nil, nil
	}
	known := given && (*operator == "AND" || *operator == "OR")
	if !known && (!given || b.UnknownOperator == Refuse) {
		return nil, because("bad_request", "The operator of the query must be AND or OR.")
	}
	var conditions []func(*m2mClient) bool
	for _, operand := range orZero(operands) {
		condition, err := parseOperand(operand, strict)
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
	case *operator != "OR":
		return func(c *m2mClient) bool {
			return !slices.ContainsFunc(conditions, func(holds func(*m2mClient) bool) bool { return !holds(c) })
		}, nil
	}
	return func(c *m2mClient) bool {
		return slices.ContainsFunc(conditions, func(holds func(*m2mClient) bool) bool { return holds(c) })
	}, nil
}

func parseOperand(raw json.RawMessage, strict bool) (func(*m2mClient) bool, error) {
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
	if strict {
		in.refuseOthers("filter_name", "filter_value")
	}
	return condition(name, values), in.err
}

// condition returns a predicate that holds if one of the values is equal. Without values it never
// holds (assumed).
func condition(name string, values []string) func(*m2mClient) bool {
	if len(values) == 1 && name == "scopes" { // the common case on large projects
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
