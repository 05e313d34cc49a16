package inventory

import (
	"encoding/json"
	"fmt"
)

// Export is a client or an app on one line: its kind, its id, and what an entry can set.
func (k *Kind) Export(existing Object) ([]byte, error) {
	line := []byte(`{"kind":"` + k.Name + `","client_id":`)
	line = append(line, existing[fieldID]...)
	for _, name := range k.fields {
		value, ok := existing[name]
		if !ok || string(value) == "null" {
			continue
		}
		line = append(line, `,"`+name+`":`...)
		line = append(line, value...)
	}
	line = append(line, '}')
	if !json.Valid(line) {
		return nil, fmt.Errorf("inventory: export: %s %s has a field that is not JSON: read it with stytchctl %s get", k.Noun, existing.Text(fieldID), k.Group)
	}
	return line, nil
}

// Count is a number with its noun: "1 client", "2 clients".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
