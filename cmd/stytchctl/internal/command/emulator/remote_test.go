package emulator_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// run runs a command to its end.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := stytchctl(t.Context(), t.TempDir(), args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), out.String(), errs.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, out.String(), errs.String()
}

// A change whose response is lost may have taken effect; a read changes nothing.
func TestLostResponses(t *testing.T) {
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		args  []string
		code  int
		want  string
	}{
		"a lost change":      {hangUp, []string{"reset"}, 7, "The change may have taken effect: look at it before you repeat the command."},
		"a lost read":        {hangUp, []string{"bill"}, 6, "did not answer"},
		"an HTML page":       {answer(502, "<html>"), []string{"bill"}, 6, "has no admin API: it responded with status 502"},
		"no JSON":            {answer(200, "<html>"), []string{"bill"}, 1, "the response of the emulator cannot be read"},
		"a redirect":         {answer(302, ""), []string{"bill"}, 6, "responded with status 302"},
		"too busy":           {answer(429, `{"status_code":429,"error_type":"too_many_streams","error_message":"close one"}`), []string{"requests", "follow"}, 6, "close one"},
		"another error":      {answer(500, `{"status_code":500,"error_type":"internal_error","error_message":"it failed"}`), []string{"reset"}, 1, "it failed"},
		"hostile characters": {answer(400, `{"status_code":400,"error_type":"x","error_message":"a\u001b[31mb"}`), []string{"reset"}, 2, "a [31mb"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.serve)
			defer server.Close()
			code, _, stderr := run(t, append(append([]string{"emulator"}, c.args...), "--url", server.URL)...)
			if code != c.code || !strings.Contains(stderr, c.want) {
				t.Errorf("exit code %d, want %d and %q: %q", code, c.code, c.want, stderr)
			}
		})
	}
}
