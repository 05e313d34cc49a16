package verify

import "time"

// lastSecond is the end of the year 9999, after which RFC 3339 cannot write a time.
const lastSecond = 253402300799

// date reads a JSON number as seconds since 1970: digits and an optional fraction, which is cut off
// below a nanosecond. It refuses signs and exponents. It reads decimal digits because a float64
// would round.
func date(number []byte) (t time.Time, ok bool) {
	var seconds, nanos int64
	i := 0
	for ; i < len(number) && number[i] != '.'; i++ {
		if number[i]-'0' > 9 || i == 12 {
			return time.Time{}, false
		}
		seconds = 10*seconds + int64(number[i]-'0')
	}
	unit := int64(time.Second)
	for i++; i < len(number); i++ {
		if number[i]-'0' > 9 {
			return time.Time{}, false
		}
		unit /= 10
		nanos += unit * int64(number[i]-'0')
	}
	return time.Unix(seconds, nanos).UTC(), seconds <= lastSecond
}
