package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Journal is a [rotate.Queue] in PostgreSQL. It is safe for concurrent use.
type Journal struct {
	pool    *pgxpool.Pool
	project string
	codec   *rotate.Codec
	process string // the first part of an owner, for people who read the table
	clock   clock
	front   front
}

var _ rotate.Queue = (*Journal)(nil)

// New returns the journal of a project in the database of pool. The caller closes the pool and may
// use it for other things. New does not connect; call [Migrate] before using the journal. Several
// projects can share a database.
//
// At least one key is required, because rows end up in backups, replicas and logs. For the keys see
// [rotate.NewCodec]: at least 32 random bytes each, the first encrypts, all decrypt. Errors are
// [ErrInvalidArgument].
func New(pool *pgxpool.Pool, projectID string, keys ...secret.String) (*Journal, error) {
	if pool == nil {
		return nil, invalid("pool must not be nil")
	}
	if len(keys) == 0 {
		return nil, invalid("at least one key is required: rows end up in backups, replicas and logs")
	}
	codec, err := rotate.NewCodec(projectID, keys...)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return &Journal{pool: pool, project: projectID, codec: codec, process: fmt.Sprintf("%.64s/%d/", host, os.Getpid())}, nil
}

// claimed is the state of a row for a client that was claimed before it had a rotation. The unique
// index that allows one rotation in progress per client thereby also allows one claim. The first
// write turns the row into that of the rotation.
const claimed = "claimed"

const claimStatement = `
	INSERT INTO stytch_rotation AS r (project, client_id, state, epoch, owner, lease_until)
	SELECT $1, $2, 'claimed', 1, $3, clock_timestamp() + make_interval(secs => $4) WHERE ` + tableVersion + ` <= $5
	ON CONFLICT (project, client_id) WHERE finished IS NULL
	DO UPDATE SET epoch = r.epoch + 1, owner = excluded.owner, lease_until = clock_timestamp() + make_interval(secs => $4)
	WHERE r.lease_until <= clock_timestamp() OR r.owner = excluded.owner
	RETURNING id, epoch, state, record, clock_timestamp(), ` + durable

// latestStatement reads the latest finished rotation after the claim was made, because a statement
// sees only what was committed when it began: claimStatement may have waited for the end of that
// rotation.
const latestStatement = `
	SELECT id, record FROM stytch_rotation
	WHERE project = $1 AND client_id = $2 AND finished IS NOT NULL
	ORDER BY finished DESC LIMIT 1`

// Claim implements [rotate.Journal].
func (j *Journal) Claim(ctx context.Context, clientID string, life time.Duration) (rotate.Claim, error) {
	c, err := j.claim(ctx, clientID, life)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (j *Journal) claim(ctx context.Context, clientID string, life time.Duration) (*claim, error) {
	if err := errors.Join(checkClientID(clientID), checkLife(life)); err != nil {
		return nil, err
	}
	c := j.newClaim(clientID, life)
	var data []byte
	err := run(ctx, j.pool, func(ctx context.Context, conn conn) error {
		var state string
		var now time.Time
		err := conn.row(ctx, claimStatement, j.project, clientID, c.owner, life.Seconds(), len(migrations)).
			Scan(&c.id, &c.epoch, &state, &data, &now, nil)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return refused(ctx, conn, rotate.ErrBusy)
		case err != nil:
			return err
		}
		j.clock.hear(now)
		if state != claimed {
			return nil
		}
		c.empty = true
		err = conn.row(ctx, latestStatement, j.project, clientID).Scan(&c.latest, &data)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err == nil && len(data) > 0 {
		c.record, err = j.codec.Decode(clientID, data)
	}
	return c.orNothing(ctx, err)
}

// refused returns why a statement had no effect: the version of the tables, or else another reason.
func refused(ctx context.Context, c conn, other error) error {
	var current int
	if err := c.row(ctx, `SELECT `+tableVersion).Scan(&current); err != nil {
		return err
	}
	if err := checkVersion(current); err != nil {
		return err
	}
	return other
}

func (j *Journal) newClaim(clientID string, life time.Duration) *claim {
	return &claim{journal: j, clientID: clientID, owner: j.process + rand.Text(), life: life}
}

// Read implements [rotate.Journal].
func (j *Journal) Read(ctx context.Context, clientID string) (rotate.Record, error) {
	if err := checkClientID(clientID); err != nil {
		return rotate.Record{}, err
	}
	const statement = `
		SELECT record, clock_timestamp() FROM stytch_rotation
		WHERE project = $1 AND client_id = $2 AND state <> 'claimed'
		ORDER BY finished DESC NULLS FIRST LIMIT 1`
	var data []byte
	var now time.Time
	err := j.pool.QueryRow(ctx, statement, modeOf(j.pool), j.project, clientID).Scan(&data, &now)
	if errors.Is(err, pgx.ErrNoRows) {
		return rotate.Record{}, rotate.ErrNoRotation
	}
	if err != nil {
		return rotate.Record{}, failed(err)
	}
	j.clock.hear(now)
	return j.codec.Decode(clientID, data)
}

// Unfinished implements [rotate.Journal]. It reads a thousand clients at a time, in the order of
// their ids, and holds neither a connection nor a transaction while the loop body runs.
func (j *Journal) Unfinished(ctx context.Context) iter.Seq2[string, error] {
	const statement = `
		SELECT client_id FROM stytch_rotation
		WHERE project = $1 AND client_id > $2 AND finished IS NULL AND state <> 'claimed'
		ORDER BY client_id LIMIT $3`
	return func(yield func(string, error) bool) {
		for last := ""; ; {
			rows, _ := j.pool.Query(ctx, statement, modeOf(j.pool), j.project, last, page) // CollectRows returns the same error
			clients, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				yield("", failed(err))
				return
			}
			for _, last = range clients {
				if !yield(last, nil) {
					return
				}
			}
			if len(clients) < page {
				return
			}
		}
	}
}
