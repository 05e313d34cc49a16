package stytch

import (
	"slices"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
)

// M2MFilter selects M2M clients. It is one [M2MCondition], or several combined by [All] or [Any].
// Stytch cannot search metadata or status.
type M2MFilter interface {
	check() error
	query() gen.M2MSearchQuery
}

// M2MCondition is one condition, which a client meets if any of its values matches. Make it with
// [ClientIDIn], [ClientNameIn] or [HasScope].
type M2MCondition struct {
	field  gen.M2MSearchFilterName
	values []string
}

// All selects the clients that meet every condition; without conditions, all clients.
func All(conditions ...M2MCondition) M2MFilter {
	return conditionList{gen.SearchOperatorAND, conditions}
}

// Any selects the clients that meet at least one condition. A search without any conditions is
// refused.
func Any(conditions ...M2MCondition) M2MFilter {
	return conditionList{gen.SearchOperatorOR, conditions}
}

// ClientIDIn selects clients with one of the ids.
func ClientIDIn(ids ...string) M2MCondition {
	return M2MCondition{gen.M2MSearchFilterNameClientID, ids}
}

// ClientNameIn selects clients with one of the names, compared as a whole.
func ClientNameIn(names ...string) M2MCondition {
	return M2MCondition{gen.M2MSearchFilterNameClientName, names}
}

// HasScope selects clients with at least one of the scopes.
func HasScope(scopes ...string) M2MCondition {
	return M2MCondition{gen.M2MSearchFilterNameScopes, scopes}
}

func (c M2MCondition) check() error              { return All(c).check() }
func (c M2MCondition) query() gen.M2MSearchQuery { return All(c).query() }

// conditionList is conditions and the operator between them.
type conditionList struct {
	operator   gen.SearchOperator
	conditions []M2MCondition
}

func (l conditionList) check() error {
	op := operation.SearchM2MClients.ID
	if l.operator == gen.SearchOperatorOR && len(l.conditions) == 0 {
		return invalid(op, "Filter must have conditions with Any: without them Stytch selects all clients, not none")
	}
	for i, condition := range l.conditions {
		if condition.field == "" {
			return invalid(op, "condition %d of Filter is empty: use ClientIDIn, ClientNameIn or HasScope", i)
		}
		if len(condition.values) == 0 || slices.Contains(condition.values, "") {
			return invalid(op, "condition %d of Filter must have values, none of them empty", i)
		}
	}
	return nil
}

// query is empty if the filter selects all clients.
func (l conditionList) query() gen.M2MSearchQuery {
	if len(l.conditions) == 0 {
		return gen.M2MSearchQuery{}
	}
	operands := make([]gen.M2MSearchOperand, len(l.conditions))
	for i, condition := range l.conditions {
		operands[i] = gen.M2MSearchOperand{FilterName: condition.field, FilterValue: condition.values}
	}
	return gen.M2MSearchQuery{Operator: l.operator, Operands: operands}
}
