package doctor

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
	"github.com/stytchkit/m2m/internal/redact"
)

// The results of a check.
const (
	good    = "good"
	warning = "warning"
	fault   = "fault"
	skipped = "skipped"
)

// A finding is the result of one check.
type finding struct {
	Check   string `json:"check"`
	Result  string `json:"result"`
	Message string `json:"message"`
	Do      string `json:"do,omitempty"` // what to do about it
}

// An examination collects findings. A check may need what an earlier one found.
type examination struct {
	app      *cli.App
	profiles *profile.Profiles
	findings []finding

	credentials cli.Credentials // without a project if none is known
	base        *url.URL        // of the API; nil if it is not known
}

func (e *examination) run(ctx context.Context) {
	e.checkProfiles()
	e.checkKeyring()
	e.checkCredentials(ctx)
	if e.base == nil {
		for _, check := range []string{"proxy", "name", "connection", "TLS", "key set", "clock", "access"} {
			e.add(check, skipped, "no project is known", "")
		}
		return
	}
	reachable := e.checkReachability(ctx)
	e.checkService(ctx, reachable)
}

func (e *examination) add(check, result, message, do string) {
	e.findings = append(e.findings, finding{check, result, redact.Printable(message, 1<<10), do})
}

// fail adds a fault, with the error without the sentence about what was not sent.
func (e *examination) fail(check string, err error, do string) {
	message, _, _ := strings.Cut(err.Error(), ". Nothing was ")
	e.add(check, fault, message, do)
}

func (e *examination) good(check, format string, args ...any) {
	e.add(check, good, fmt.Sprintf(format, args...), "")
}
