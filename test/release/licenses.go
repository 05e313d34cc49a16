package release

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// Licenses that may occur, by SPDX identifiers. They are those that do occur: another one is a
// decision.
var (
	shippable = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT"}

	// In tests, tools and examples, which no user compiles. CC-BY-4.0 is for the documentation of a
	// module.
	usable = append([]string{"BSL-1.0", "CC-BY-4.0", "MPL-2.0", "Unlicense"}, shippable...)
)

// leastCoverage is how much of a file must be the text of known licenses, in percent. The rest is
// who holds the copyright, and which files are under which license.
const leastCoverage = 80

// identify returns the licenses in a text, of which each must be allowed.
func identify(text []byte, shipped bool) (found []string, err error) {
	coverage := licensecheck.Scan(text)
	for _, match := range coverage.Match {
		found = append(found, match.ID)
	}
	if len(found) == 0 || coverage.Percent < leastCoverage {
		return found, fmt.Errorf("%.0f%% of it is the text of known licenses, want %d%%: read it, and use another module if it is none of %s",
			coverage.Percent, leastCoverage, strings.Join(shippable, ", "))
	}
	allowed := shippable
	if !shipped {
		allowed = usable
	}
	for _, id := range found {
		if !slices.Contains(allowed, id) {
			return found, fmt.Errorf("%s is none of the licenses that are allowed here, %s: use another module", id, strings.Join(allowed, ", "))
		}
	}
	return found, nil
}

// thirdPartyText lists the modules that users compile, and then each text once with the modules
// that it is about.
func thirdPartyText(all []Dependency) string {
	var list, texts strings.Builder
	list.WriteString("What the published modules and stytchctl compile from others, with their licenses.\n\n")
	var order []string
	about := map[string][]string{}
	for _, d := range all {
		if !d.Shipped {
			continue
		}
		fmt.Fprintf(&list, "%s %s: %s\n", d.Path, d.Version, strings.Join(d.Licenses, ", "))
		for _, text := range d.texts {
			if about[text] == nil {
				order = append(order, text)
			}
			about[text] = append(about[text], d.Path+" "+d.Version)
		}
	}
	for _, text := range order {
		fmt.Fprintf(&texts, "\n%s\n\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(about[text], "\n"), text)
	}
	return list.String() + texts.String()
}
