package emulator

import (
	"encoding/json"
	"strings"
)

const (
	statusActive   = "active"
	statusInactive = "inactive"
)

// An m2mClient is the record of one M2M client.
type m2mClient struct {
	id, name, description, status string
	scopes                        []string
	metadata                      json.RawMessage // a compact object
	secrets                       secretPair
}

func (c *m2mClient) mergeMetadata(change json.RawMessage) (err error) {
	c.metadata, err = mergeMetadata(c.metadata, change)
	return err
}

// check applies the rules that creation and update share.
func (c *m2mClient) check(b Behavior) error {
	if c.status != statusActive && c.status != statusInactive {
		return fail(b.InvalidStatusType)
	}
	if len(c.scopes) == 0 && b.EmptyScopes == Refuse {
		return because("bad_request", "The client must have at least one scope.")
	}
	if len(c.scopes) > b.MaxScopes {
		return fail("too_many_m2m_client_scopes").why("%d scopes: at most %d are allowed", len(c.scopes), b.MaxScopes)
	}
	for i, scope := range c.scopes {
		if !validScope(scope) {
			return fail("invalid_m2m_client_scope").why("scope %d of %d is empty or has a character that is not allowed", i+1, len(c.scopes))
		}
	}
	return nil
}

// validClientID reports whether a caller may choose an id. The rule is assumed: Stytch publishes
// none. It excludes ids that cannot be one path segment everywhere, and ids whose path is another
// operation.
func validClientID(id string) bool {
	if id == "" || len(id) > 256 || id == "." || id == ".." || id == "search" {
		return false
	}
	return strings.TrimSpace(id) == id && !strings.ContainsAny(id, `/\%?#`) && !strings.ContainsFunc(id, isControl)
}

// validScope accepts a scope-token of RFC 6749, section 3.3. That Stytch applies this rule is
// assumed.
func validScope(scope string) bool {
	for _, b := range []byte(scope) {
		if b <= ' ' || b > '~' || b == '"' || b == '\\' {
			return false
		}
	}
	return scope != ""
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7F }
