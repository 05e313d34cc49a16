package emulator_test

import (
	"bufio"
	"net/http"
	"os"
	"strings"
	"testing"
)

// A person who follows the log sees each request at once, also as a table, until one of the two
// ends.
func TestFollow(t *testing.T) {
	for name, c := range map[string]struct {
		format string
		end    func(p *process, follower *os.Process) error
		code   int
		stdout string // in the last line
		stderr string
	}{
		"interrupted": {
			"table", func(_ *process, follower *os.Process) error { return follower.Signal(os.Interrupt) }, 130,
			"/v1/m2m/clients/here", "error: interrupted\n",
		},
		"the server ends": {
			"ndjson", func(p *process, _ *os.Process) error { return p.cmd.Process.Signal(os.Interrupt) }, 6,
			`"path":"/v1/m2m/clients/here"`, `{"error":{"class":"unavailable","message":"the emulator ended the stream"}}` + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := serve(t, dir)
			response, err := http.Get(p.URL + "/v1/m2m/clients/here")
			if err != nil {
				t.Fatal(err)
			}
			discard(response.Body)
			cmd := stytchctl(t.Context(), dir, "emulator", "requests", "follow", "--url", p.URL, "--after", "0", "-o", c.format)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			last := ""
			for !strings.Contains(last, "/v1/m2m/clients/here") && lines.Scan() {
				last = lines.Text()
			}
			if err := c.end(p, cmd.Process); err != nil {
				t.Fatal(err)
			}
			for lines.Scan() {
				last = lines.Text()
			}
			_ = cmd.Wait() // the exit code is looked at
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(last, c.stdout) || stderr.String() != c.stderr {
				t.Errorf("exit code %d, want %d; last line %q, stderr %q", code, c.code, last, stderr.String())
			}
		})
	}
}
