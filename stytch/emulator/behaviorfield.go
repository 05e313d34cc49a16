package emulator

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A BehaviorField describes one field of [Behavior] for forms and documentation.
type BehaviorField struct {
	Name        string   `json:"name"`      // key of the JSON object
	Type        string   `json:"type"`      // of the JSON value: integer, string or boolean
	Values      []string `json:"values"`    // accepted values; empty if Minimum and Maximum or nothing limits them
	Minimum     int      `json:"minimum"`   // of an integer without Values
	Maximum     int      `json:"maximum"`   // of an integer without Values; 0 for none
	Default     string   `json:"default"`   // what the zero value stands for
	Certainty   string   `json:"certainty"` // of the default: documented, observed or assumed
	Description string   `json:"description"`
}

const (
	documented = "documented"
	observed   = "observed"
	assumed    = "assumed"
)

// A behaviorRule belongs to the field of Behavior with this Go name. The first of the values is the
// default.
type behaviorRule struct {
	field, certainty, description string
	values                        []string
	standard                      string // default of a field without values
	minimum, maximum              int
}

func oneOf[T any](values ...T) (texts []string) {
	for _, v := range values {
		texts = append(texts, fmt.Sprint(v))
	}
	return texts
}

var onOff = oneOf(false, true)

// behaviorRules has a rule for each field, in their order.
var behaviorRules = []behaviorRule{
	{"CreateStatus", documented, "Status of a creation.", oneOf(200, 201), "", 0, 0},
	{"WrongMethodStatus", assumed, "Status for a known path with a method that it does not have.", oneOf(405, 404), "", 0, 0},
	{"StartWhileRotating", documented, "Starting a rotation during another one: refuse it, or replace the next secret.", oneOf(Refuse, Replace), "", 0, 0},
	{"FinishWhileIdle", documented, "Completing or canceling a rotation that was not started: refuse it, or ignore it and respond with 200.", oneOf(Refuse, Ignore), "", 0, 0},
	{"NextSecretAbsent", documented, "Leave next_client_secret_last_four out of responses outside of a rotation, where it is otherwise null.", onOff, "", 0, 0},
	{"NullOnUpdate", assumed, "A null field in an update: clear the field, ignore it, or refuse the update.", oneOf(Clear, Ignore, Refuse), "", 0, 0},
	{"EmptyScopes", assumed, "Creating or updating a client without scopes.", oneOf(Allow, Refuse), "", 0, 0},
	{"InvalidStatusType", assumed, "The error_type for an unknown client status.", oneOf("invalid_m2m_client_status", "m2m_client_invalid_status"), "", 0, 0},
	{"ZeroLimit", assumed, "A search with limit 0: use the default limit, refuse it, or return an empty page.", oneOf(Ignore, Refuse, Empty), "", 0, 0},
	{"LargeLimit", assumed, "A search with a limit over 1000: refuse it, or use 1000.", oneOf(Refuse, Clamp), "", 0, 0},
	{"BadCursor", assumed, "A cursor that was not issued: refuse it, or return the first page.", oneOf(Refuse, Ignore), "", 0, 0},
	{"NegativeLimit", assumed, "A search with a limit below 0: refuse it, or use the default limit.", oneOf(Refuse, Ignore), "", 0, 0},
	{"EmptySearchBody", assumed, "A search without a body.", oneOf(Refuse, Allow), "", 0, 0},
	{"EmptyQuery", documented, "A search whose query is {}: find all clients, or refuse it.", oneOf(Allow, Refuse), "", 0, 0},
	{"UnknownOperator", assumed, "A query with an operator other than AND and OR: refuse it, or read it as AND.", oneOf(Refuse, Ignore), "", 0, 0},
	{"UnheldScope", assumed, "A token request with a scope that the client does not hold: refuse it, or drop the scope.", oneOf(Refuse, Drop), "", 0, 0},
	{"InvalidClientStatus", observed, "Status of invalid_client.", oneOf(400, 401), "", 0, 0},
	{"InactiveClientError", assumed, "Error of an inactive client at the token endpoint.", oneOf("invalid_client", "unauthorized_client", "access_denied"), "", 0, 0},
	{"InactiveClientStatus", assumed, "Status of that error.", oneOf(400, 401), "", 0, 0},
	{"TokenErrorFormat", assumed, "Format in which the token endpoint refuses an unknown project and a wrong method.", oneOf(oauthFormat, "stytch"), "", 0, 0},
	{"IntrospectM2M", assumed, "An M2M client that introspects or revokes a token of its own: allow it, or refuse it with invalid_client.", oneOf(Allow, Refuse), "", 0, 0},
	{"TokenID", documented, "Add the claim jti to tokens.", onOff, "", 0, 0},
	{"DynamicRegistration", documented, "Let apps register themselves (dynamic client registration).", onOff, "", 0, 0},
	{"RegisterStatus", assumed, "Status of such a registration.", oneOf(201, 200), "", 0, 0},
	{"SecretLength", observed, "Length of generated secrets.", nil, "48", 43, 128}, // 43 characters of base64 hold 256 bits
	{"CreationMethod", assumed, "The creation_method of Connected Apps: any text.", nil, "MANUAL", 0, 0},
	{"MaxSecretLength", assumed, "Most bytes of an imported secret.", nil, "128", 1, 0},
	{"MaxScopes", assumed, "Most scopes of a client.", nil, "100", 1, 0},
	{"MaxExpiryMinutes", assumed, "Longest life of the access tokens of a Connected App, in minutes.", nil, "1440", 1, 0},
	{"MaxM2MClients", assumed, "Most M2M clients of the project; 0 for no limit.", nil, "0", 0, 0},
	{"MaxConnectedApps", assumed, "Most Connected Apps of the project; 0 for no limit.", nil, "0", 0, 0},
}

// Behaviors lists the fields of [Behavior] with the values that they accept.
func Behaviors() []BehaviorField {
	t := reflect.TypeFor[Behavior]()
	fields := make([]BehaviorField, len(behaviorRules))
	for i, r := range behaviorRules {
		f, _ := t.FieldByName(r.field)
		fields[i] = BehaviorField{
			Name: f.Tag.Get("json"), Type: "string", Values: append([]string{}, r.values...), Minimum: r.minimum, Maximum: r.maximum,
			Default: r.usual(), Certainty: r.certainty, Description: r.description,
		}
		switch f.Type.Kind() {
		case reflect.Int:
			fields[i].Type = "integer"
		case reflect.Bool:
			fields[i].Type = "boolean"
		}
	}
	return fields
}

// filled returns b with its defaults filled in. The error names the first field with a value that
// it does not accept.
func (b Behavior) filled() (Behavior, error) {
	v := reflect.ValueOf(&b).Elem()
	for _, r := range behaviorRules {
		field := v.FieldByName(r.field)
		if field.IsZero() {
			r.setUsual(field)
		}
		if !r.accepts(field) {
			return b, invalidArgument("Behavior.%s does not accept %.64q: use %s", r.field, fmt.Sprint(field), r.accepted())
		}
	}
	return b, nil
}

func (r behaviorRule) usual() string {
	if len(r.values) > 0 {
		return r.values[0]
	}
	return r.standard
}

func (r behaviorRule) setUsual(field reflect.Value) {
	switch field.Kind() {
	case reflect.Int:
		number, _ := strconv.ParseInt(r.usual(), 10, 64) // a test sets each default
		field.SetInt(number)
	case reflect.String:
		field.SetString(r.usual())
	}
}

func (r behaviorRule) accepts(field reflect.Value) bool {
	if len(r.values) > 0 {
		return slices.Contains(r.values, fmt.Sprint(field))
	}
	if field.Kind() != reflect.Int {
		return true
	}
	number := field.Int()
	return number >= int64(r.minimum) && (r.maximum == 0 || number <= int64(r.maximum))
}

func (r behaviorRule) accepted() string {
	switch {
	case len(r.values) > 0:
		return strings.Join(r.values, " or ")
	case r.maximum > 0:
		return fmt.Sprintf("%d to %d", r.minimum, r.maximum)
	}
	return fmt.Sprintf("%d or more", r.minimum)
}
