package rotate

import (
	"strings"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"90d": 90 * day, "1d12h": 36 * time.Hour, "0d": 0, "10m": 10 * time.Minute, "0": 0, "1.5h": 90 * time.Minute,
	} {
		if got, err := parseSpan(text); got != want || err != nil {
			t.Errorf("%s is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "90", "-1d", "-5m", "1d-1h", "106752d", "1d1d", "1dd", "99999999999d", "1.5d", "5 m"} {
		if got, err := parseSpan(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
	for d, want := range map[time.Duration]string{90 * day: "90d", 36 * time.Hour: "36h", 90 * time.Minute: "1h30m", 2 * time.Second: "2s"} {
		if got := spell(d); got != want {
			t.Errorf("%v is spelled %q, want %q", d, got, want)
		}
	}
}

func FuzzSpan(f *testing.F) {
	for _, text := range []string{"90d", "1d12h", "10m", "1d-1h", "0", "d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseSpan(text)
		if err != nil {
			return
		}
		if again, err := parseSpan(spell(d)); d < 0 || again != d || err != nil {
			t.Errorf("%q is %v, which is spelled %q and read as %v, %v", text, d, spell(d), again, err)
		}
	})
}

func TestPace(t *testing.T) {
	for text, want := range map[string]float64{"5/s": 5, "90/m": 1.5, "1800/h": 0.5, "0.5/s": 0.5} {
		var p pace
		if err := p.Set(text); err != nil || float64(p) != want {
			t.Errorf("%s is %v, %v, want %v", text, p, err, want)
		}
	}
	for _, text := range []string{"", "5", "5/d", "0/s", "-1/s", "NaN/s", "Inf/s", "/s", "1e9/s", "5/s/s"} {
		var p pace
		if err := p.Set(text); err == nil || !strings.Contains(err.Error(), "5/s") {
			t.Errorf("%q is %v, %v", text, p, err)
		}
	}
}
