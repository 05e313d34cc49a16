package postgres

import (
	"context"
	"time"
)

// keepAtLeast is how long history is kept: a worker that did not hear that its last write succeeded
// repeats it.
const keepAtLeast = time.Hour

// A batch begins where the one before ended, because the index keeps what was deleted for as long
// as an old snapshot is open.
const purgeStatement = `
	WITH gone AS (
		DELETE FROM stytch_rotation WHERE id IN (
			SELECT id FROM stytch_rotation
			WHERE project = $1 AND finished IS NOT NULL AND updated_at >= coalesce($3::timestamptz, '-infinity')
				AND updated_at < statement_timestamp() - make_interval(secs => $2)
			ORDER BY updated_at LIMIT $4)
		RETURNING updated_at)
	SELECT count(*)::int, max(updated_at) FROM gone`

// Purge deletes the records of rotations that ended longer ago than olderThan, and returns how many
// it deleted. It deletes a thousand at a time; those deleted before an error stay deleted and are
// counted. Rotations in progress and those that need a human stay, however old they are.
//
// A client whose last record was deleted counts as one that was never rotated: fleet.WithOlderThan
// rotates it again, and Status is rotate.ErrNoRotation. Keep history for longer than the longest
// WithOlderThan. olderThan is at least an hour; otherwise the error is [ErrInvalidArgument].
func (j *Journal) Purge(ctx context.Context, olderThan time.Duration) (deleted int, err error) {
	const batch = 1000
	if olderThan < keepAtLeast {
		return 0, invalid("Purge: olderThan must be at least an hour: the last write of a rotation may be repeated until then")
	}
	var last *time.Time
	for {
		var n int
		from := last
		err := run(ctx, j.pool, func(ctx context.Context, conn conn) error {
			return conn.row(ctx, purgeStatement, j.project, olderThan.Seconds(), from, batch).Scan(&n, &last)
		})
		if err != nil {
			return deleted, err
		}
		deleted += n
		if n < batch {
			return deleted, nil
		}
	}
}
