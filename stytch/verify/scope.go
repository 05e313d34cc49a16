package verify

import "strings"

// grants compares whole scopes. Beside that, "action:*" grants "action:resource", the resource being all that follows the
// first colon: cutting it at the second one would let read:users:me stand for read:users:all.
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

// splitScopes splits a scope claim by RFC 6749, section 3.3: no empty scope, one space between two. An empty claim has none.
func splitScopes(claim string) ([]string, error) {
	if claim == "" {
		return nil, nil
	}
	scopes := make([]string, 0, 1+strings.Count(claim, " "))
	from := 0
	for i := 0; i <= len(claim); i++ {
		if i == len(claim) || claim[i] == ' ' {
			if i == from {
				return nil, errScopeText
			}
			scopes = append(scopes, claim[from:i])
			from = i + 1
		} else if c := claim[i]; c < '!' || c > '~' || c == '"' || c == '\\' {
			return nil, errScopeText
		}
	}
	return scopes, nil
}
