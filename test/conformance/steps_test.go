package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/stytch"
)

type model struct {
	t         *testing.T
	rng       *rand.Rand
	tamer     *tamer
	suite     *suite
	m2m, apps *family
}

func (m *model) step(i int) {
	f := m.m2m
	if m.rng.IntN(2) == 0 {
		f = m.apps
	}
	if i < 10 || len(f.records) == 0 {
		m.add(f)
		return
	}
	r := f.records[m.rng.IntN(len(f.records))]
	switch n := m.rng.IntN(20); {
	case n < 3:
		m.add(f)
	case n < 8:
		m.change(f, r)
	case n < 11:
		for range 4 {
			m.rotate(f, r)
		}
	case n < 13:
		m.delete(f, r)
	case n < 17:
		m.search(f)
	case f == m.m2m:
		m.token(r)
	}
	if slices.Contains(f.records, r) {
		m.check(f, r)
	}
}

func (m *model) delete(f *family, r *record) {
	if err := f.remove(m.t.Context(), r.id); err != nil {
		m.t.Errorf("delete: %v", err)
	}
	f.records = slices.DeleteFunc(f.records, func(other *record) bool { return other == r })
	if _, err := f.get(m.t.Context(), r.id); !errors.Is(err, stytch.ErrNotFound) {
		m.t.Errorf("get after delete: %v", err)
	}
}

// rotate takes any step of a rotation, allowed or not.
func (m *model) rotate(f *family, r *record) {
	var want, err error
	step := m.rng.IntN(3)
	if r.next == "" && m.rng.IntN(2) == 0 {
		step = 0
	}
	switch {
	case r.current == "":
		want = stytch.ErrNoSecret
	case step == 0 && r.next != "":
		want = stytch.ErrRotating
	case step > 0 && r.next == "":
		want = stytch.ErrNotRotating
	}
	switch step {
	case 0:
		next, failed := f.secrets.Start(m.t.Context(), r.id)
		if err = failed; err == nil {
			r.next = next.Reveal()
		}
	case 1:
		if err = f.secrets.Complete(m.t.Context(), r.id); err == nil {
			r.current, r.next = r.next, ""
		}
	case 2:
		if err = f.secrets.Cancel(m.t.Context(), r.id); err == nil {
			r.next = ""
		}
	}
	if !errors.Is(err, want) || want == nil && err != nil {
		m.t.Errorf("step %d of a rotation: %v, want %v", step, err, want)
	}
}

// token asks with either secret, and with random parameters for a template.
func (m *model) token(r *record) {
	params := m.random("IssueM2MTokenRequest", contract.FillSome, func(p map[string]any) { p["client_id"], p["client_secret"] = r.id, r.current })
	if r.next != "" && m.rng.IntN(2) == 0 {
		params["client_secret"] = r.next
	}
	var held, asked []string
	for _, scope := range r.fields["scopes"].([]any) {
		held = append(held, scope.(string))
		if m.rng.IntN(2) == 0 {
			asked = append(asked, scope.(string))
		}
	}
	params["scope"] = strings.Join(asked, " ")
	if len(asked) == 0 {
		asked = held
	}
	contentType, body := "application/json", encoded(params)
	if m.rng.IntN(2) == 0 {
		values := url.Values{}
		for name, value := range params {
			values.Set(name, value.(string))
		}
		contentType, body = form, []byte(values.Encode())
	}
	issued, err := m.suite.issue(m.t.Context(), contentType, string(body))
	switch active := r.fields["status"] == "active"; {
	case active && err == nil:
		m.suite.checkToken(test{m.t}, issued, r.id, strings.Join(asked, " "))
	case active || !refused(err):
		m.t.Errorf("a token for an active client (%t): %v", active, err)
	}
}

// search walks over all pages of a random query, and compares with the model. The order is that of
// creation, as assumed.
func (m *model) search(f *family) {
	name, list := "SearchM2MClientsRequest", "m2m_clients"
	if f == m.apps {
		name, list = "SearchConnectedAppsRequest", "connected_apps"
	}
	request := m.random(name, contract.FillSome, func(r map[string]any) { delete(r, "cursor"); m.aim(r) })
	var want, found []string
	for _, r := range f.records {
		if matches(r, request) {
			want = append(want, r.id)
		}
	}
	for range len(f.records) + 1 {
		page := m.page(f, request)
		if limit := fmt.Sprint(request["limit"]); limit == "1" && len(page[list].([]any)) > 1 {
			m.t.Error("a page is larger than its limit of 1")
		}
		for _, item := range page[list].([]any) {
			found = append(found, item.(map[string]any)["client_id"].(string))
		}
		results := page["results_metadata"].(map[string]any)
		if results["total"] != json.Number(fmt.Sprint(len(want))) {
			m.t.Errorf("the total is %v, want %d", results["total"], len(want))
		}
		if request["cursor"] = results["next_cursor"]; request["cursor"] == nil {
			break
		}
	}
	if !slices.Equal(found, want) {
		m.t.Errorf("found %v, want %v", found, want)
	}
}

func (m *model) page(f *family, request map[string]any) map[string]any {
	m.t.Helper()
	var data []byte
	var err error
	if body := bytes.NewReader(encoded(request)); f == m.m2m {
		result, failed := m.suite.raw.SearchM2MClientsWithBodyWithResponse(m.t.Context(), "application/json", body)
		if err = failed; err == nil {
			data = result.Body
		}
	} else {
		result, failed := m.suite.raw.SearchConnectedAppsWithBodyWithResponse(m.t.Context(), "application/json", body)
		if err = failed; err == nil {
			data = result.Body
		}
	}
	if err != nil {
		m.t.Fatalf("search: %v", err)
	}
	return decoded(m.t, data).(map[string]any)
}

// aim puts values that exist among the random ones of a query.
func (m *model) aim(request map[string]any) {
	query, _ := request["query"].(map[string]any)
	operands, _ := query["operands"].([]any)
	for _, operand := range operands {
		condition := operand.(map[string]any)
		values := condition["filter_value"].([]any)
		for range m.rng.IntN(3) {
			r := m.m2m.records[m.rng.IntN(len(m.m2m.records))]
			switch value := r.fields[condition["filter_name"].(string)].(type) {
			case string:
				values = append(values, value)
			case []any:
				values = append(values, value...)
			}
		}
		condition["filter_value"] = values
	}
}

// matches reads a query as documented.
func matches(r *record, request map[string]any) bool {
	query, _ := request["query"].(map[string]any)
	operands, _ := query["operands"].([]any)
	holds := func(operand any) bool {
		condition := operand.(map[string]any)
		return slices.ContainsFunc(condition["filter_value"].([]any), func(value any) bool {
			field := r.fields[condition["filter_name"].(string)]
			list, isList := field.([]any)
			return field == value || isList && slices.Contains(list, value)
		})
	}
	if query["operator"] == "OR" {
		return len(operands) == 0 || slices.ContainsFunc(operands, holds)
	}
	return !slices.ContainsFunc(operands, func(operand any) bool { return !holds(operand) })
}
