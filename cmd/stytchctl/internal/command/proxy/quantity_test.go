package proxy

import (
	"fmt"
	"testing"
)

func TestQuantities(t *testing.T) {
	for text, want := range map[string]int{"1/h": 1, "20/h": 20, "1000000/h": 1000000, "": -1, "20": -1, "0/h": -1, "-1/h": -1, "+1/h": -1, "1/m": -1, "1 /h": -1, "01/h": -1, "/h": -1, "1/h/h": -1} {
		got, err := parseBudget(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("budget %q: %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]int{
		"0": 0, "1": 1, "10B": 10, "64KiB": 65536, "1MiB": 1 << 20, "16MiB": 16 << 20,
		"": -1, "KiB": -1, "64KB": -1, "64k": -1, "-1": -1, "1.5MiB": -1, "1GiB": -1, "1 KiB": -1, "99999999999999999999": -1, "99999999MiB": -1, "01": -1,
	} {
		got, err := parseSize(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("size %q: %d, %v", text, got, err)
		}
	}
}

func FuzzQuantities(f *testing.F) {
	for _, seed := range []string{"20/h", "64KiB", "1MiB", "0", "9223372036854775807", "10B"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parseBudget(text); err == nil && (n < 1 || text != fmt.Sprintf("%d/h", n)) {
			t.Errorf("%q is read as %d an hour", text, n)
		}
		if n, err := parseSize(text); err == nil && (n < 0 || text != fmt.Sprint(n) && text != fmt.Sprintf("%dB", n) && text != fmt.Sprintf("%dKiB", n>>10) && text != fmt.Sprintf("%dMiB", n>>20)) {
			t.Errorf("%q is read as %d bytes", text, n)
		}
	})
}
