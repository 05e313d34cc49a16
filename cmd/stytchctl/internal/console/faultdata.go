package console

import (
	"strings"
)

// activeFaults is the list of the admin API. Its faults are read as data, since the type of package
// emulator does not show what is in it.
type activeFaults struct {
	Faults []activeFault `json:"faults"`
}

type activeFault struct {
	ID     string    `json:"id"`
	Fault  faultData `json:"fault"`
	Seen   int       `json:"seen"`
	Struck int       `json:"struck"`
	Left   *int      `json:"left"`
}

type faultData struct {
	Operation   string `json:"operation"`
	Kind        string `json:"kind"`
	ErrorType   string `json:"error_type"`
	Latency     string `json:"latency"`
	RetryAfter  string `json:"retry_after"`
	Status      int    `json:"status"`
	After       int    `json:"after"`
	Times       int    `json:"times"`
	Each        int    `json:"each"`
	AfterEffect bool   `json:"after_effect"`
}

// Spent reports whether the fault will not strike again.
func (f activeFault) Spent() bool { return f.Left != nil && *f.Left == 0 }

// Remaining is how often the fault will strike, in words.
func (f activeFault) Remaining() string {
	switch {
	case f.Left == nil:
		return "without end"
	case *f.Left == 0:
		return "none left"
	}
	return plural(*f.Left, "time", "times") + " more"
}

// Where is the operation that fails.
func (f faultData) Where() string {
	if f.Operation == "" {
		return "every operation"
	}
	return f.Operation
}

// What is the kind in words, with what belongs to it.
func (f faultData) What() string {
	text := kindTitle(f.Kind)
	switch {
	case f.ErrorType != "":
		text += ": " + f.ErrorType
	case f.Status != 0:
		text += " " + count(f.Status)
	}
	var also []string
	if f.AfterEffect && f.Kind != "drop_response" {
		also = append(also, "after the work")
	}
	if f.Latency != "" {
		also = append(also, "waits "+f.Latency)
	}
	if f.RetryAfter != "" {
		also = append(also, "Retry-After: "+f.RetryAfter)
	}
	if f.After > 0 {
		also = append(also, "skips the first "+count(f.After))
	}
	if f.Each > 1 {
		also = append(also, "1 of "+count(f.Each)+" requests")
	}
	if len(also) > 0 {
		text += " (" + strings.Join(also, ", ") + ")"
	}
	return text
}

// kindTitles are what the kinds of faults are called here, the most useful one first.
var kindTitles = []struct{ kind, title string }{
	{"drop_response", "Drop the response after the work"},
	{"reset", "Reset the connection before the work"},
	{"status", "Respond with an error status"},
	{"error_type", "Respond with an error type"},
	{"rate_limited", "Respond with 429, too many requests"},
	{"latency", "Wait, then respond as usual"},
	{"slow_body", "Send the response slowly"},
	{"cut_body", "Cut the response off"},
	{"empty_body", "Respond with an empty body"},
	{"garbage", "Respond with broken JSON"},
	{"html", "Respond with an HTML page"},
}

func kindTitle(kind string) string {
	for _, k := range kindTitles {
		if k.kind == kind {
			return k.title
		}
	}
	return strings.ReplaceAll(kind, "_", " ")
}
