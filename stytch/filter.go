package stytch

import (
	"slices"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
)

// M2MFilter selects M2M clients by conditions, all or any of which must hold. The zero value selects all clients. Neither
// metadata nor status can be searched.
type M2MFilter struct {
	Operator   gen.SearchOperator
	Conditions []M2MCondition
}

// M2MCondition is one condition of a filter; it holds if any of its values matches.
type M2MCondition = gen.M2MSearchOperand

// All selects the clients that meet every condition; without conditions, all clients.
func All(conditions ...M2MCondition) M2MFilter { return M2MFilter{gen.SearchOperatorAND, conditions} }

// Any selects the clients that meet at least one condition. Without conditions the search is refused.
func Any(conditions ...M2MCondition) M2MFilter { return M2MFilter{gen.SearchOperatorOR, conditions} }

// ClientIDIn holds for clients with one of the ids.
func ClientIDIn(ids ...string) M2MCondition {
	return M2MCondition{FilterName: gen.M2MSearchFilterNameClientID, FilterValue: ids}
}

// ClientNameIn holds for clients with one of the names, compared as a whole.
func ClientNameIn(names ...string) M2MCondition {
	return M2MCondition{FilterName: gen.M2MSearchFilterNameClientName, FilterValue: names}
}

// HasScope holds for clients with at least one of the scopes.
func HasScope(scopes ...string) M2MCondition {
	return M2MCondition{FilterName: gen.M2MSearchFilterNameScopes, FilterValue: scopes}
}

func (f M2MFilter) check() error {
	op := operation.SearchM2MClients.ID
	if !f.Operator.Valid() && (f.Operator != "" || len(f.Conditions) > 0) {
		return invalid(op, "Filter.Operator must be AND or OR")
	}
	if f.Operator == gen.SearchOperatorOR && len(f.Conditions) == 0 {
		return invalid(op, "Filter.Conditions must not be empty with OR: Stytch would select all clients, not none")
	}
	for i, condition := range f.Conditions {
		if !condition.FilterName.Valid() {
			return invalid(op, "Filter.Conditions[%d].FilterName must be client_id, client_name or scopes", i)
		}
		if len(condition.FilterValue) == 0 || slices.Contains(condition.FilterValue, "") {
			return invalid(op, "Filter.Conditions[%d].FilterValue must hold values, none of them empty", i)
		}
	}
	return nil
}

// query leaves the filter out if it selects all clients.
func (f M2MFilter) query() gen.M2MSearchQuery {
	if len(f.Conditions) == 0 {
		return gen.M2MSearchQuery{}
	}
	return gen.M2MSearchQuery{Operator: f.Operator, Operands: f.Conditions}
}
