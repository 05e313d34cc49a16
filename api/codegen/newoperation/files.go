package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// write returns the files that change, by their path in the repository.
func write(root string, op *operation) (map[string][]byte, error) {
	files := map[string][]byte{}
	contract, err := os.ReadFile(filepath.Join(root, "api", "openapi.yaml"))
	if err != nil {
		return nil, err
	}
	text, err := intoContract(string(contract), fill(pathTemplate, op), fill(schemaTemplate, op))
	if err != nil {
		return nil, err
	}
	files["api/openapi.yaml"] = []byte(text)
	for path, t := range map[string]*template.Template{
		"stytch/emulator/" + op.File + ".go":  emulatorTemplate,
		"stytch/" + op.File + ".go":           wrapperTemplate,
		"test/conformance/" + op.File + ".go": suiteTemplate,
	} {
		if _, err := os.Stat(filepath.Join(root, path)); err == nil {
			return nil, fmt.Errorf("%s exists: choose another NAME, or remove it", path)
		}
		if files[path], err = format.Source([]byte(fill(t, op))); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	life := map[string]string{"M2M": "lifeOfM2MClient", "ConnectedApps": "lifeOfConnectedApp"}[op.Service]
	for _, change := range []struct {
		path, text string
		find       func(*ast.File) token.Pos
	}{
		{"api/operations_test.go", fmt.Sprintf("%q: %q,\n", op.Name, op.Safety), endOfValue("safetyClasses")},
		{"stytch/endpoints_test.go", fill(endpointTemplate, op), endOfValue("endpoints")},
		{"stytch/lifecycle_test.go", fill(lifeTemplate, op), beforeDelete(life)},
		{"test/conformance/run.go", fmt.Sprintf("t.Run(%q, s.%s)\n", op.Name, lowerFirst(op.Name)), beforeLast("runSuite")},
	} {
		if files[change.path], err = insertIntoGo(root, change.path, change.text, change.find); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// intoContract puts a path behind the last one, and schemas behind the last one.
func intoContract(text, path, schemas string) (string, error) {
	for _, part := range []struct{ section, text string }{{"paths:", path}, {"components:", schemas}} {
		lines := strings.SplitAfter(text, "\n")
		at, inside := -1, false
		for i, line := range lines {
			switch {
			case strings.TrimRight(line, "\n") == part.section:
				inside = true
			case inside && line != "\n" && !strings.HasPrefix(line, " "):
				at, inside = i, false // the next section, or a comment before it
			}
		}
		if at < 0 {
			return "", fmt.Errorf("api/openapi.yaml: nothing follows %s", part.section)
		}
		text = strings.Join(lines[:at], "") + part.text + "\n" + strings.Join(lines[at:], "")
	}
	return text, nil
}

// insertIntoGo puts text into a source file where find says.
func insertIntoGo(root, path, text string, find func(*ast.File) token.Pos) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	pos := find(file)
	if !pos.IsValid() {
		return nil, fmt.Errorf("%s does not have the place for the new operation: correct api/codegen/newoperation", path)
	}
	at := files.Position(pos).Offset
	return format.Source(append(source[:at:at], append([]byte(text), source[at:]...)...))
}

// endOfValue is the closing brace of the value of a package variable.
func endOfValue(name string) func(*ast.File) token.Pos {
	return func(file *ast.File) (pos token.Pos) {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == name && len(spec.Values) == 1 {
				if value, ok := spec.Values[0].(*ast.CompositeLit); ok {
					pos = value.Rbrace
				}
			}
			return true
		})
		return pos
	}
}

func statements(file *ast.File, function string) []ast.Stmt {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == function {
			return f.Body.List
		}
	}
	return nil
}

func beforeLast(function string) func(*ast.File) token.Pos {
	return func(file *ast.File) token.Pos {
		list := statements(file, function)
		if len(list) == 0 {
			return token.NoPos
		}
		return list[len(list)-1].Pos()
	}
}

// beforeDelete is the statement of a function that removes the client.
func beforeDelete(function string) func(*ast.File) token.Pos {
	return func(file *ast.File) token.Pos {
		for _, s := range statements(file, function) {
			found := false
			ast.Inspect(s, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Delete" {
					found = true
				}
				return true
			})
			if found {
				return s.Pos()
			}
		}
		return token.NoPos
	}
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func fill(t *template.Template, op *operation) string {
	var out bytes.Buffer
	if err := t.Execute(&out, op); err != nil {
		panic(err) // a template of this program
	}
	return out.String()
}
