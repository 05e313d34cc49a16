package house

import (
	"go/ast"
	"testing"
)

// transportsElsewhere are the packages that may name a transport of net/http, and why. Every other
// one gets its connections from internal/conns, which notices when they have died without a word.
var transportsElsewhere = map[string]string{
	"internal/conns":    "is built on it",
	"internal/contract": "sends what tests send, over loopback",
	"stytch/token":      "an http.Client or a base of the caller that is nil means the default one",
	"stytch/emulator":   "sends requests to itself, over loopback",
}

func TestTransports(t *testing.T) {
	used := map[string]bool{}
	for _, s := range published(t) {
		for _, file := range s.files {
			ast.Inspect(file, func(node ast.Node) bool {
				name, ok := node.(*ast.Ident)
				if !ok || s.info.Uses[name] == nil || s.info.Uses[name].Pkg() == nil || s.info.Uses[name].Pkg().Path() != "net/http" {
					return true
				}
				use := s.info.Uses[name]
				if use.Parent() != use.Pkg().Scope() { // a field or method of that name
					return true
				}
				switch use.Name() {
				case "Transport", "DefaultTransport", "DefaultClient", "Get", "Head", "Post", "PostForm":
					used[s.path()] = true
					if transportsElsewhere[s.path()] == "" {
						t.Errorf("%s: http.%s: use internal/conns", s.fset.Position(name.Pos()), use.Name())
					}
				}
				return true
			})
			ast.Inspect(file, func(node ast.Node) bool {
				literal, ok := node.(*ast.CompositeLit)
				if ok && len(literal.Elts) == 0 && s.info.Types[literal].Type.String() == "net/http.Client" {
					t.Errorf("%s: http.Client{} uses the default transport: give it one of internal/conns", s.fset.Position(literal.Pos()))
				}
				return true
			})
		}
	}
	for name := range transportsElsewhere {
		if !used[name] {
			t.Errorf("%s is listed in transportsElsewhere and names none", name)
		}
	}
}
