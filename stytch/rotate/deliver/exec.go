package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// reapDelay is how long somebody may hold a pipe of a program that has ended. It is less than the engine waits for a
// deliverer whose time is over.
const reapDelay = 500 * time.Millisecond

// Program is a deliverer that runs a program for each delivery. [Exec] makes it.
type Program struct {
	place
	name string
	args []string
	env  []string // nil: that of this process
}

var _ rotate.Deliverer = (*Program)(nil)

// Exec runs the program name, found as by os/exec, with args, and writes one JSON object and a line feed to its standard input:
//
//	{"version":1, "rotation_id":"…", "client_id":"…", "client_secret":"…", "previous_client_secret":"…"}
//
// client_secret is the one to use. previous_client_secret is still accepted; without one the member is absent. A program must
// ignore members that it does not know, and refuse a version that it does not know. It must be idempotent: it is run again
// after a crash, with the same object or another one, and goes by that object alone.
//
// The exit code is the verdict. 0: what the object says is where it belongs, durably. All others, and death by a signal, mean that it is
// not, or not known to be; the code is in the error, which unwraps to *exec.ExitError. The program is not run again by itself.
// Both secrets work on until it succeeds.
//
// When the context ends the program is killed, and on Unix its process group with it, so with all that it started unless that
// made itself independent. The program inherits the environment of this process ([Program.WithEnv] changes that) and its
// working folder. No secret is in its arguments or environment. Its standard output is discarded; so is its standard error, but
// for the last KiB, which is in the error of a failure with the secrets removed.
func Exec(name string, args ...string) *Program {
	return &Program{place: place("deliver.Exec(" + name + ")"), name: name, args: append([]string(nil), args...)}
}

// WithEnv returns a program that is given env, of the form "key=value", instead of the environment of this process.
func (p *Program) WithEnv(env ...string) *Program {
	with := *p
	with.env = append([]string{}, env...)
	return &with
}

// order is what a program reads.
type order struct {
	Version    int             `json:"version"`
	RotationID string          `json:"rotation_id"`
	ClientID   string          `json:"client_id"`
	Secret     secret.Outgoing `json:"client_secret"`
	Previous   secret.Outgoing `json:"previous_client_secret,omitzero"`
}

// Deliver implements [rotate.Deliverer].
func (p *Program) Deliver(ctx context.Context, d rotate.Delivery) error {
	if p.name == "" {
		return wrong(rotate.ErrInvalidArgument, "Exec: name must not be empty")
	}
	if err := check(d); err != nil {
		return err
	}
	input, err := json.Marshal(order{1, d.RotationID, d.ClientID, secret.Outgoing(d.Secret), secret.Outgoing(d.Previous)})
	if err != nil {
		return wrong(rotate.ErrInvalidArgument, "delivery for client %q: %w", d.ClientID, err)
	}
	var said tail
	cmd := exec.CommandContext(ctx, p.name, p.args...) //nolint:gosec // running the caller's program is the purpose
	cmd.Stdin, cmd.Stderr = bytes.NewReader(append(input, '\n')), &said
	cmd.Env, cmd.WaitDelay = p.env, reapDelay
	killGroup(cmd)
	err = cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Success() {
		return nil // whatever became of the pipes: what it left behind may hold them
	}
	if ended := ctx.Err(); ended != nil {
		err = ended
	}
	if text := said.clean(secretsOf(d)); text != "" {
		return fmt.Errorf("deliver: program %s: %w: it said %q", p.name, err, text)
	}
	return fmt.Errorf("deliver: program %s: %w", p.name, err)
}

// tail keeps the end of what is written: as much as is repeated, and enough before it to see where a secret was cut.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-maxSaid-window):]...)
	if over := len(t.kept) - maxSaid - window; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) clean(c confidential) string {
	return strings.TrimSpace(c.clean(string(t.kept), max(0, len(t.kept)-maxSaid), len(t.kept)))
}
