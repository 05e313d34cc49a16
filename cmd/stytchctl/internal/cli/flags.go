package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Flags are the global flags.
type Flags struct {
	Profile           string
	ProjectID         string
	ProjectSecretFile string
	BaseURL           string
	Output            Format
	Fields            []string
	JQ                string
	NoInput           bool
	Yes               bool
	Timeout           time.Duration
	Quiet             bool
	Verbose           bool
	Color             string

	parsed bool
}

// Register adds the global flags to a flag set.
func (f *Flags) Register(set *pflag.FlagSet) {
	f.Output = Table
	set.StringVar(&f.Profile, "profile", "", "`name` of the profile with the credentials (see stytchctl profile)")
	set.StringVar(&f.ProjectID, "project-id", "", "`id` of the project")
	set.StringVar(&f.ProjectSecretFile, "project-secret-file", "", "`file` with the secret of the project; - is stdin")
	set.StringVar(&f.BaseURL, "base-url", "", "`address` of the API, such as that of a local emulator")
	set.VarP(&f.Output, "output", "o", "`format` of the output: table, json, ndjson or tsv")
	set.StringSliceVar(&f.Fields, "fields", nil, "`names` of the fields to print, separated by commas")
	set.StringVar(&f.JQ, "jq", "", "jq `expression` to apply to the output; implies -o json")
	set.BoolVar(&f.NoInput, "no-input", false, "never ask a question: fail instead")
	set.BoolVarP(&f.Yes, "yes", "y", false, "answer yes to every question")
	set.DurationVar(&f.Timeout, "timeout", 0, "`limit` for the whole command, such as 30s; 0 is none")
	set.BoolVarP(&f.Quiet, "quiet", "q", false, "no progress and no hints on stderr")
	set.BoolVarP(&f.Verbose, "verbose", "v", false, "print each request on stderr: method, route, status, request id, duration")
	set.StringVar(&f.Color, "color", "auto", "`when` to use color: auto, always or never")
}

// Check refuses values that do not fit together.
func (f *Flags) Check(set *pflag.FlagSet) error {
	f.parsed = true
	if !slices.Contains([]string{"auto", "always", "never"}, f.Color) {
		return Usagef("--color: %q is not auto, always or never. Nothing was done.", f.Color)
	}
	if f.Timeout < 0 {
		return Usagef("--timeout: the limit must not be negative. Nothing was done.")
	}
	if f.JQ != "" {
		if set.Changed("output") && f.Output != JSON && f.Output != NDJSON {
			return Usagef("--jq works on JSON: leave out -o %s. Nothing was done.", f.Output)
		}
		if !set.Changed("output") {
			f.Output = JSON
		}
		if _, err := compileJQ(f.JQ); err != nil { // before a request, whose result could not be printed
			return Errorf("", "%w. Nothing was done.", err)
		}
	}
	return nil
}

// Guess looks for the format in arguments that could not be parsed, so that programs get the error
// as JSON wherever they asked for it. It does nothing if they were parsed.
func (f *Flags) Guess(args []string) {
	for i, arg := range args {
		if f.parsed || arg == "--" {
			return
		}
		value := ""
		switch {
		case strings.HasPrefix(arg, "--output="):
			value = strings.TrimPrefix(arg, "--output=")
		case arg == "-o" || arg == "--output":
			if i+1 < len(args) {
				value = args[i+1]
			}
		case strings.HasPrefix(arg, "-o"):
			value = strings.TrimPrefix(arg[2:], "=")
		case arg == "--jq" || strings.HasPrefix(arg, "--jq="):
			value = string(JSON)
		}
		if value == string(JSON) || value == string(NDJSON) {
			f.Output = Format(value)
		}
	}
}
