package contract

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// A Violation describes a request or a response that breaks the contract.
//
// It names the place as a JSON pointer and the rule, and never contains a value of the message: the
// value may be a secret. It wraps no error, because the errors of the validator contain the whole
// message. An unknown field is named only if its name looks like the name of a field.
type Violation struct {
	Operation string // the operationId; empty if the request matches no operation
	Phase     string // "request" or "response"
	Status    int    // of the response; 0 for a request
	Reason    string
}

func (v *Violation) Error() string {
	name := v.Operation
	if name == "" {
		name = "no operation"
	}
	if v.Status == 0 {
		return fmt.Sprintf("contract: %s: %s: %s", name, v.Phase, v.Reason)
	}
	return fmt.Sprintf("contract: %s: %s %d: %s", name, v.Phase, v.Status, v.Reason)
}

// reasons renders what the validator found, without the texts of its errors: those quote the
// message.
func reasons(err error) []string {
	var all []string
	switch e := err.(type) {
	case nil:
	case openapi3.MultiError:
		for _, err := range e {
			all = append(all, reasons(err)...)
		}
	case *openapi3.SchemaError:
		if all = reasons(e.Origin); all == nil {
			all = []string{pointer(e.JSONPointer()) + broken(e)}
		}
	case *openapi3filter.RequestError:
		subject := "body"
		if e.Parameter != nil {
			subject = e.Parameter.In + " parameter " + e.Parameter.Name
		}
		all = about(subject, e.Reason, e.Err)
	case *openapi3filter.ResponseError:
		all = about("body", e.Reason, e.Err)
	case *openapi3filter.SecurityRequirementsError:
		all = []string{"lacks the credentials of a project in HTTP Basic"}
	case interface{ Unwrap() error }:
		all = reasons(e.Unwrap())
	}
	return all
}

func about(subject, reason string, err error) []string {
	inner := reasons(err)
	for i := range inner {
		inner[i] = subject + " " + inner[i]
	}
	switch {
	case inner != nil:
		return inner
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return []string{subject + " is missing"}
	case strings.Contains(reason, "Content-Type"):
		return []string{subject + " has a content type that the contract does not have"}
	case strings.HasPrefix(reason, "failed to decode"):
		return []string{subject + " cannot be decoded"}
	}
	return []string{subject + " does not follow the contract"}
}

// pointer renders a JSON pointer. A name that the contract does not have comes from the message and
// is replaced by *.
func pointer(path []string) string {
	var b strings.Builder
	for _, part := range path {
		if _, err := strconv.ParseUint(part, 10, 16); err != nil && !fieldNames()[part] {
			part = "*"
		}
		b.WriteString("/" + part)
	}
	if b.Len() == 0 {
		return ""
	}
	return b.String() + " "
}

// broken names the rule that a value breaks.
func broken(e *openapi3.SchemaError) string {
	switch e.SchemaField {
	case "required":
		return "is missing"
	case "nullable":
		return "must not be null"
	case "type":
		return "must be of type " + strings.Join(e.Schema.Type.Slice(), " or ")
	case "minLength":
		return fmt.Sprintf("is shorter than %d characters", e.Schema.MinLength)
	case "writeOnly":
		return "must not be in a response"
	case "properties":
		var name string // stays empty, and so hidden, if the validator changes its text
		_, _ = fmt.Sscanf(e.Reason, "property %q is unsupported", &name)
		return unknownField(name)
	}
	return "breaks the rule " + e.SchemaField
}

var likeField = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}(_[a-z0-9]{1,15}){0,5}$`)

// unknownField shows a name of the message unless a secret could look like it.
func unknownField(name string) string {
	if !likeField.MatchString(name) {
		name = "(not shown)"
	}
	return "has the unknown field " + name
}
