package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// needsFlock are the packages that use locks and permissions of Unix, and what the page
// says does not work, or works less well, where there are none.
var needsFlock = map[string][]string{
	"stytch/rotate/audit":               {"`rotate/audit`", "`--audit`"},
	"stytch/rotate/deliver":             {"`deliver.File`", "`deliver.Folder`", "`file:`", "`folder:`"},
	"stytch/rotate/filejournal":         {"`rotate/filejournal`", "`--journal`"},
	"cmd/stytchctl/internal/cli":        {"`stytchctl profile add`"},
	"cmd/stytchctl/internal/importer":   {"`import --resume`"},
	"cmd/stytchctl/internal/profile":    {"`stytchctl profile add --store file`"},
	"cmd/stytchctl/internal/tokencache": {"`stytchctl token get --cache`"},
}

// TestPlatformsAreDocumented holds the table of platforms to what imports internal/atomicfile.
func TestPlatformsAreDocumented(t *testing.T) {
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string // those with a difference
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, " | "); len(cells) == 4 && strings.TrimSpace(strings.TrimSuffix(cells[3], " |\n")) != "yes" {
			rows = append(rows, cells[0])
		}
	}
	using := map[string]bool{}
	for _, s := range sources(t) {
		if !slices.Contains(s.Imports, modulePath+"/internal/atomicfile") {
			continue
		}
		using[s.path()] = true
		if needsFlock[s.path()] == nil {
			t.Errorf("%s imports internal/atomicfile: say in docs/compatibility.md what does not work on Windows, and list it in needsFlock", s.path())
		}
	}
	for name, texts := range needsFlock {
		if !using[name] {
			t.Errorf("%s is listed in needsFlock and does not import internal/atomicfile", name)
		}
		for _, text := range texts {
			if !slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, text) }) {
				t.Errorf("docs/compatibility.md has no row with a difference for %s, because of %s", text, name)
			}
		}
	}
}
