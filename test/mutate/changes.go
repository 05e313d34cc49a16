package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
)

// change is a file in which one condition of a case is another one.
type change struct {
	path     string
	source   []byte
	position token.Position
	what     string
}

// opposite is what stands for an operator in its place.
var opposite = map[token.Token]token.Token{
	token.LAND: token.LOR, token.LOR: token.LAND, token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.GEQ, token.GEQ: token.LSS, token.GTR: token.LEQ, token.LEQ: token.GTR,
}

// changes lists all changes of a file: each operator in the condition of a case gets its opposite,
// and each operand that is no comparison is negated.
func changes(path string, source []byte) (all []change, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	replace := func(from, to token.Pos, text, what string) {
		start, end := files.Position(from), files.Position(to)
		all = append(all, change{
			path: path, source: slices.Concat(source[:start.Offset], []byte(text), source[end.Offset:]),
			position: start, what: what,
		})
	}
	var visit func(ast.Expr)
	visit = func(e ast.Expr) {
		switch x := e.(type) {
		case *ast.ParenExpr:
			visit(x.X)
		case *ast.UnaryExpr:
			if x.Op == token.NOT {
				replace(x.Pos(), x.X.Pos(), "", "without !")
			}
		case *ast.BinaryExpr:
			other, ok := opposite[x.Op]
			if !ok {
				return
			}
			replace(x.OpPos, x.OpPos+token.Pos(len(x.Op.String())), other.String(), fmt.Sprintf("%s instead of %s", other, x.Op))
			if x.Op == token.LAND || x.Op == token.LOR {
				visit(x.X)
				visit(x.Y)
			}
		default:
			replace(x.Pos(), x.Pos(), "!", "with !")
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SwitchStmt); ok && s.Tag == nil {
			for _, clause := range s.Body.List {
				for _, condition := range clause.(*ast.CaseClause).List {
					visit(condition)
				}
			}
		}
		return true
	})
	return all, nil
}
