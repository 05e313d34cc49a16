package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A change is one difference between two contracts.
type change struct {
	Change string `json:"change"` // added, removed or changed
	Path   string `json:"path"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
}

// prose is what does not change how the API behaves.
var prose = []string{"description", "summary", "example", "examples", "title", "contact", "license"}

type comparison struct {
	all     bool
	changes []change
}

func (c *comparison) compare(path string, before, after any) {
	old, isMap := before.(map[string]any)
	next, bothMaps := after.(map[string]any)
	if isMap && bothMaps {
		c.objects(path, old, next)
		return
	}
	oldList, isList := before.([]any)
	nextList, bothLists := after.([]any)
	switch {
	case isList && bothLists:
		c.lists(path, oldList, nextList)
	case !reflect.DeepEqual(before, after):
		c.changes = append(c.changes, change{"changed", path, short(before), short(after)})
	}
}

func (c *comparison) objects(path string, old, next map[string]any) {
	names := slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(next)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		// A property of a schema may be called description: then it is a schema, not a text.
		if !c.all && slices.Contains(prose, name) && !strings.HasSuffix(path, " properties") {
			continue
		}
		where := strings.TrimSpace(path + " " + name)
		before, had := old[name]
		after, has := next[name]
		switch {
		case !had:
			c.changes = append(c.changes, change{"added", where, "", short(after)})
		case !has:
			c.changes = append(c.changes, change{"removed", where, short(before), ""})
		default:
			c.compare(where, before, after)
		}
	}
}

// lists compares values regardless of their order, and objects by their place.
func (c *comparison) lists(path string, old, next []any) {
	if slices.ContainsFunc(slices.Concat(old, next), isObject) {
		for i := range max(len(old), len(next)) {
			where := fmt.Sprintf("%s [%d]", path, i)
			switch {
			case i >= len(old):
				c.changes = append(c.changes, change{"added", where, "", short(next[i])})
			case i >= len(next):
				c.changes = append(c.changes, change{"removed", where, short(old[i]), ""})
			default:
				c.compare(where, old[i], next[i])
			}
		}
		return
	}
	for _, item := range old {
		if !slices.Contains(next, item) {
			c.changes = append(c.changes, change{"removed", path, short(item), ""})
		}
	}
	for _, item := range next {
		if !slices.Contains(old, item) {
			c.changes = append(c.changes, change{"added", path, "", short(item)})
		}
	}
}

// isObject reports whether a value cannot be compared with ==.
func isObject(value any) bool {
	switch value.(type) {
	case map[string]any, []any, map[any]any:
		return true
	}
	return false
}

// short is a value as a cell shows it. Of a value with members, it is their names.
func short(value any) string {
	if object, ok := value.(map[string]any); ok {
		return "{" + strings.Join(slices.Sorted(maps.Keys(object)), ", ") + "}"
	}
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
