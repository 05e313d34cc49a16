package release

import "testing"

func TestCheckBOM(t *testing.T) {
	const good = `{"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"name": "m2m", "version": "v0.1.0"}}, "components": [
		{"name": "example.com/a", "version": "v1.0.0", "purl": "pkg:golang/example.com/a@v1.0.0?type=module"},
		{"name": "example.com/b", "version": "v2.0.0", "purl": "pkg:golang/example.com/b@v2.0.0?type=module"}]}`
	const begin = `{"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"version": "v0.1.0"}}, "components": [`
	for _, tc := range []struct {
		name, bom, problem string
		compiled           []string
	}{
		{"complete", good, "", []string{"example.com/a@v1.0.0"}},
		{"another version is compiled", good, "example.com/a@v1.1.0 is compiled, and is not listed", []string{"example.com/a@v1.1.0"}},
		{"nothing to hold it against", good, "nothing is known", nil},
		{"not JSON", good[:len(good)-1], "unexpected end", []string{"example.com/a@v1.0.0"}},
		{"another format", `{"bomFormat": "SPDX", "specVersion": "2.3"}`, `its format is "SPDX"`, []string{"example.com/a@v1.0.0"}},
		{"another release", `{"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"name": "m2m", "version": "v0.0.9"}}}`, `it is about m2m "v0.0.9", want v0.1.0`, []string{"example.com/a@v1.0.0"}},
		{"no version", begin + `{"name": "example.com/a", "purl": "pkg:golang/example.com/a"}]}`, "is not identified", []string{"example.com/a@v1.0.0"}},
		{"another package URL", begin + `{"name": "example.com/a", "version": "v1.0.0", "purl": "pkg:golang/example.com/c@v1.0.0"}]}`, "is not identified", []string{"example.com/a@v1.0.0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n, err := checkBOM([]byte(tc.bom), "v0.1.0", tc.compiled)
			if tc.problem != "" {
				wantError(t, err, tc.problem)
			} else if n != 2 || err != nil {
				t.Errorf("%d components, %v, want 2", n, err)
			}
		})
	}
}
