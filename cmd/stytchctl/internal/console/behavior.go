package console

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

type behaviorPage struct {
	Fields  []behaviorField
	Form    form
	Changed int
}

type behaviorField struct {
	admin.BehaviorField
	Current string
	Changed bool
}

func (c *Console) behavior(w http.ResponseWriter, r *http.Request) {
	found, err := get[admin.BehaviorList](r.Context(), c.admin, "/behavior")
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	c.renderBehavior(w, r, http.StatusOK, found, form{})
}

func (c *Console) renderBehavior(w http.ResponseWriter, r *http.Request, status int, found admin.BehaviorList, f form) {
	p := behaviorPage{Form: f}
	for _, one := range found.Fields {
		field := behaviorField{BehaviorField: one, Current: plain(one.Value)}
		field.Changed = field.Current != one.Default
		if field.Changed {
			p.Changed++
		}
		if f.Failed() {
			field.Current = f.Value(one.Name)
		}
		p.Fields = append(p.Fields, field)
	}
	c.render(w, r, status, "behavior", page{Title: "Behavior", Section: "behavior", Data: p})
}

// plain is a value of JSON as a form shows it.
func plain(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// setBehavior sends what differs from the present values, so that a form that was open for long
// changes nothing else.
func (c *Console) setBehavior(w http.ResponseWriter, r *http.Request) {
	f, ok := c.posted(w, r)
	if !ok {
		return
	}
	found, err := get[admin.BehaviorList](r.Context(), c.admin, "/behavior")
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	change := map[string]any{}
	for _, field := range found.Fields {
		switch entered := strings.TrimSpace(f.Value(field.Name)); {
		case f.Value("defaults") != "":
			change[field.Name] = nil
		case !f.Values.Has(field.Name), entered == plain(field.Value):
		case entered == "":
			change[field.Name] = nil
		default:
			change[field.Name] = typed(entered, field.Type)
		}
	}
	if len(change) > 0 {
		err = c.admin.do(r.Context(), http.MethodPatch, "/behavior", change, nil)
	}
	if text, ok := refusal(err); ok {
		name := ""
		for key := range change {
			if strings.Contains(text, key) && len(key) > len(name) {
				name = key
			}
		}
		f.fail(name, text)
		c.renderBehavior(w, r, http.StatusUnprocessableEntity, found, f)
		return
	}
	if err != nil {
		c.failed(w, r, "behavior", err)
		return
	}
	c.done(w, r, Root+"behavior", notice{Text: "Changed: " + plural(len(change), "switch", "switches") + ". The next request meets the new behavior."})
}

// typed is an entered text with the type of its switch. What is no such value stays a text, for the
// admin API to refuse.
func typed(entered, kind string) any {
	switch kind {
	case "boolean":
		if on, err := strconv.ParseBool(entered); err == nil {
			return on
		}
	case "integer":
		if n, err := strconv.Atoi(entered); err == nil {
			return n
		}
	}
	return entered
}
