package verify

import "strings"

// grants compares whole scopes. In addition, "action:*" grants "action:resource". The resource is
// everything after the first colon: cut at the second one, read:users:me would grant
// read:users:all.
func grants(granted, wanted string) bool {
	if granted == wanted {
		return wanted != ""
	}
	action, ok := strings.CutSuffix(granted, ":*")
	if !ok || strings.Contains(action, ":") {
		return false
	}
	resource, ok := strings.CutPrefix(wanted, action)
	return ok && len(resource) > 1 && resource[0] == ':'
}

// isScopeClaim reports whether a claim is a list of scopes by RFC 6749, section 3.3: scope-tokens
// with one space between two. An empty claim is an empty list.
func isScopeClaim(claim []byte) bool {
	inside := len(claim) == 0
	for _, c := range claim {
		switch {
		case isScopeChar(c):
			inside = true
		case c == ' ' && inside:
			inside = false
		default:
			return false
		}
	}
	return inside
}

// isScope reports whether a text is a scope-token of RFC 6749, section 3.3.
func isScope(text string) bool {
	for i := range len(text) {
		if !isScopeChar(text[i]) {
			return false
		}
	}
	return text != ""
}

func isScopeChar(c byte) bool { return '!' <= c && c <= '~' && c != '"' && c != '\\' }
