package house

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// errorTexts finds every text that errors of a package may have. A text is a format whose verbs
// stay as they are written; what is not constant stands in braces.
//
// Functions that make errors are found by what they do: they pass one of their parameters on as the
// text, or a part of it, to errors.New, fmt.Errorf, a literal of an error type, or another such
// function. The texts at their calls are then texts of errors, too. A call whose text cannot be
// followed is reported in unknown.
type errorTexts struct {
	*source
	makers  map[*types.Func][]template
	texts   map[string]bool
	unknown map[string]bool
	asked   map[*types.Func]bool // functions whose results are put into errors
	fields  map[types.Object][]ast.Expr
	body    ast.Node             // of the function that is looked at
	exposed map[string]token.Pos // texts without a cause that exported functions return, and of exported variables
}

// template is the text that a maker makes: constants, and parameters where index is not -1.
type template []piece

type piece struct {
	text  string
	index int      // of the parameter, -1 for all others
	from  ast.Expr // what is not constant, to be followed
}

func (s *source) errorTexts() *errorTexts {
	e := &errorTexts{source: s, makers: map[*types.Func][]template{}, texts: map[string]bool{}, unknown: map[string]bool{}, asked: map[*types.Func]bool{}, fields: map[types.Object][]ast.Expr{}, exposed: map[string]token.Pos{}}
	for known := -1; known != len(e.makers); { // makers that call makers
		known = len(e.makers)
		for _, f := range e.functions() {
			e.findMaker(f)
		}
	}
	e.setFields()
	e.collect()
	return e
}

// functions are the declared functions of the package that are written by hand.
func (e *errorTexts) functions() (all []*ast.FuncDecl) {
	for _, name := range sortedKeys(e.files) {
		if ast.IsGenerated(e.files[name]) {
			continue
		}
		for _, decl := range e.files[name].Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
				all = append(all, f)
			}
		}
	}
	return all
}

// findMaker finds out whether f makes errors of its parameters.
func (e *errorTexts) findMaker(f *ast.FuncDecl) {
	object := e.info.Defs[f.Name].(*types.Func)
	parameters := parametersOf(object)
	for _, made := range e.made(f.Body, parameters) {
		if made.hasParameter() && !slices.ContainsFunc(e.makers[object], func(t template) bool { return t.String() == made.String() }) {
			e.makers[object] = append(e.makers[object], made.template)
		}
	}
}

func parametersOf(f *types.Func) (all []*types.Var) {
	for v := range f.Type().(*types.Signature).Params().Variables() {
		all = append(all, v)
	}
	return all
}

// made is a text of an error that is made somewhere.
type made struct {
	template
	at ast.Node
}

// made are all texts of errors that are made inside a node.
func (e *errorTexts) made(node ast.Node, parameters []*types.Var) (all []made) {
	if node == nil {
		return nil
	}
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			for _, t := range e.ofCall(n, parameters) {
				all = append(all, made{t, n})
			}
		case *ast.CompositeLit:
			for _, t := range e.ofLiteral(n, parameters) {
				all = append(all, made{t, n})
			}
		case *ast.AssignStmt:
			if t := e.ofField(n, parameters); t != nil {
				all = append(all, made{t, n})
			}
		}
		return true
	})
	return all
}

// ofCall are the texts that a call makes errors of.
func (e *errorTexts) ofCall(call *ast.CallExpr, parameters []*types.Var) []template {
	f := e.callee(call)
	if f == nil {
		return nil
	}
	switch f.FullName() {
	case "errors.New", "fmt.Errorf":
		return []template{e.text(call.Args[0], parameters)}
	case "google.golang.org/grpc/status.Error", "google.golang.org/grpc/status.Errorf":
		return []template{e.text(call.Args[1], parameters)}
	}
	var all []template
	for _, t := range e.makers[f.Origin()] {
		var filled template
		for _, p := range t {
			switch {
			case p.index < 0:
				filled = append(filled, p)
			case p.index < len(call.Args):
				filled = append(filled, e.text(call.Args[p.index], parameters)...)
			}
		}
		all = append(all, filled)
	}
	return all
}

// ofLiteral are the texts in a literal of an error type: its strings that are constant in part, and
// the whole of a field that is called as textFields say. Ids and other values that errors carry
// along are no texts.
func (e *errorTexts) ofLiteral(literal *ast.CompositeLit, parameters []*types.Var) (all []template) {
	t := e.info.TypeOf(literal)
	if t == nil || !isError(t) && !isError(types.NewPointer(t)) {
		return nil
	}
	prefix := e.prefixOf(t)
	if pointer, ok := t.Underlying().(*types.Pointer); ok { // in a slice of pointers
		t = pointer.Elem()
	}
	structure, _ := t.Underlying().(*types.Struct)
	for i, element := range literal.Elts {
		value, name := element, ""
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			value = pair.Value
			name = types.ExprString(pair.Key)
		} else if structure != nil {
			name = structure.Field(i).Name()
		}
		if basic, ok := e.info.TypeOf(value).Underlying().(*types.Basic); !ok || basic.Info()&types.IsString == 0 {
			continue
		}
		if text := e.text(value, parameters); text.hasConstant() || slices.Contains(textFields, strings.ToLower(name)) {
			all = append(all, append(slices.Clone(prefix), text...))
		}
	}
	return all
}

// prefixOf is the name of the package, if the method Error of a type puts it before the text.
func (e *errorTexts) prefixOf(t types.Type) (prefix template) {
	name := path.Base(e.ImportPath) + ": "
	for _, f := range e.functions() {
		if f.Name.Name != "Error" || f.Recv == nil {
			continue
		}
		receiver := e.info.TypeOf(f.Recv.List[0].Type)
		if !types.Identical(receiver, t) && !types.Identical(receiver, types.NewPointer(t)) {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING && strings.HasPrefix(constant.StringVal(e.info.Types[literal].Value), name) {
				prefix = template{{name, -1, nil}}
			}
			return true
		})
	}
	return prefix
}

// ofField is the text that is assigned to a field of an error, nil if the statement is another.
func (e *errorTexts) ofField(a *ast.AssignStmt, parameters []*types.Var) template {
	field, ok := a.Lhs[0].(*ast.SelectorExpr)
	if !ok || len(a.Rhs) != 1 || !slices.Contains(textFields, strings.ToLower(field.Sel.Name)) || !isError(e.info.TypeOf(field.X)) {
		return nil
	}
	return e.text(a.Rhs[0], parameters)
}

// textFields are fields of error types that hold a text, in lower case.
var textFields = []string{"text", "message", "rule", "reason", "what", "description"}

// setFields finds the values that literals in the package give to the fields of structs.
func (e *errorTexts) setFields() {
	for _, file := range e.files {
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			t := e.info.TypeOf(literal).Underlying()
			if pointer, ok := t.(*types.Pointer); ok {
				t = pointer.Elem().Underlying()
			}
			structure, ok := t.(*types.Struct)
			if !ok {
				return true
			}
			for i, element := range literal.Elts {
				if pair, ok := element.(*ast.KeyValueExpr); ok {
					object := e.info.Uses[pair.Key.(*ast.Ident)]
					e.fields[object] = append(e.fields[object], pair.Value)
				} else {
					e.fields[structure.Field(i)] = append(e.fields[structure.Field(i)], element)
				}
			}
			return true
		})
	}
}

// text is the text of an expression.
func (e *errorTexts) text(x ast.Expr, parameters []*types.Var) template {
	if value := e.info.Types[x].Value; value != nil && value.Kind() == constant.String {
		return template{{constant.StringVal(value), -1, nil}}
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return e.text(x.X, parameters)
	case *ast.BinaryExpr:
		return append(e.text(x.X, parameters), e.text(x.Y, parameters)...)
	case *ast.CallExpr:
		if f := e.callee(x); f != nil && (f.FullName() == "fmt.Sprintf" || f.Pkg() != nil && f.Pkg().Path() == "strings" && strings.HasPrefix(f.Name(), "Trim")) {
			return e.text(x.Args[0], parameters)
		}
	case *ast.Ident:
		if i := slices.Index(parameters, asVar(e.info.Uses[x])); i >= 0 {
			return template{{"", i, x}}
		}
	}
	return template{{"{" + types.ExprString(x) + "}", -1, x}}
}

func (e *errorTexts) callee(call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	var ident *ast.Ident
	switch fun := fun.(type) {
	case *ast.Ident:
		ident = fun
	case *ast.SelectorExpr:
		ident = fun.Sel
	default:
		return nil
	}
	f, _ := e.info.Uses[ident].(*types.Func)
	return f
}

// literals are the pieces that a method of an error type puts its text together from.
func (e *errorTexts) literals(body ast.Node) {
	ast.Inspect(body, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			e.part(e.text(literal, nil))
		}
		return true
	})
}

// isErrorMethod are the methods whose results are parts of what an error says.
func isErrorMethod(name string) bool { return name == "Error" || name == "Advice" }

func (t template) hasParameter() bool {
	return slices.ContainsFunc(t, func(p piece) bool { return p.index >= 0 })
}

func (t template) hasConstant() bool {
	return slices.ContainsFunc(t, func(p piece) bool { return p.index < 0 && p.from == nil })
}

// named is t with the names of parameters, for functions that are no makers.
func (t template) named(parameters []*types.Var) (out template) {
	for _, p := range t {
		if p.index >= 0 {
			p = piece{"{" + parameters[p.index].Name() + "}", -1, p.from}
		}
		out = append(out, p)
	}
	return out
}

func (t template) String() string {
	var b strings.Builder
	for _, p := range t {
		if p.index >= 0 {
			fmt.Fprintf(&b, "{%d}", p.index)
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

func isError(t types.Type) bool { return types.Implements(t, errorType) }

func isString(t types.Type) bool {
	basic, ok := t.(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

// isExported reports whether others can call the methods of a type.
func isExported(t types.Type) bool {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Exported()
}

// isInside reports whether a node is in a function literal of a body.
func isInside(body ast.Node, node ast.Node) (inside bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncLit); ok && f.Pos() <= node.Pos() && node.End() <= f.End() {
			inside = true
		}
		return !inside
	})
	return inside
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

func asVar(o types.Object) *types.Var {
	v, _ := o.(*types.Var)
	if v == nil {
		return new(types.Var)
	}
	return v
}
