package redis_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stytchkit/m2m/stytch/token/storetest"
)

// server is a real Redis or Valkey on a loopback port.
type server struct {
	addr   string
	client *goredis.Client // of the test's own questions
	binary string
	dir    string
	cmd    *exec.Cmd
}

// startServer starts redis-server, or valkey-server where there is no other. Where there is
// neither, the test is skipped, unless REDIS_REQUIRED=1 requires one.
func startServer(t *testing.T) *server {
	t.Helper()
	s := &server{dir: t.TempDir()}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			s.binary = path
			break
		}
	}
	if s.binary == "" {
		if os.Getenv("REDIS_REQUIRED") == "1" {
			t.Fatal("REDIS_REQUIRED=1, but there is neither redis-server nor valkey-server in PATH")
		}
		t.Skip("neither redis-server nor valkey-server in PATH (apt-get install redis-server)")
	}
	s.addr = freePort(t)
	s.client = connect(t, s.addr)
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// start runs the server with an empty memory and returns when it responds.
func (s *server) start(t *testing.T) {
	t.Helper()
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(s.binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	patience := time.After(30 * time.Second)
	for {
		err := s.client.Ping(t.Context()).Err()
		if err == nil {
			return
		}
		select {
		case <-patience:
			t.Fatalf("%s does not respond on %s: %v", s.binary, s.addr, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill ends the server without letting it close connections.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// everything is all names and values that an administrator can read.
func (s *server) everything(t *testing.T) (content []byte, keys int) {
	t.Helper()
	each := s.client.Scan(t.Context(), 0, "*", 100).Iterator()
	for each.Next(t.Context()) {
		keys++
		value, _ := s.client.Get(t.Context(), each.Val()).Bytes() // a lease may have gone
		content = append(append(append(content, each.Val()...), '\n'), value...)
	}
	if err := each.Err(); err != nil {
		t.Fatal(err)
	}
	return content, keys
}

// listen returns what the server is asked from now on, until the function that it returns is
// called.
func (s *server) listen(t *testing.T) (stop func() []byte) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "MONITOR\r\n"); err != nil {
		t.Fatal(err)
	}
	read, done := []byte(nil), make(chan struct{})
	started := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 64<<10)
		for first := true; ; first = false {
			n, err := conn.Read(buffer)
			read = append(read, buffer[:n]...)
			if first {
				close(started)
			}
			if err != nil {
				return
			}
		}
	}()
	<-started // the server said OK
	return func() []byte {
		_ = conn.Close()
		<-done
		return read
	}
}

func TestStoreOnServer(t *testing.T) {
	s := startServer(t)
	t.Log("server version", version(t, s))
	storetest.Run(t, newStore(t, s.addr, patient), func(d time.Duration) { <-time.After(d) })
}

func version(t *testing.T, s *server) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), s.binary, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
