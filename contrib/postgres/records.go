package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// page is how many rows are read at once.
const page = 1000

// A row is a stored record.
type row struct {
	id       int64
	clientID string
	record   []byte
}

// Records yields the latest record of every client, in the order of their ids, those of finished
// rotations included. A record that cannot be read is an error that names its client, after which
// the sequence continues. It reads a thousand at a time, and holds neither a connection nor a
// transaction while the loop body runs.
func (j *Journal) Records(ctx context.Context) iter.Seq2[rotate.Record, error] {
	const statement = `
		SELECT DISTINCT ON (client_id) id, client_id, record, clock_timestamp() FROM stytch_rotation
		WHERE project = $1 AND client_id > $2 AND state <> 'claimed'
		ORDER BY client_id, finished DESC NULLS FIRST LIMIT $3`
	return func(yield func(rotate.Record, error) bool) {
		for last := (row{}); ; {
			rows, err := j.rows(ctx, statement, last.clientID)
			if err != nil {
				yield(rotate.Record{}, err)
				return
			}
			for _, last = range rows {
				if !yield(j.decode(last)) {
					return
				}
			}
			if len(rows) < page {
				return
			}
		}
	}
}

// Inspect looks at every row of the project, history included, and returns what is wrong, each as
// an error that names the client: a record that cannot be read or decrypted, or belongs to another
// project or client, and the claim of a worker that died. It changes nothing. err is why it could
// not look at all rows.
func (j *Journal) Inspect(ctx context.Context) (findings []error, err error) {
	const statement = `
		SELECT id, client_id, record, clock_timestamp() FROM stytch_rotation
		WHERE project = $1 AND id > $2 AND state <> 'claimed' ORDER BY id LIMIT $3`
	for last := (row{}); ; {
		rows, err := j.rows(ctx, statement, last.id)
		if err != nil {
			return findings, err
		}
		for _, last = range rows {
			if _, err := j.decode(last); err != nil {
				findings = append(findings, err)
			}
		}
		if len(rows) < page {
			break
		}
	}
	leftovers, err := j.leftovers(ctx)
	return append(findings, leftovers...), err
}

// leftovers are the claims whose time is over. The next claim of the client takes them over.
func (j *Journal) leftovers(ctx context.Context) (findings []error, err error) {
	const statement = `
		SELECT client_id, owner, lease_until FROM stytch_rotation
		WHERE project = $1 AND finished IS NULL AND owner <> '' AND lease_until < clock_timestamp()
		ORDER BY client_id`
	rows, _ := j.pool.Query(ctx, statement, modeOf(j.pool), j.project) // CollectRows returns the same error
	findings, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (error, error) {
		var clientID, owner string
		var until time.Time
		if err := r.Scan(&clientID, &owner, &until); err != nil {
			return nil, err
		}
		return fmt.Errorf("postgres: client %.256q: a worker died while it rotated the client: its claim (%.256s) ended at %s: resume the rotation",
			clientID, owner, until.UTC().Format(time.RFC3339)), nil
	})
	if err != nil {
		return nil, failed(err)
	}
	return findings, nil
}

// rows reads a page of rows after the one that is named by after.
func (j *Journal) rows(ctx context.Context, statement string, after any) ([]row, error) {
	var now time.Time
	found, _ := j.pool.Query(ctx, statement, modeOf(j.pool), j.project, after, page) // CollectRows returns the same error
	rows, err := pgx.CollectRows(found, func(r pgx.CollectableRow) (one row, err error) {
		return one, r.Scan(&one.id, &one.clientID, &one.record, &now)
	})
	if err != nil {
		return nil, failed(err)
	}
	if len(rows) > 0 {
		j.clock.hear(now)
	}
	return rows, nil
}

// decode is the record of a row.
func (j *Journal) decode(r row) (rotate.Record, error) {
	record, err := j.codec.Decode(r.clientID, r.record)
	if err != nil {
		return rotate.Record{}, fmt.Errorf("client %.256q: %w", r.clientID, err)
	}
	return record, nil
}
