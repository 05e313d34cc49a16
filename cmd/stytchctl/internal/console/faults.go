package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

type faultsPage struct {
	Operations []faultForm
	Kinds      []faultKind
}

func (c *Console) faults(w http.ResponseWriter, r *http.Request) {
	c.renderFaults(w, r, http.StatusOK, r.URL.Query().Get("operation"), newForm("kind", "drop_response", "times", "1"))
}

// renderFaults shows the form of one operation open.
func (c *Console) renderFaults(w http.ResponseWriter, r *http.Request, status int, open string, f form) {
	known, err := get[admin.Operations](r.Context(), c.admin, "/operations")
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	kinds := sortedKinds(known.FaultKinds)
	p := faultsPage{Kinds: kinds}
	slices.SortStableFunc(known.Operations, compareOperations)
	for i, o := range append(known.Operations, admin.Operation{}) {
		one := faultForm{ID: o.ID, Prefix: "f" + strconv.Itoa(i), Safety: o.Safety, Kinds: kinds, Form: newForm("kind", "drop_response", "times", "1")}
		if o.ID == open && (open != "" || f.Failed()) {
			one.Open, one.Form = true, f
		}
		p.Operations = append(p.Operations, one)
	}
	c.render(w, r, status, "faults", page{Title: "Faults", Section: "faults", Data: p})
}

// compareOperations puts those first for which a lost response matters most: those that show a
// secret once, and of these the start of a rotation.
func compareOperations(a, b admin.Operation) int {
	return cmp.Or(
		rank(a.Safety, "shown-once", "billed", "idempotent", "read")-rank(b.Safety, "shown-once", "billed", "idempotent", "read"),
		strings.Count(a.ID, "ConnectedApp")-strings.Count(b.ID, "ConnectedApp"),
		rank(a.ID, "StartM2MClientSecretRotation", "StartConnectedAppSecretRotation")-rank(b.ID, "StartM2MClientSecretRotation", "StartConnectedAppSecretRotation"),
		strings.Compare(a.ID, b.ID),
	)
}

// rank is the place of a text in a list, and behind it for one that is not there.
func rank(text string, order ...string) int {
	if at := slices.Index(order, text); at >= 0 {
		return at
	}
	return len(order)
}

func sortedKinds(known []admin.FaultKind) (all []faultKind) {
	for _, k := range known {
		all = append(all, faultKind{k.Name, kindTitle(k.Name), k.Description, strings.Join(append(k.Needs, k.Takes...), " ")})
	}
	order := make([]string, len(kindTitles))
	for i, k := range kindTitles {
		order[i] = k.kind
	}
	slices.SortStableFunc(all, func(a, b faultKind) int { return rank(a.Kind, order...) - rank(b.Kind, order...) })
	return all
}

func (c *Console) addFault(w http.ResponseWriter, r *http.Request) {
	f, ok := c.posted(w, r)
	if !ok {
		return
	}
	fault := map[string]any{}
	for _, name := range []string{"operation", "kind", "error_type", "latency", "retry_after"} {
		if value := strings.TrimSpace(f.Value(name)); value != "" {
			fault[name] = value
		}
	}
	for _, name := range []string{"status", "times", "after", "each"} {
		value := strings.TrimSpace(f.Value(name))
		if value == "" {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			f.fail(name, "Enter a whole number.")
			continue
		}
		fault[name] = n
	}
	if f.Is("after_effect", "true") {
		fault["after_effect"] = true
	}
	if !f.Failed() {
		err := c.admin.do(r.Context(), http.MethodPost, "/faults", fault, nil)
		if text, ok := refusal(err); ok {
			f.fail(namedField(text, fault), text)
		} else if err != nil {
			c.failed(w, r, "faults", err)
			return
		}
	}
	if f.Failed() {
		c.renderFaults(w, r, http.StatusUnprocessableEntity, f.Value("operation"), f)
		return
	}
	c.done(w, r, Root+"faults", notice{Text: "The fault is active. It strikes the next matching request."})
}

// namedField is the field that the text of an error names; "" if it names none.
func namedField(text string, fields map[string]any) string {
	for _, name := range []string{"error_type", "retry_after", "latency", "status", "times", "each", "after"} {
		if _, sent := fields[name]; (sent || name == "status" || name == "latency" || name == "error_type") && strings.Contains(text, name) {
			return name
		}
	}
	return ""
}

func (c *Console) removeFault(w http.ResponseWriter, r *http.Request) {
	path, text := "/faults", "All faults were removed."
	if id := r.PostFormValue("id"); id != "" {
		path, text = "/faults/"+url.PathEscape(id), "The fault was removed."
	}
	if err := c.admin.do(r.Context(), http.MethodDelete, path, nil, nil); err != nil {
		c.failed(w, r, "faults", err)
		return
	}
	c.done(w, r, Root+"faults", notice{Text: text})
}
