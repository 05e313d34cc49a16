package rotate

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A span is the value of a flag: a duration as Go writes it, which may begin with days (90d,
// 1d12h).
type span time.Duration

var errSpan = errors.New("write a duration such as 90d, 36h or 10m")

// String is the flag's.
func (s *span) String() string {
	if *s == 0 {
		return ""
	}
	return spell(time.Duration(*s))
}

// Type is the flag's.
func (s *span) Type() string { return "duration" }

// Set is the flag's.
func (s *span) Set(text string) error {
	d, err := parseSpan(text)
	if err == nil {
		*s = span(d)
	}
	return err
}

func parseSpan(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		days, rest = "", text
	}
	var d time.Duration
	if ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/day) {
			return 0, errSpan
		}
		d = time.Duration(n) * day
	}
	if rest == "" && ok {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 || d+more < 0 {
		return 0, errSpan
	}
	return d + more, nil
}

// spell is a duration as people write it: 90d, 1h30m, 2s.
func spell(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// A pace is the value of a flag: requests per second, written as 5/s, 90/m or 1000/h.
type pace float64

var (
	errPace = errors.New("write a rate such as 5/s, 90/m or 1000/h")
	units   = map[string]float64{"s": 1, "m": 60, "h": 3600}
)

// String is the flag's.
func (p *pace) String() string { return strconv.FormatFloat(float64(*p), 'g', 4, 64) + "/s" }

// Type is the flag's.
func (p *pace) Type() string { return "rate" }

// Set is the flag's.
func (p *pace) Set(text string) error {
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || units[unit] == 0 || !(n > 0) || n > 1e6 {
		return errPace
	}
	*p = pace(n / units[unit])
	return nil
}
