package console

import (
	"embed"
	"html/template"
	"sync"
)

//go:embed templates/*.html
var templateFiles embed.FS

// views are the templates, parsed when the first page is asked for.
type views struct {
	layout func() (*template.Template, error)

	mu    sync.Mutex
	pages map[string]*template.Template
}

func newViews() *views {
	return &views{pages: map[string]*template.Template{}, layout: sync.OnceValues(func() (*template.Template, error) {
		return template.New("layout.html").Funcs(functions).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/referencebody.html")
	})}
}

var functions = template.FuncMap{
	"visible": visible, "cell": cell, "line": line, "whole": whole, "prose": prose, "breakable": breakable, "count": count, "plural": plural,
	"moment": moment, "clockTime": clockTime, "span": span, "milliseconds": milliseconds, "asset": asset, "faultField": faultField, "root": func() string { return Root },
}

// page is the layout with one content.
func (v *views) page(name string) (*template.Template, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if parsed, ok := v.pages[name]; ok {
		return parsed, nil
	}
	layout, err := v.layout()
	if err != nil {
		return nil, err
	}
	parsed, err := layout.Clone()
	if err == nil {
		parsed, err = parsed.ParseFS(templateFiles, "templates/"+name+".html")
	}
	if err != nil {
		return nil, err
	}
	v.pages[name] = parsed
	return parsed, nil
}
