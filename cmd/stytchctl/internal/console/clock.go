package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

type clockPage struct {
	Form  form
	Jumps []jump
}

// A jump is a button that moves the clock.
type jump struct{ Advance, Name string }

var jumps = []jump{{"1h", "1 hour"}, {"24h", "1 day"}, {"720h", "30 days"}, {"-1h", "1 hour back"}}

func (c *Console) clock(w http.ResponseWriter, r *http.Request) {
	c.renderClock(w, r, http.StatusOK, form{})
}

func (c *Console) renderClock(w http.ResponseWriter, r *http.Request, status int, f form) {
	c.render(w, r, status, "clock", page{Title: "Clock", Section: "clock", Data: clockPage{Form: f, Jumps: jumps}})
}

func (c *Console) setClock(w http.ResponseWriter, r *http.Request) {
	f, ok := c.posted(w, r)
	if !ok {
		return
	}
	var set admin.SetClockRequest
	field := ""
	switch {
	case f.Value("real") != "":
		set.Real = true
	case f.Value("to") != "":
		field = "to"
		at, err := readTime(f.Value("to"))
		if err != nil {
			f.fail(field, "Enter a date and a time in UTC, such as 2030-01-31T12:00.")
			break
		}
		set.Now = &at
	default:
		field = "advance"
		set.Advance = strings.TrimSpace(f.Value("advance"))
		if _, err := time.ParseDuration(set.Advance); err != nil {
			f.fail(field, "Enter a duration such as 90m, 24h or -1h.")
		}
	}
	if !f.Failed() {
		err := c.admin.do(r.Context(), http.MethodPut, "/clock", set, nil)
		if text, ok := refusal(err); ok {
			f.fail(field, text)
		} else if err != nil {
			c.failed(w, r, "clock", err)
			return
		}
	}
	if f.Failed() {
		c.renderClock(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	c.done(w, r, Root+"clock", notice{Text: "The clock was set."})
}

// readTime reads what an input of type datetime-local sends, as UTC, or RFC 3339.
func readTime(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Parse(time.RFC3339, text)
}
