package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// planned is a row of Plan.
type planned struct {
	client, rotation string
	record           []byte
	at               int // position in the list
}

// The rotations of one statement become due in the order of the list, one microsecond apart and in
// the past.
const planStatement = `
	INSERT INTO stytch_rotation AS r (project, client_id, rotation_id, state, record, due_at, planned_at)
	SELECT $1, p.client, p.rotation, 'planned', p.record, statement_timestamp() - make_interval(secs => 1e-6 * ($6::int - p.at)), $7::timestamptz
	FROM unnest($2::text[], $3::text[], $4::bytea[], $5::int[]) AS p (client, rotation, record, at)
	WHERE ` + tableVersion + ` <= $8
	ON CONFLICT (project, client_id) WHERE finished IS NULL
	DO UPDATE SET rotation_id = excluded.rotation_id, state = 'planned', record = excluded.record, due_at = excluded.due_at,
		planned_at = excluded.planned_at, updated_at = excluded.updated_at, epoch = r.epoch + 1, owner = ''
	WHERE r.state = 'claimed' AND r.lease_until <= clock_timestamp()
	RETURNING ` + durable

// Plan implements [rotate.Queue]. Clients become due in the order of the list. They are added a
// thousand at a time; those added before an error stay and are counted. A claimed client counts as
// one with a rotation in progress.
func (j *Journal) Plan(ctx context.Context, clientIDs []string) (added int, err error) {
	const batch = 1000
	for _, id := range clientIDs {
		if err := checkClientID(id); err != nil {
			return 0, err
		}
	}
	for part := range slices.Chunk(clientIDs, batch) {
		n, err := j.plan(ctx, part)
		added += n
		if err != nil {
			return added, err
		}
	}
	return added, nil
}

func (j *Journal) plan(ctx context.Context, clientIDs []string) (added int, err error) {
	now := j.Now()
	rows := make([]planned, len(clientIDs))
	for i, id := range clientIDs {
		r := rotate.NewRecord(id, now)
		data, err := j.codec.Encode(r)
		if err != nil {
			return 0, err
		}
		rows[i] = planned{id, r.RotationID, data, i}
	}
	// Sorted, so that two concurrent statements lock rows in the same order and cannot deadlock.
	slices.SortStableFunc(rows, func(a, b planned) int { return cmp.Compare(a.client, b.client) })
	rows = slices.CompactFunc(rows, func(a, b planned) bool { return a.client == b.client })
	var clients, rotations []string
	var records [][]byte
	var places []int
	for _, p := range rows {
		clients, rotations = append(clients, p.client), append(rotations, p.rotation)
		records, places = append(records, p.record), append(places, p.at)
	}
	err = run(ctx, j.pool, func(ctx context.Context, conn conn) (err error) {
		added, err = conn.exec(ctx, planStatement, j.project, clients, rotations, records, places, len(clientIDs), now, len(migrations))
		if err == nil && added == 0 && len(rows) > 0 {
			return refused(ctx, conn, nil)
		}
		return err
	})
	return added, err
}

// These use statement_timestamp() because an index cannot be searched for clock_timestamp().
const (
	nextStatement = `
		UPDATE stytch_rotation SET epoch = epoch + 1, owner = $2, lease_until = clock_timestamp() + make_interval(secs => $3)
		WHERE id = (
			SELECT id FROM stytch_rotation
			WHERE project = $1 AND due_at >= coalesce($4::timestamptz, '-infinity') AND due_at <= statement_timestamp()
				AND lease_until <= statement_timestamp() AND ` + tableVersion + ` <= $6
			ORDER BY due_at LIMIT 1
			FOR UPDATE SKIP LOCKED)
		RETURNING id, client_id, epoch, record, due_at, clock_timestamp(), CASE WHEN $5 THEN (
			SELECT min(due_at) FROM stytch_rotation WHERE project = $1 AND due_at >= coalesce($4::timestamptz, '-infinity')) END, ` + durable

	// When the first rotation becomes due, or the first claim on a due one may end. Holders may
	// release a claim long before its lease ends and there is no notification, so the wait for a
	// claim is short.
	waitStatement = `
		SELECT extract(epoch FROM least(
			(SELECT min(least(greatest(due_at, lease_until), statement_timestamp() + interval '2 seconds'))
				FROM stytch_rotation WHERE project = $1 AND due_at >= coalesce($2::timestamptz, '-infinity') AND due_at <= statement_timestamp()),
			(SELECT min(due_at) FROM stytch_rotation WHERE project = $1 AND due_at > statement_timestamp())
		) - statement_timestamp())::float8,
		(SELECT min(due_at) FROM stytch_rotation WHERE project = $1 AND due_at >= coalesce($2::timestamptz, '-infinity')),
		clock_timestamp(), ` + tableVersion
)

const minWait = 10 * time.Millisecond // if something has become due since Next looked

// Next implements [rotate.Queue]. A record that cannot be read is an error of [rotate.Codec.Decode]
// with the client's id; it is set aside for a minute so that others come first.
func (j *Journal) Next(ctx context.Context, life time.Duration) (rotate.Claim, time.Duration, error) {
	if err := checkLife(life); err != nil {
		return nil, 0, err
	}
	c := j.newClaim("", life)
	var data []byte
	var wait *float64 // seconds
	err := run(ctx, j.pool, func(ctx context.Context, conn conn) (err error) {
		look := j.front.look()
		data, err = j.take(ctx, conn, c, look)
		if errors.Is(err, pgx.ErrNoRows) && !look.whole { // perhaps before where this process looked
			look = j.front.wholeLook()
			data, err = j.take(ctx, conn, c, look)
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		wait, err = j.nothingDue(ctx, conn, look)
		return err
	})
	if err != nil {
		return nil, waitFor(wait), err
	}
	if c.record, err = j.codec.Decode(c.clientID, data); err != nil {
		c.setAside(ctx)
		return nil, 0, fmt.Errorf("%w: client %q", err, c.clientID)
	}
	if c, err = c.orNothing(ctx, nil); err != nil {
		return nil, 0, err
	}
	return c, 0, nil
}

// take claims the first rotation that is due, and returns its record.
func (j *Journal) take(ctx context.Context, conn conn, c *claim, look look) (data []byte, err error) {
	var due, now time.Time
	var first *time.Time
	err = conn.row(ctx, nextStatement, j.project, c.owner, c.life.Seconds(), look.from, look.whole, len(migrations)).
		Scan(&c.id, &c.clientID, &c.epoch, &data, &due, &now, &first, nil)
	if err != nil {
		return nil, err
	}
	j.clock.hear(now)
	j.front.found(look, due)
	if look.whole {
		j.front.seen(look, first, now)
	}
	return data, nil
}

// nothingDue returns in how many seconds to look again, nil if nothing is left, and the reason.
func (j *Journal) nothingDue(ctx context.Context, conn conn, look look) (wait *float64, err error) {
	var first *time.Time
	var now time.Time
	var current int
	if err := conn.row(ctx, waitStatement, j.project, look.from).Scan(&wait, &first, &now, &current); err != nil {
		return nil, err
	}
	if err := checkVersion(current); err != nil {
		return nil, err
	}
	j.clock.hear(now)
	j.front.seen(look, first, now)
	return wait, rotate.ErrNoRotation
}

func waitFor(seconds *float64) time.Duration {
	if seconds == nil {
		return 0
	}
	return max(minWait, time.Duration(*seconds*float64(time.Second)))
}

// setAside is drop for a row that Next would otherwise return again at once.
func (c *claim) setAside(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), linger)
	defer cancel()
	_ = c.change(ctx, nil, asideStatement)
}

// Defer implements [rotate.Queue]. Like Release, it does nothing if the claim was lost. It never
// makes a rotation due earlier. What the database gets is how long that is from now, so it does not
// matter by how much its clock differs from that of this machine.
func (j *Journal) Defer(ctx context.Context, held rotate.Claim, until time.Time) error {
	c, ok := held.(*claim)
	if !ok {
		return invalid("Defer: the claim is not one of this package")
	}
	if c.empty || c.ended || c.released || c.record.State == rotate.NeedsHuman {
		return c.Release(ctx)
	}
	if err := c.change(ctx, nil, deferStatement, time.Until(until).Seconds()); err != nil {
		return err
	}
	c.released = true
	return nil
}
