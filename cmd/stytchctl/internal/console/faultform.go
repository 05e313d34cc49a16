package console

// A faultForm makes one operation fail.
type faultForm struct {
	ID     string // operationId; "" for every operation
	Prefix string // of the ids of its fields
	Safety string
	Open   bool
	Form   form
	Kinds  []faultKind
}

type faultKind struct {
	Kind, Title, Description string
	Fields                   string // those that not every kind takes, with spaces between
}

// A faultInput is one input of a fault's form.
type faultInput struct{ ID, Name, Label, Hint, Value, Error string }

func faultField(o faultForm, name, label, hint string) faultInput {
	return faultInput{o.Prefix + "-" + name, name, label, hint, o.Form.Value(name), o.Form.Error(name)}
}
