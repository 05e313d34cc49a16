//go:build unix

package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Records yields the latest record of each client, over several pages, and goes on after one that
// cannot be read. Inspect finds that one too, and the claim of a worker that died.
func TestRecords(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	j, pool := open(t, dsn), connect(t, dsn)
	var want []string
	for n := range 3 {
		id := fmt.Sprint("client-", n)
		want = append(want, id)
		for _, state := range []rotate.State{rotate.Canceled, rotate.Completed} {
			c := claimOf(t, j, id)
			r := rotate.NewRecord(id, time.Now())
			r.State = state
			write(t, c, r)
		}
	}
	exec1(t, pool, `
		INSERT INTO stytch_rotation (project, client_id, rotation_id, state, finished, record)
		SELECT $1, 'many-' || lpad(n::text, 5, '0'), 'r', 'completed', 1, ''::bytea FROM generate_series(1, 2500) n`, project)
	exec1(t, pool, `INSERT INTO stytch_rotation (project, client_id, state) VALUES ('project-test-other', 'theirs', 'planned')`)
	c := claimOf(t, j, "working")
	r := rotate.NewRecord("working", time.Now())
	r.State, r.Next = rotate.Started, secret.Generate()
	write(t, c, r)
	_ = claimOf(t, j, "no-rotation-yet")
	want = append(want, "working")

	var got []string
	corrupt := 0
	for r, err := range j.Records(t.Context()) {
		switch {
		case err == nil:
			got = append(got, fmt.Sprint(r.ClientID))
			if r.State != rotate.Completed && r.ClientID != "working" {
				t.Errorf("%s is %s: not the latest one", r.ClientID, r.State)
			}
		case errors.Is(err, rotate.ErrCorrupt) && strings.Contains(err.Error(), `client "many-`):
			corrupt++
		default:
			t.Error(err)
		}
	}
	if !slices.Equal(got, want) || corrupt != 2500 {
		t.Errorf("yielded %q and %d errors", got, corrupt)
	}
	for range j.Records(t.Context()) {
		break // must not go on
	}

	findings, err := j.Inspect(t.Context())
	if err != nil || len(findings) != 2500 {
		t.Errorf("Inspect found %d, %v", len(findings), err)
	}
	exec1(t, pool, `DELETE FROM stytch_rotation WHERE client_id LIKE 'many-%'`)
	exec1(t, pool, `UPDATE stytch_rotation SET lease_until = clock_timestamp() - interval '1 minute' WHERE finished IS NULL`)
	if findings, err = j.Inspect(t.Context()); err != nil || len(findings) != 2 ||
		!strings.Contains(findings[0].Error(), `"no-rotation-yet"`) || !strings.Contains(findings[1].Error(), `"working"`) {
		t.Errorf("Inspect found %v, %v", findings, err)
	}
	other, err := postgres.New(pool, project, secret.Generate())
	if err != nil {
		t.Fatal(err)
	}
	if findings, err = other.Inspect(t.Context()); err != nil || len(findings) != 3 || !errors.Is(findings[0], rotate.ErrWrongKey) {
		t.Errorf("with another key Inspect found %v, %v", findings, err)
	}
	pool.Close()
	if _, err := other.Inspect(t.Context()); !errors.Is(err, rotate.ErrJournal) {
		t.Errorf("of a database that cannot be reached: %v", err)
	}
	for _, err := range other.Records(t.Context()) {
		if !errors.Is(err, rotate.ErrJournal) {
			t.Errorf("Records of it: %v", err)
		}
	}
}
