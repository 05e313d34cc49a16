package credentials

// variables is the environment variables with the values, in the order of their names.
var variables = [4]string{"STYTCH_CLIENT_ID", "STYTCH_CLIENT_SECRET", "STYTCH_PREVIOUS_CLIENT_SECRET", "STYTCH_NEXT_CLIENT_SECRET"}

// Env returns the credentials in the environment. It does not check that they are complete.
func Env(getenv func(string) string) (Credentials, error) {
	var texts [4]string
	for i, name := range variables {
		var err error
		if texts[i], err = Variable(getenv, name); err != nil {
			return Credentials{}, err
		}
	}
	return assemble(variables, texts)
}

// Variable is the value of an environment variable, which [Text] must accept.
func Variable(getenv func(string) string, name string) (string, error) {
	return Text("environment variable "+name, getenv(name))
}
