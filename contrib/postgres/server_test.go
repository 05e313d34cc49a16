//go:build unix

package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestMain is the entrance of worker processes, too: they are this program again.
func TestMain(m *testing.M) {
	if job := os.Getenv(workerMark); job != "" {
		if err := work(job, os.Getenv(workerDatabase), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	_ = flag.Set("test.parallel", "8") // they wait for the database, the disk and time more than they compute
	code := m.Run()
	if shared.server != nil {
		shared.server.remove()
	}
	os.Exit(code)
}

// shared is the server of all tests that do not end it. Each has a schema of its own.
var shared struct {
	once   sync.Once
	server *server
	err    error
	count  atomic.Int32
}

// server is a real PostgreSQL that listens on a socket in a folder of its own.
type server struct {
	bin, dir string
	as       *syscall.Credential // it refuses to run as root
	settings []string            // name=value
	cmd      *exec.Cmd
	leash    io.WriteCloser // the server ends when this is closed, so it does not outlive the test however that ends
}

// findServer returns the folder of the newest PostgreSQL, "" if there is none.
func findServer() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return number(b) - number(a) })
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[0])
}

func number(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// needServer skips a test where there is no PostgreSQL, unless POSTGRES_REQUIRED=1 says that there
// must be one.
func needServer(t testing.TB) string {
	t.Helper()
	bin := findServer()
	if bin == "" && os.Getenv("POSTGRES_REQUIRED") == "1" {
		t.Fatal("POSTGRES_REQUIRED=1, but initdb is neither in PATH nor in /usr/lib/postgresql/*/bin")
	}
	if bin == "" {
		t.Skip("no initdb in PATH or /usr/lib/postgresql/*/bin (apt-get install postgresql)")
	}
	return bin
}

// newServer makes and starts a server.
func newServer(bin string, settings ...string) (_ *server, err error) {
	s := &server{bin: bin, settings: settings}
	if s.dir, err = os.MkdirTemp("", "m2m-pg-"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if s.as, err = unprivileged(); err != nil {
			return s, err
		}
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return s, err
		}
	}
	initdb := s.command(filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return s, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s, s.start()
}

func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("running as root, and there is neither a user postgres nor nobody to run the server as")
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }
func (s *server) log() string  { return filepath.Join(s.dir, "log") }

func (s *server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	return cmd
}

// start returns when the server answers.
func (s *server) start() error {
	const script = `"$@" >>log 2>&1 & read -r end; kill -QUIT $!; wait $!`
	args := []string{
		"-c", script, "sh", filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir,
		"-c", "listen_addresses=", "-c", "max_connections=400", "-c", "shared_buffers=64MB",
	}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.cmd = s.command("/bin/sh", args...)
	leash, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	s.leash = leash
	if err := s.cmd.Start(); err != nil {
		return err
	}
	patience := time.After(time.Minute)
	for {
		conn, err := pgx.Connect(context.Background(), s.dsn("postgres"))
		if err == nil {
			return conn.Close(context.Background())
		}
		select {
		case <-patience:
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// kill ends the server at once: it writes nothing more, and has to recover when it starts again.
func (s *server) kill() {
	if s.cmd != nil {
		_ = s.leash.Close()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func (s *server) remove() {
	s.kill()
	_ = os.RemoveAll(s.dir)
}

func (s *server) dsn(database string) string {
	return fmt.Sprintf("host=%s user=postgres dbname=%s", s.dir, database)
}

// newSchema returns the connection string of an empty schema on the shared server, which is made in
// a hundredth of the time of a database. The machine does not crash in these tests, so the server
// need not wait for the disk; those that are about it have a server of their own.
func newSchema(t testing.TB) string {
	t.Helper()
	bin := needServer(t)
	shared.once.Do(func() { shared.server, shared.err = newServer(bin, "fsync=off") })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	dsn, name := shared.server.dsn("postgres"), fmt.Sprintf("test%d", shared.count.Add(1))
	shared.server.create(t, "SCHEMA "+name)
	return dsn + " search_path=" + name
}

// schemaOf is the schema of a connection string.
func schemaOf(dsn string) string {
	_, name, _ := strings.Cut(dsn, "search_path=")
	return name
}

// newDatabase returns the connection string of an empty database.
func (s *server) newDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", shared.count.Add(1))
	s.create(t, "DATABASE "+name)
	return s.dsn(name)
}

func (s *server) create(t testing.TB, what string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "CREATE "+what); err != nil {
		t.Fatal(err)
	}
}

// connect opens a pool, as one more process would.
func connect(t testing.TB, dsn string, change ...func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// setting is a parameter of each session of a pool.
func setting(name, value string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams[name] = value }
}

const project = "project-test-00000000-0000-4000-8000-000000000000"

var key = secret.Generate()

func newJournal(t testing.TB, pool *pgxpool.Pool) *postgres.Journal {
	t.Helper()
	j, err := postgres.New(pool, project, key)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// open is a journal on a pool of its own, with the tables made.
func open(t testing.TB, dsn string, change ...func(*pgxpool.Config)) *postgres.Journal {
	t.Helper()
	pool := connect(t, dsn, change...)
	if err := postgres.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	return newJournal(t, pool)
}

func exec1(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func query1[T any](t testing.TB, pool *pgxpool.Pool, sql string, args ...any) (value T) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
