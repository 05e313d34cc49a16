//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stytchkit/m2m/stytch/secret"
)

// TestRotatePostgres runs the commands of the journal on a real PostgreSQL. It skips without one,
// unless POSTGRES_REQUIRED=1.
func TestRotatePostgres(t *testing.T) {
	t.Parallel()
	dir := startPostgres(t)
	s := newSituation(t)
	s.env["STYTCHCTL_JOURNAL"] = "postgres://rotator@/postgres?host=" + dir
	s.ctl(6, "rotate", "status") // no tables yet, and looking makes none
	s.ctl(2, "rotate", "status", "--journal", "postgres://rotator:word@/postgres?host="+dir)
	s.ctl(6, "rotate", "status", "--journal", "postgres://rotator@/nothing?host="+dir)
	password := filepath.Join(s.dir, "password")
	s.check(os.WriteFile(password, []byte("not-asked-for\n"), 0o600))

	s.stops("delivery", 6, s.run("run", "--deliver", "exec:false", "--journal-password-file", password)...)
	if out, _ := s.ctl(0, "rotate", "status", runbookClient, "--fields", "state", "-o", "tsv"); out != "state\nstarted\n" {
		t.Errorf("status: %q", out)
	}
	s.check(os.Rename(s.env["STYTCHCTL_JOURNAL_KEY_FILE"], s.env["OLD_KEY"]))
	s.write("STYTCHCTL_JOURNAL_KEY_FILE", secret.Generate())
	s.stops("wrong_key", 10, s.run("resume")...)
	s.ctl(9, "rotate", "fsck")
	s.ctl(0, "rotate", "rekey", "--journal-key-file", s.env["STYTCHCTL_JOURNAL_KEY_FILE"], "--journal-key-file", s.env["OLD_KEY"])
	s.ctl(0, "rotate", "fsck")
	s.ctl(0, s.run("resume")...)
	s.isFixed("", 0)
	s.ctl(0, "rotate", "run", "--scope", "read:users", "--deliver", s.env["PLACE"], "-q") // a fleet with a queue that others share
	s.isFixed("", 0)
	if out, _ := s.ctl(0, "rotate", "purge", "--older-than", "1h", "-o", "json"); out != "{\"deleted\":0}\n" {
		t.Errorf("purge: %s", out)
	}
	if out, _ := s.ctl(0, "rotate", "list", "--all", "-o", "tsv", "--fields", "client_id"); out != "client_id\nworker\n" {
		t.Errorf("list: %q", out)
	}
}

// startPostgres starts a server that listens on a socket in the folder that it returns.
func startPostgres(t *testing.T) string {
	t.Helper()
	initdb, err := exec.LookPath("initdb")
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err != nil && len(found) > 0 {
		initdb, err = found[len(found)-1], nil
	}
	if err != nil {
		if os.Getenv("POSTGRES_REQUIRED") == "1" {
			t.Fatal("POSTGRES_REQUIRED=1, but initdb is neither in PATH nor in /usr/lib/postgresql/*/bin")
		}
		t.Skip("no initdb in PATH or /usr/lib/postgresql/*/bin (apt-get install postgresql)")
	}
	dir, err := os.MkdirTemp("", "stytchctl-pg-") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		as.Credential = unprivileged(t)
		if err := os.Chown(dir, int(as.Credential.Uid), int(as.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.SysProcAttr = dir, as
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := run(initdb, "-D", data, "-U", "rotator", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	// The server ends when its shell has nothing more to read, so it does not outlive the test.
	server := run("/bin/sh", "-c", `"$@" >>log 2>&1 & read -r end; kill -QUIT $!; wait $!`, "sh",
		filepath.Join(filepath.Dir(initdb), "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off")
	leash, err := server.StdinPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = leash.Close(); _ = server.Wait() })
	for until := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
		conn, err := pgx.Connect(context.Background(), fmt.Sprintf("host=%s user=rotator dbname=postgres", dir))
		if err == nil {
			_ = conn.Close(context.Background())
			return dir
		}
		if time.Now().After(until) {
			t.Fatalf("the server does not answer: %v", err)
		}
	}
}

func unprivileged(t *testing.T) *syscall.Credential {
	t.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Fatal("running as root, and there is neither a user postgres nor nobody to run the server as")
	return nil
}
