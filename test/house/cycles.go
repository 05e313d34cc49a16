package house

import (
	"go/ast"
	"maps"
	"slices"
)

// references are which identifiers of other files each file of a package uses. Generated files are
// left out.
type references map[string]map[string][]string

func (s *source) references() references {
	r := references{}
	for name, file := range s.files {
		if !ast.IsGenerated(file) {
			r[name] = map[string][]string{}
		}
	}
	for ident, object := range s.info.Uses {
		if object.Pkg() != s.types || !object.Pos().IsValid() {
			continue
		}
		from, to := s.fileOf(ident.Pos()), s.fileOf(object.Pos())
		if from != to && r[from] != nil && r[to] != nil && !slices.Contains(r[from][to], object.Name()) {
			r[from][to] = append(r[from][to], object.Name())
		}
	}
	for _, uses := range r {
		for _, names := range uses {
			slices.Sort(names)
		}
	}
	return r
}

// cycles are the groups of more than one file in which each file refers to each other one, over
// others if not by itself. The largest comes first. It is the algorithm of Tarjan.
func (r references) cycles() (groups [][]string) {
	index, low := map[string]int{}, map[string]int{}
	onStack := map[string]bool{}
	var stack []string
	var visit func(file string)
	visit = func(file string) {
		index[file] = len(index)
		low[file] = index[file]
		stack = append(stack, file)
		onStack[file] = true
		for _, next := range slices.Sorted(maps.Keys(r[file])) {
			if _, seen := index[next]; !seen {
				visit(next)
				low[file] = min(low[file], low[next])
			} else if onStack[next] {
				low[file] = min(low[file], index[next])
			}
		}
		if low[file] != index[file] {
			return
		}
		at := slices.Index(stack, file)
		group := slices.Sorted(slices.Values(stack[at:]))
		stack = stack[:at]
		for _, member := range group {
			onStack[member] = false
		}
		if len(group) > 1 {
			groups = append(groups, group)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(r)) {
		if _, seen := index[file]; !seen {
			visit(file)
		}
	}
	slices.SortStableFunc(groups, func(a, b []string) int { return len(b) - len(a) })
	return groups
}
