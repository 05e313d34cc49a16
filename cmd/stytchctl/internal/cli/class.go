package cli

// A Class is the kind of a failure: what a script decides by. Each has its own exit code.
type Class string

// The classes, in the order of their exit codes.
const (
	Internal       Class = "internal"
	Usage          Class = "usage"
	NotFound       Class = "not_found"
	Auth           Class = "auth"
	Conflict       Class = "conflict"
	Unavailable    Class = "unavailable"
	OutcomeUnknown Class = "outcome_unknown"
	Partial        Class = "partial" // some of many failed, or the state drifted
	Refused        Class = "refused" // a token is invalid, doctor found a fault
	NeedsHuman     Class = "needs_human"
	Interrupted    Class = "interrupted"
)

// A ClassInfo documents a class.
type ClassInfo struct {
	Class Class
	Code  int
	Means string
}

// Classes are all classes with their exit codes, for the documentation and for tests.
var Classes = []ClassInfo{
	{Internal, 1, "anything else: a fault of the program, of a file or of a response"},
	{Usage, 2, "the command line or an input file cannot be used; nothing was done"},
	{NotFound, 3, "the client, app, profile or record does not exist"},
	{Auth, 4, "credentials are missing, or were refused (401, 403)"},
	{Conflict, 5, "it exists already, is in another state, or is in use by another process"},
	{Unavailable, 6, "the API did not answer, or is overloaded (429, 5xx, network): try again later"},
	{OutcomeUnknown, 7, "the request may have taken effect; the message says how to find out"},
	{Partial, 8, "some of many failed, or the state differs from the file"},
	{Refused, 9, "a token is not valid, or doctor found a fault"},
	{NeedsHuman, 10, "a rotation stopped where a person must decide; the message says what to do"},
	{Interrupted, 130, "interrupted; the message says how to go on"},
}

// ExitCode is the exit code of a class.
func (c Class) ExitCode() int {
	for _, info := range Classes {
		if info.Class == c {
			return info.Code
		}
	}
	return 1
}
