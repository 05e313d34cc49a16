package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// pipeDelay is how long a process may keep a pipe of a program open that has ended. It is shorter
// than the time for which a rotation waits for a deliverer after its deadline.
const pipeDelay = 500 * time.Millisecond

// Program is a deliverer that runs a program for each delivery. [Exec] makes it.
type Program struct {
	description
	name string
	args []string
	env  []string // nil: the environment of this process
}

var (
	_ rotate.Deliverer = (*Program)(nil)
	_ rotate.Checker   = (*Program)(nil)
)

// Exec runs the program name with args, found as by os/exec, and writes one JSON object and a line
// feed to its standard input:
//
//	{"version":1, "rotation_id":"…", "client_id":"…",
//	 "client_secret":"…", "previous_client_secret":"…"}
//
// client_secret is the secret to use. previous_client_secret is still accepted; the member is
// absent if there is none. The program must ignore members that it does not know, and refuse a
// version that it does not know. It must be idempotent: after a crash it runs again, with the same
// object or another one, and must go by that object alone.
//
// Exit code 0 means that the object is stored durably where it belongs. Any other code, or death by
// a signal, means that it is not, or may not be. The error then holds the code and unwraps to
// *exec.ExitError. A delivery runs the program once. Both secrets keep working until a run
// succeeds.
//
// When the context ends, the program is killed; on Unix with its process group, so with everything
// that it started unless that left the group. The program inherits the working folder and the
// environment of this process ([Program.WithEnv] replaces the latter). No secret is in its
// arguments or its environment. Standard output is discarded. So is standard error, except for the
// last KiB, which an error quotes with the secrets removed.
func Exec(name string, args ...string) *Program {
	return &Program{description: description("deliver.Exec(" + name + ")"), name: name, args: append([]string(nil), args...)}
}

// WithEnv returns a copy of p whose program gets env, each "key=value", instead of the environment
// of this process.
func (p *Program) WithEnv(env ...string) *Program {
	with := *p
	with.env = append([]string{}, env...)
	return &with
}

// programInput is what a program reads.
type programInput struct {
	Version    int             `json:"version"`
	RotationID string          `json:"rotation_id"`
	ClientID   string          `json:"client_id"`
	Secret     secret.Outgoing `json:"client_secret"`
	Previous   secret.Outgoing `json:"previous_client_secret,omitzero"`
}

// Check implements [rotate.Checker]: the program can be found and executed. It is not run.
func (p *Program) Check(_ context.Context, clientID string) error {
	if p.name == "" {
		return invalid("Exec", "name must not be empty")
	}
	if err := checkClientID("Exec", clientID); err != nil {
		return err
	}
	if _, err := exec.LookPath(p.name); err != nil {
		return fmt.Errorf("deliver: program %q: %w", p.name, err)
	}
	return nil
}

// Deliver implements [rotate.Deliverer].
func (p *Program) Deliver(ctx context.Context, d rotate.Delivery) error {
	if p.name == "" {
		return invalid("Exec", "name must not be empty")
	}
	if err := checkDelivery("Exec", d); err != nil {
		return err
	}
	input, err := json.Marshal(programInput{1, d.RotationID, d.ClientID, secret.Outgoing(d.Secret), secret.Outgoing(d.Previous)})
	if err != nil {
		return invalid("Exec", "the delivery for client %q: %w", d.ClientID, err)
	}
	var stderr tail
	cmd := exec.CommandContext(ctx, p.name, p.args...) //nolint:gosec // running the caller's program is the purpose
	cmd.Stdin, cmd.Stderr = bytes.NewReader(append(input, '\n')), &stderr
	cmd.Env, cmd.WaitDelay = p.env, pipeDelay
	killGroup(cmd)
	err = cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Success() {
		return nil // even if a process that it left running holds the pipes
	}
	if ended := ctx.Err(); ended != nil {
		err = ended
	}
	if text := stderr.text(redactorOf(d)); text != "" {
		return fmt.Errorf("deliver: program %q: %w; its last output was %q", p.name, err, text)
	}
	return fmt.Errorf("deliver: program %q: %w", p.name, err)
}

// tail is a writer that keeps the end of what is written: maxQuoted bytes, and as many in front of
// them as it takes to recognize a secret that was cut.
type tail struct{ kept []byte }

const maxTail = maxQuoted + redact.Margin

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-maxTail):]...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// text is the end of what was written, without the secrets.
func (t *tail) text(r *redact.Redactor) string {
	text := r.Part(string(t.kept), max(0, len(t.kept)-maxQuoted), len(t.kept))
	return strings.TrimSpace(strings.ToValidUTF8(text, "?"))
}
