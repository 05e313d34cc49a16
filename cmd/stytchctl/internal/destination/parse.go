package destination

import (
	"os"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

// kinds are the words before the colon, in the order of [Help].
var kinds = []string{"file", "folder", "exec", "vault", "k8s", "aws"}

// A target is a destination that was understood.
type target struct {
	rotate.Deliverer
	name    func(clientID string) string // for people
	many    bool                         // it takes the secrets of several clients
	isThere func(clientID string) bool   // something that must not be overwritten; nil if only reading it shows that
}

// Parse returns the deliverer that spec names; [Help] has the syntax. All of them are checkers, and
// all but that of exec are readers. It opens no connection. env is the environment; the settings of
// AWS and of a cluster are read from that of the process.
func Parse(spec string, env func(string) string) (rotate.Deliverer, error) {
	t, err := parse(spec, env)
	if err != nil {
		return nil, err
	}
	return t.Deliverer, nil
}

func parse(spec string, env func(string) string) (*target, error) {
	kind, rest, found := strings.Cut(spec, ":")
	switch {
	case !found:
		return nil, cli.Usagef("%q is no destination: begin with %s", spec, kindList())
	case rest == "":
		return nil, cli.Usagef("%s: nothing follows the colon: say where the secret goes", kind)
	case strings.ContainsAny(rest, "\x00\r\n"):
		return nil, cli.Usagef("%s: it must be one line", kind)
	}
	switch kind {
	case "file":
		return parseFile(rest)
	case "folder":
		return parseFolder(rest)
	case "exec":
		return parseExec(rest)
	case "vault":
		return parseVault(rest, env)
	case "k8s":
		return parseKubernetes(rest)
	case "aws":
		return parseAWS(rest)
	}
	return nil, cli.Usagef("%q is no kind of destination%s Begin with %s", kind, cli.Nearest(kind, kinds), kindList())
}

func kindList() string {
	last := len(kinds) - 1
	return strings.Join(kinds[:last], ":, ") + ": or " + kinds[last] + ":"
}

// parseExec splits a command into words.
func parseExec(command string) (*target, error) {
	words, err := split(command)
	if err != nil {
		return nil, err
	}
	program := deliver.Exec(words[0], words[1:]...).WithEnv(withoutProjectSecret(os.Environ())...)
	return &target{Deliverer: program, name: func(string) string { return "exec:" + words[0] }, many: true}, nil
}

// split splits a command at spaces outside of quotation marks.
func split(command string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	inWord := false
	for _, r := range command {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, cli.Usagef("exec: a quotation mark %c is not closed", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, cli.Usagef("exec: the command has no program: write exec:PROGRAM ARGUMENT…")
	}
	return words, nil
}

// withoutProjectSecret is the environment for a program that has no business with the project's
// secret.
func withoutProjectSecret(environ []string) []string {
	kept := make([]string, 0, len(environ))
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if name != "STYTCH_PROJECT_SECRET" && name != "STYTCH_SECRET" {
			kept = append(kept, variable)
		}
	}
	return kept
}

const clientIDMark = "{client_id}"

// checkTemplate refuses braces that are no {client_id}, since they are typing errors more often
// than names.
func checkTemplate(kind, text string) error {
	if rest := strings.ReplaceAll(text, clientIDMark, ""); strings.ContainsAny(rest, "{}") {
		return cli.Usagef("%s: only %s may stand in braces", kind, clientIDMark)
	}
	return nil
}

// fill replaces {client_id}.
func fill(text, clientID string) string { return strings.ReplaceAll(text, clientIDMark, clientID) }

func perClient(text string) bool { return strings.Contains(text, clientIDMark) }
