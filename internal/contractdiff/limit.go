package contractdiff

// bound is how a keyword bounds values.
type bound int

const (
	upper bound = iota + 1 // a higher value allows more
	lower                  // a higher value allows less
	flag                   // true allows less
	exact                  // any value allows less than none, and two values cannot be compared
)

var bounds = map[string]bound{
	"maximum": upper, "maxLength": upper, "maxItems": upper, "maxProperties": upper, "x-max-bytes": upper, "x-max-keys": upper,
	"minimum": lower, "minLength": lower, "minItems": lower, "minProperties": lower,
	"exclusiveMinimum": flag, "exclusiveMaximum": flag, "uniqueItems": flag,
	"pattern": exact, "multipleOf": exact,
}

// limit judges a keyword that bounds the values of a schema.
func (d *differ) limit(at site, key string, old, next any) {
	bound, known := bounds[key]
	narrower, wider, ok := bound.compare(key, old, next)
	switch {
	case !known || !ok:
		d.unknown(at, old, next)
	case narrower && at.request:
		d.keep(at, "limit", "callers that send what was allowed are refused", old, next)
	case wider && at.response:
		d.keep(at, "limit", "callers may get a value that was not allowed", old, next)
	case narrower || wider:
		d.report(at, Addition, "limit", "callers can send more values, or get fewer", old, next)
	default:
		d.report(at, Documentation, "limit", "it says what holds without it", old, next)
	}
}

// compare reports whether the new value allows less, more, or both. It fails for values that are no
// bounds.
func (b bound) compare(key string, old, next any) (narrower, wider, ok bool) {
	switch b {
	case flag:
		was, isFlag := flagValue(old)
		is, areFlags := flagValue(next)
		return is && !was, was && !is, isFlag && areFlags
	case exact:
		return next != absent, old != absent, true
	}
	if key == "minLength" || key == "minItems" || key == "minProperties" { // 0 is what holds without it
		old, next = orZero(old), orZero(next)
	}
	was, isNumber := old.(float64)
	is, areNumbers := next.(float64)
	switch {
	case old == absent:
		return areNumbers, false, areNumbers
	case next == absent:
		return false, isNumber, isNumber
	case b == upper:
		return is < was, is > was, isNumber && areNumbers
	}
	return is > was, is < was, isNumber && areNumbers
}

func orZero(value any) any {
	if value == absent {
		return 0.0
	}
	return value
}

func flagValue(value any) (set, ok bool) {
	set, ok = value.(bool)
	return set, ok || value == absent
}
