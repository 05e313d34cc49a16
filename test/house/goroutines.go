package house

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
)

// goroutine is a place where a package starts one.
type goroutine struct {
	where string
	runs  ast.Expr // what it calls
}

// goroutines are the places where a package starts a goroutine: the go statement, and the functions
// of sync, context and time that start one.
func (s *source) goroutines() (all []goroutine) {
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				all = append(all, goroutine{fmt.Sprint(s.fset.Position(n.Pos())), n.Call.Fun})
			case *ast.CallExpr:
				if name := s.calls(n); slices.Contains([]string{"(*sync.WaitGroup).Go", "time.AfterFunc", "context.AfterFunc"}, name) {
					all = append(all, goroutine{fmt.Sprint(s.fset.Position(n.Pos())), n.Args[len(n.Args)-1]})
				}
			}
			return true
		})
	}
	return all
}

// calls is the full name of the function that a call names, and empty for a function value.
func (s *source) calls(call *ast.CallExpr) string {
	if f, ok := s.object(call.Fun).(*types.Func); ok {
		return f.FullName()
	}
	return ""
}

func (s *source) object(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return s.info.Uses[e]
	case *ast.SelectorExpr:
		return s.info.Uses[e.Sel]
	case *ast.IndexExpr: // an instance of a generic function
		return s.object(e.X)
	}
	return nil
}

// walk looks at what a goroutine calls, through the functions of its package.
type walk struct {
	*source
	seen    map[ast.Node]bool
	guarded bool     // it passes through package guard
	dynamic []string // calls of function values and interfaces
}

func (w *walk) expression(e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		w.body(e)
	default:
		w.value(w.object(e), e)
	}
}

// value follows a function to its body, a variable to what is assigned to it, and a parameter to
// what is passed for it.
func (w *walk) value(object types.Object, at ast.Expr) {
	switch object := object.(type) {
	case *types.Func:
		receiver := object.Signature().Recv()
		switch {
		case receiver != nil && types.IsInterface(receiver.Type()):
			w.dynamic = append(w.dynamic, object.Name())
		case object.Pkg() != nil && object.Pkg().Name() == "guard":
			w.guarded = true
		case object.Pkg() == w.types:
			w.body(w.declaration(object))
		}
	case *types.Var:
		if object.Type().String() == "context.CancelFunc" {
			return
		}
		if sources := w.assigned(object); len(sources) > 0 {
			for _, e := range sources {
				w.expression(e)
			}
			return
		}
		w.dynamic = append(w.dynamic, types.ExprString(at))
	}
}

func (w *walk) body(n ast.Node) {
	if n == nil || w.seen[n] {
		return
	}
	w.seen[n] = true
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && !w.conversion(call) {
			w.expression(call.Fun)
		}
		return true
	})
}

func (w *walk) conversion(call *ast.CallExpr) bool { return w.info.Types[call.Fun].IsType() }

func (s *source) declaration(f *types.Func) ast.Node {
	for _, file := range s.files {
		for _, d := range file.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil && s.info.Defs[d.Name] == f.Origin() {
				return d.Body
			}
		}
	}
	return nil
}

// assigned are the functions that a local variable or a parameter may hold.
func (s *source) assigned(v *types.Var) (values []ast.Expr) {
	if v.IsField() || v.Pkg() != s.types {
		return nil
	}
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					ident, ok := left.(*ast.Ident)
					if ok && len(n.Lhs) == len(n.Rhs) && (s.info.Defs[ident] == v || s.info.Uses[ident] == v) {
						values = append(values, n.Rhs[i])
					}
				}
			case *ast.CallExpr:
				f, ok := s.object(n.Fun).(*types.Func)
				if !ok || f.Pkg() != s.types || f.Exported() {
					return true
				}
				for i := range f.Origin().Signature().Params().Len() {
					if f.Origin().Signature().Params().At(i) == v && i < len(n.Args) {
						values = append(values, n.Args[i])
					}
				}
			}
			return true
		})
	}
	return values
}
