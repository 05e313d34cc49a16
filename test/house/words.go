package house

import (
	"fmt"
	"regexp"
	"strings"
)

// plainer are words and phrases that are not used in prose, and what to write instead.
var plainer = []struct{ pattern, instead string }{
	{`anew`, "again"},
	{`told|tell|tells`, "provide, report, or show"},
	{`mend|mended|mends`, "fix"},
	{`under way`, "in progress"},
	{`go on with|goes on with|gone on with|going on with`, "resume or continue"},
	{`of (?:its|their|his) own accord`, "automatically"},
	{`the former`, "the previous"},
	{`also not`, "nor"},
	{`says that it`, "claims to"},
	{`whoever`, "anyone who, or a caller that"},
	{`somebody|nobody`, "another process, a caller, or no one"},
	{`as it was`, "unchanged"},
	{`goes wrong|went wrong`, "fails"},
}

// british are spellings that American English does not have.
var british = regexp.MustCompile(`(?i)\b(?:cancell(?:ed|ing)|behaviour\w*|colour\w*|favour\w*|honour\w*|neighbour\w*|labell(?:ed|ing)|travell(?:ed|ing)|modell(?:ed|ing)|(?:un)?marshall(?:ed|ing)|` +
	`(?:un)?authoris\w*|initialis(?:e|ed|es|ing|ation)|serialis\w*|normal[i]s\w*|organis\w*|recognis\w*|optimis(?:e|ed|es|ing|ation)|summaris\w*|synchronis\w*|minimis\w*|maximis\w*|utilis\w*|licence\w*|centre\w*|catalogue\w*|grey|analyse[ds]?|defence\w*|artefact\w*|judgement\w*|whilst|amongst|fulfil|fulfils)\b`)

var words = func() (all []*regexp.Regexp) {
	for _, w := range plainer {
		all = append(all, regexp.MustCompile(`(?i)\b(?:`+w.pattern+`)\b`))
	}
	return all
}()

// faultsOf is what is wrong with a piece of prose.
func faultsOf(text string) (faults []string) {
	text = strings.Join(strings.Fields(text), " ")
	for i, pattern := range words {
		if found := pattern.FindString(text); found != "" {
			faults = append(faults, fmt.Sprintf("%q: write %s", found, plainer[i].instead))
		}
	}
	if found := british.FindString(text); found != "" {
		faults = append(faults, fmt.Sprintf("%q is not American spelling", found))
	}
	return faults
}
