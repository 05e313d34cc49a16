package proxy

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

var (
	errBudget = errors.New("it must be a number of tokens in an hour, such as 20/h")
	errSize   = errors.New("it must be a number of bytes, such as 0, 64KiB or 1MiB")
)

// parseBudget reads a limit such as 20/h.
func parseBudget(text string) (int, error) {
	number, ok := strings.CutSuffix(text, "/h")
	n, valid := parseNumber(number)
	if !ok || !valid || n == 0 {
		return 0, errBudget
	}
	return n, nil
}

// parseSize reads a size such as 64KiB.
func parseSize(text string) (int, error) {
	unit := 1
	for _, u := range []struct {
		name string
		size int
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"B", 1}} {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = number, u.size
			break
		}
	}
	n, ok := parseNumber(text)
	if !ok || n > math.MaxInt32/unit {
		return 0, errSize
	}
	return n * unit, nil
}

// parseNumber reads what a person writes: digits, without a sign and without a zero before them.
func parseNumber(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == text
}
