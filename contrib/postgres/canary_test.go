//go:build unix

package postgres_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// dump is every row of every table, with the bytes of the records as they are.
func dump(t *testing.T, pool *pgxpool.Pool) []byte {
	t.Helper()
	var out bytes.Buffer
	rows, err := pool.Query(t.Context(), `SELECT record FROM stytch_rotation`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(nil); err != nil {
			t.Fatal(err)
		}
		out.Write(rows.RawValues()[0])
		out.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, table := range []string{"stytch_rotation", "stytch_rotation_bucket", "stytch_rotation_migration"} {
		if _, err := conn.Conn().PgConn().CopyTo(t.Context(), &out, "COPY "+table+" TO STDOUT"); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// spellings is how s could appear somewhere.
func spellings(s string) [][]byte {
	var all [][]byte
	for shift := range 3 { // where base64 of a longer text has it
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + s))
		all = append(all, []byte(encoded[4:len(encoded)-4]))
	}
	escaped := url.QueryEscape(s)
	for _, text := range []string{s, escaped, hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s)))} {
		all = append(all, []byte(text))
	}
	return all
}

// Secrets are not to be found in what administrators, backups and logs have.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	heavy.Only(t) // it starts a server of its own and searches its files
	server, err := newServer(needServer(t))
	if server != nil {
		t.Cleanup(server.remove)
	}
	if err != nil {
		t.Fatal(err)
	}
	dsn := server.newDatabase(t)
	pool := connect(t, dsn)
	exec1(t, pool, `ALTER SYSTEM SET log_statement = 'all'`)
	exec1(t, pool, `ALTER SYSTEM SET log_min_duration_statement = 0`)
	exec1(t, pool, `SELECT pg_reload_conf()`)
	logged := func() []byte {
		data, err := os.ReadFile(server.log())
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	eventually(t, "the server to log statements", func() bool {
		exec1(t, pool, `SELECT 'marker of the log'`)
		return bytes.Contains(logged(), []byte("marker of the log"))
	})

	j := open(t, dsn)
	current, next := secret.Generate(), secret.Generate()
	var seen bytes.Buffer
	for n, end := range []rotate.State{rotate.NeedsHuman, rotate.Completed, rotate.Canceled} {
		clientID := fmt.Sprintf("client-%d", n)
		if _, err := j.Plan(t.Context(), []string{clientID}); err != nil {
			t.Fatal(err)
		}
		c, _, err := j.Next(t.Context(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		r := c.Record()
		for _, state := range []rotate.State{rotate.Starting, rotate.Started, rotate.Delivered, rotate.Verified, rotate.Grace, rotate.Completing, end} {
			r.State, r.Current, r.Next, r.GraceUntil = state, current, next, time.Now()
			if state == rotate.NeedsHuman {
				r.Stopped = rotate.Completing
			}
			write(t, c, r)
			seen.WriteString(query1[string](t, pool, `SELECT string_agg(query, E'\n') FROM pg_stat_activity`))
			seen.Write(dump(t, pool))
		}
		if n == 0 {
			if got, err := j.Read(t.Context(), clientID); err != nil || !got.Next.Equal(next) {
				t.Fatalf("the stored secret cannot be read: %v", err)
			}
		}
	}
	pgDump := exec.Command(filepath.Join(server.bin, "pg_dump"), "-d", dsn)
	backup, err := pgDump.CombinedOutput()
	if err != nil {
		t.Fatalf("pg_dump: %v: %s", err, backup)
	}
	server.kill() // and with it, everything in memory is in its files
	places := map[string][]byte{"the tables and pg_stat_activity": seen.Bytes(), "pg_dump": backup, "the log": logged()}
	for _, file := range filesBelow(t, server.data()) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		places["WAL and tables"] = append(places["WAL and tables"], data...)
	}
	clientID := []byte("client-1") // which is no secret, and shows that the search finds what is there
	for name, place := range places {
		if !bytes.Contains(place, clientID) {
			t.Errorf("%s: not even the client is found", name)
		}
		for _, s := range []secret.String{current, next, key} {
			for _, spelling := range spellings(s.Reveal()) {
				if bytes.Contains(place, spelling) {
					t.Errorf("%s holds a secret", name)
				}
			}
		}
	}
	if !bytes.Contains(places["the log"], []byte(`parameters: $1 =`)) && !bytes.Contains(places["the log"], []byte(`Parameters: $1 =`)) {
		t.Error("the log has no parameters, so that nothing was found there says nothing")
	}
}

func filesBelow(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// eventually waits for something that takes its time.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	patience := time.After(30 * time.Second)
	for !happened() {
		select {
		case <-patience:
			t.Fatalf("waited in vain for %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
