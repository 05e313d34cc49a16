package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// collect finds the texts at last, when all makers are known.
func (e *errorTexts) collect() {
	for _, f := range e.functions() {
		object := e.info.Defs[f.Name].(*types.Func)
		signature := object.Type().(*types.Signature)
		exported := f.Name.IsExported() && (signature.Recv() == nil || isExported(signature.Recv().Type()))
		parameters, assigned := parametersOf(object), e.assigned(f.Body)
		e.body = f.Body
		for _, m := range e.made(f.Body, parameters) {
			if m.hasParameter() && len(e.makers[object]) > 0 {
				continue // its calls have the texts
			}
			m.template = m.named(parameters)
			// What a function that was returned says, its caller wraps, unless it is an option.
			inner := isInside(f.Body, m.at) && !strings.HasPrefix(f.Name.Name, "With")
			e.note(m, exported && !inner, assigned)
		}
		if f.Recv != nil && isErrorMethod(f.Name.Name) && isError(signature.Recv().Type()) {
			e.literals(f.Body)
		}
	}
	for _, name := range sortedKeys(e.files) {
		if ast.IsGenerated(e.files[name]) {
			continue
		}
		for _, decl := range e.files[name].Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, value := range v.Values {
					for _, m := range e.made(value, nil) {
						e.note(m, len(v.Names) > i && v.Names[i].IsExported(), nil)
					}
				}
			}
		}
	}
	for _, f := range e.functions() { // which return a rule that their callers put into an error
		if e.asked[e.info.Defs[f.Name].(*types.Func)] {
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok {
					for _, x := range r.Results {
						if isString(e.info.TypeOf(x)) {
							e.part(e.text(x, nil))
						}
					}
				}
				return true
			})
		}
	}
}

// note takes a text down, and what the values in it may be.
func (e *errorTexts) note(m made, exported bool, assigned map[types.Object][]ast.Expr) {
	followed := false
	for _, p := range m.template {
		if p.from != nil {
			followed = e.follow(p.from, assigned, 0) || followed
		}
	}
	if call, ok := m.at.(*ast.CallExpr); ok {
		for _, argument := range call.Args {
			e.follow(argument, assigned, 0)
		}
	}
	text := m.String()
	switch {
	case m.hasConstant():
		e.texts[text] = true
		if exported && !strings.Contains(text, "%w") {
			e.exposed[text] = m.at.Pos()
		}
	case !followed:
		e.unknown[e.fset.Position(m.at.Pos()).String()+": "+text] = true
	}
}

// assigned are the values of the variables of a function.
func (e *errorTexts) assigned(body ast.Node) map[types.Object][]ast.Expr {
	all := map[types.Object][]ast.Expr{}
	ast.Inspect(body, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok {
			return true
		}
		for i, left := range a.Lhs {
			if len(a.Rhs) != len(a.Lhs) {
				i = 0 // a call with several results
			}
			if ident, ok := left.(*ast.Ident); ok {
				object := e.info.Defs[ident]
				if object == nil {
					object = e.info.Uses[ident]
				}
				all[object] = append(all[object], a.Rhs[i])
			}
		}
		return true
	})
	return all
}

// follow takes down what the value of a string may be, and reports whether it found anything: the
// values of a variable, and what a function of the package returns.
func (e *errorTexts) follow(x ast.Expr, assigned map[types.Object][]ast.Expr, depth int) (found bool) {
	if depth > 4 {
		return false
	}
	switch x := ast.Unparen(x).(type) {
	case *ast.CallExpr:
		f := e.callee(x)
		if f != nil && f.Pkg() == e.types {
			e.asked[f] = true
		}
		if f != nil && f.FullName() == "(*strings.Builder).String" {
			e.literals(e.body)
			return true
		}
		// The text of another error or what another side sent is not the package's own.
		return f != nil && (f.Pkg() == e.types || f.Name() == "Error" || f.FullName() == "strings.Join" || strings.Contains(f.FullName(), "internal/redact"))
	case *ast.SelectorExpr:
		for _, value := range e.fields[e.info.Uses[x.Sel]] {
			found = e.part(e.text(value, nil)) || found
			found = e.follow(value, assigned, depth+1) || found
		}
	case *ast.Ident:
		for _, value := range assigned[e.info.Uses[x]] {
			found = e.part(e.text(value, nil)) || found
			found = e.follow(value, assigned, depth+1) || found
		}
	case *ast.BinaryExpr:
		found = e.follow(x.X, assigned, depth+1)
		found = e.follow(x.Y, assigned, depth+1) || found
	}
	return found
}

// part takes down a piece of a text.
func (e *errorTexts) part(t template) bool {
	if !t.hasConstant() || !strings.ContainsFunc(t.String(), isLetter) {
		return false
	}
	e.texts["  part: "+t.String()] = true
	return true
}
