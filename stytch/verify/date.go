package verify

import "time"

// lastSecond is the end of the year 9999, after which RFC 3339 cannot write a time.
const lastSecond = 253402300799

// date reads a JSON number as seconds since 1970. It goes by the decimal digits: a float64 would round, and converting a
// number out of range to an integer may give anything.
func date(number []byte) (t time.Time, ok bool) {
	var seconds int64
	for i, c := range number {
		if c-'0' > 9 || i == 12 {
			return decimalDate(number)
		}
		seconds = 10*seconds + int64(c-'0')
	}
	return time.Unix(seconds, 0).UTC(), seconds <= lastSecond
}

// decimalDate reads what date cannot: a sign, a fraction, an exponent. Below a nanosecond it is cut off.
func decimalDate(number []byte) (t time.Time, ok bool) {
	digits, point, negative := decimal(number)
	switch {
	case len(digits) == 0:
		return time.Unix(0, 0).UTC(), true
	case negative || point > 12:
		return time.Time{}, false
	}
	at := func(i int) int64 {
		if i < 0 || i >= len(digits) {
			return 0
		}
		return int64(digits[i] - '0')
	}
	var seconds, nanos int64
	for i := range point {
		seconds = 10*seconds + at(i)
	}
	for i := range 9 {
		nanos = 10*nanos + at(point+i)
	}
	return time.Unix(seconds, nanos).UTC(), seconds <= lastSecond
}

// decimal takes a number apart: its value is 0.digits times ten to the power of point. There are no leading zeros.
func decimal(number []byte) (digits []byte, point int, negative bool) {
	exponent, sign, behind := 0, 1, false
	inExponent := false
	for _, c := range number {
		switch {
		case c == '.':
			behind = true
		case c == 'e' || c == 'E':
			inExponent = true
		case c == '-' && inExponent:
			sign = -1
		case c == '-':
			negative = true
		case c == '+':
		case inExponent:
			exponent = min(10*exponent+int(c-'0'), 1<<20) // far out of range, and far from overflow
		default:
			if !behind {
				point++
			}
			if len(digits) == 0 && c == '0' {
				point--
				continue
			}
			digits = append(digits, c)
		}
	}
	return digits, point + sign*exponent, negative
}
