package rotate

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"
)

// maxAuditText is the most bytes of an error in an audit log.
const maxAuditText = 2048

// Audit returns an observer for [WithObserver] that writes a line of JSON per change of state and
// per failure:
//
//	{"time":"2026-03-01T10:00:00.123456789Z","client_id":"...","rotation_id":"...","from":"verified","to":"completing",
//	 "current":"works","next":"works"}
//
// A failure has the same state twice and an "error". The verdicts are "works", "refused" and
// "unproved". No line has a secret. Each line is one call of Write, and there is one call at a
// time, so several processes may append to one file. Errors of w are ignored; a fleet with
// fleet.WithAudit stops instead. If w is nil so is the observer, which WithObserver refuses.
func Audit(w io.Writer) func(context.Context, Event) {
	if w == nil {
		return nil
	}
	return (&auditor{w: w}).observe
}

type auditor struct {
	mu sync.Mutex
	w  io.Writer
}

type auditLine struct {
	Time       string `json:"time"`
	ClientID   string `json:"client_id"`
	RotationID string `json:"rotation_id"`
	From       State  `json:"from"`
	To         State  `json:"to"`
	Current    string `json:"current"`
	Next       string `json:"next"`
	Error      string `json:"error,omitempty"`
}

func (a *auditor) observe(_ context.Context, e Event) {
	line := auditLine{
		Time: e.Time.UTC().Format(time.RFC3339Nano), ClientID: e.ClientID, RotationID: e.RotationID, From: e.From, To: e.To,
		Current: e.Working.Current.word(), Next: e.Working.Next.word(),
	}
	if e.Err != nil {
		text := e.Err.Error()
		line.Error = strings.ToValidUTF8(text[:min(len(text), maxAuditText)], "") // may cut a character
	}
	data, err := json.Marshal(line)
	if err != nil {
		return // unreachable: all are strings
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	_, _ = a.w.Write(append(data, '\n'))
}

// word returns the verdict in one word.
func (v Verdict) word() string {
	switch v {
	case Accepted:
		return "works"
	case Refused:
		return "refused"
	}
	return "unproved"
}
