//go:build unix

package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/rotate/journaltest"
)

// bouncer is a pgbouncer in front of the shared server. Each of its databases is a schema there.
type bouncer struct {
	dir  string
	name string // of the schemas
	used int
}

const bouncerSchemas = 40

func needBouncer(t *testing.T) string {
	t.Helper()
	needServer(t)
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/pgbouncer") // which may not be in PATH
	}
	if err != nil && os.Getenv("POSTGRES_REQUIRED") == "1" {
		t.Fatal("POSTGRES_REQUIRED=1, but pgbouncer is neither in PATH nor in /usr/sbin (apt-get install pgbouncer)")
	}
	if err != nil {
		t.Skip("no pgbouncer in PATH or /usr/sbin (apt-get install pgbouncer)")
	}
	return path
}

// startBouncer starts a pgbouncer that gives each transaction any of three connections to the
// server, and therefore nearly never the one of the transaction before.
func startBouncer(t *testing.T) *bouncer {
	t.Helper()
	path := needBouncer(t)
	newSchema(t) // starts the server
	s := shared.server
	dir, err := os.MkdirTemp(s.dir, "bouncer-")
	if err != nil {
		t.Fatal(err)
	}
	if s.as != nil {
		if err := os.Chown(dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	b := &bouncer{dir: dir, name: fmt.Sprintf("bouncer%d", shared.count.Add(1))}
	var databases strings.Builder
	for i := range bouncerSchemas {
		fmt.Fprintf(&databases, "%[1]s_%[2]d = host=%[3]s dbname=postgres user=postgres connect_query='SET search_path TO %[1]s_%[2]d'\n", b.name, i, s.dir)
	}
	config := fmt.Sprintf(`
[databases]
postgres = host=%s user=postgres
%s
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
server_round_robin = 1
server_idle_timeout = 5
`, s.dir, databases.String(), dir)
	if err := os.WriteFile(filepath.Join(dir, "ini"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := s.command("/bin/sh", "-c", `"$@" & read -r end; kill -KILL $!; wait $!`, "sh", path, filepath.Join(dir, "ini"))
	cmd.Stdout, cmd.Stderr = log, log
	leash, err := cmd.StdinPipe() // it ends with the test, however that ends
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = leash.Close()
		_ = cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("pgbouncer: %s", text[max(0, len(text)-2000):])
		}
	})
	eventually(t, "pgbouncer to answer", func() bool {
		conn, err := pgx.Connect(t.Context(), b.dsn("postgres"))
		return err == nil && conn.Close(t.Context()) == nil
	})
	return b
}

func (b *bouncer) dsn(database string) string {
	return fmt.Sprintf("host=%s port=6432 user=postgres dbname=%s", b.dir, database)
}

// newSchema is an empty schema behind the bouncer.
func (b *bouncer) newSchema(t testing.TB) string {
	name := fmt.Sprintf("%s_%d", b.name, b.used)
	b.used++
	shared.server.create(t, "SCHEMA "+name)
	return b.dsn(name)
}

// With the defaults of pgx, two processes rotate a fleet through a pgbouncer in transaction mode,
// under one rate.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	b := startBouncer(t)
	dsn := b.newSchema(t)
	const clients = 40
	f := newSystem(t, clients)
	var all sync.WaitGroup
	var done [2]int
	for i := range done {
		j := open(t, dsn)
		one, err := fleet.New(f.engine(t, j, rotate.WithLimiter(bucket(t, j, 1000, 50)), rotate.WithGrace(time.Second)))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if n, err := j.Plan(t.Context(), f.clients); n != clients || err != nil {
				t.Fatalf("Plan: %d, %v", n, err)
			}
		}
		all.Go(func() {
			report, err := one.Run(t.Context(), nil)
			if err != nil || report.Failed+report.Busy != 0 {
				t.Errorf("Run: %+v, %v", report, err)
			}
			done[i] = report.Done
		})
	}
	all.Wait()
	if done[0]+done[1] != clients {
		t.Errorf("%d and %d of %d clients were completed", done[0], done[1], clients)
	}
	for _, id := range f.clients {
		f.check(t, id)
	}
	j := open(t, dsn)
	for id := range j.Unfinished(t.Context()) {
		t.Errorf("%s is unfinished", id)
	}
	if n, err := j.Purge(t.Context(), time.Hour); n != 0 || err != nil {
		t.Errorf("Purge: %d, %v", n, err)
	}
}

func TestConformancePgBouncer(t *testing.T) {
	t.Parallel()
	heavy.Only(t)
	b := startBouncer(t)
	journaltest.Run(t, func(t *testing.T) journaltest.Storage {
		dsn := b.newSchema(t)
		pool := connect(t, dsn, simple)
		return journaltest.Storage{
			Open: func(t *testing.T) rotate.Journal { return open(t, dsn) },
			Corrupt: func(t *testing.T, clientID string) {
				exec1(t, pool, `UPDATE stytch_rotation SET record = substr(record, 2) WHERE client_id = $1`, clientID)
			},
			Raw: func(t *testing.T) []byte { return dump(t, pool) },
		}
	})
}
