package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/internal/operation"
)

// States of a step. Each is also said in words.
const (
	stepGood = "good"
	stepBad  = "bad"
	stepNote = "note"
)

// timeline puts what the log knows about a request into the order in which it happened.
func timeline(r admin.LoggedRequest) (all []step) {
	all = append(all, step{"Received", r.Method + " " + r.Path + " at " + clockTime(r.Time), stepNote})
	if r.Operation == "" {
		all = append(all, step{"No operation", "The contract has no such route.", stepBad})
	} else {
		all = append(all, step{"Matched", r.Operation, stepGood})
	}
	fault := strings.HasPrefix(r.Reason, "fault ")
	switch {
	case r.Reason != "" && fault:
		all = append(all, step{"A fault struck", r.Reason, stepBad})
	case r.Reason != "":
		all = append(all, step{"Refused", r.Reason, stepBad})
	case r.Status >= http.StatusBadRequest:
		all = append(all, step{"Refused", r.ErrorType, stepBad})
	case r.Status != 0:
		all = append(all, step{"Carried out", "Credentials, body and fields were accepted.", stepGood})
	}
	after := ", after " + milliseconds(r.DurationMs)
	if r.Status == 0 {
		return append(all, step{"No response", "The connection was ended without one" + after + ".", stepBad})
	}
	text := strconv.Itoa(r.Status) + " " + http.StatusText(r.Status)
	if r.ErrorType != "" {
		text += ", " + r.ErrorType
	}
	state := stepGood
	if r.Status >= http.StatusBadRequest {
		state = stepBad
	}
	return append(all, step{"Responded", text + after, state})
}

// curl is a command that sends such a request again. The log has no bodies and no secrets, so both
// are left to the reader.
func curl(address, projectID string, r admin.LoggedRequest) string {
	var b strings.Builder
	b.WriteString("curl")
	if r.Method != http.MethodGet {
		b.WriteString(" -X " + quoted(r.Method))
	}
	at := slices.IndexFunc(operation.All, func(op *operation.Operation) bool { return op.ID == r.Operation })
	switch client := " \\\n  -d client_id=" + quoted(r.ClientID) + " \\\n  --data-urlencode \"client_secret=$CLIENT_SECRET\""; {
	case at >= 0 && operation.All[at].Safety == operation.Billed:
		b.WriteString(" \\\n  -d grant_type=client_credentials" + client)
	case at >= 0 && operation.All[at].TakesForm:
		b.WriteString(client + " \\\n  --data-urlencode \"token=$TOKEN\"")
	case at >= 0 && !operation.All[at].ProjectAuth: // the project's secret must not go there
		if operation.All[at].TakesJSON {
			b.WriteString(" \\\n  -H 'Content-Type: application/json' -d '{}'")
		}
	default:
		b.WriteString(" \\\n  -u " + quoted(projectID) + ":\"$STYTCH_PROJECT_SECRET\"")
		if r.Method == http.MethodPost || r.Method == http.MethodPut {
			b.WriteString(" \\\n  -H 'Content-Type: application/json' -d '{}'")
		}
	}
	b.WriteString(" \\\n  " + quoted(address+r.Path))
	return b.String()
}
