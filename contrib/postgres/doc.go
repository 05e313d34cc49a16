// Package postgres stores the journal of package rotate in PostgreSQL (13 or newer), so that
// several worker processes can rotate the secrets of one fleet, and a rate limit that they share.
//
//	pool, err := pgxpool.New(ctx, "postgres://rotator@db/ops")
//	err = postgres.Migrate(ctx, pool)
//	journal, err := postgres.New(pool, projectID, key)
//	limiter, err := journal.Bucket("stytch", 50, 10)
//	rotator, err := rotate.New(api.M2M.Secrets, deliverer, journal, rotate.WithLimiter(limiter))
//	workers, err := fleet.New(rotator)
//
// # Tables
//
// Table stytch_rotation has one row per rotation. A unique index allows one rotation in progress
// per client. Finished rotations stay as history until [Journal.Purge] deletes them. Secrets are
// encrypted by this process (AES-256-GCM) before they are sent, so the database, its logs, backups
// and replicas never have them in plain text. The rest of a record is readable but cannot be
// changed unnoticed. The row of a finished rotation has no secrets. Dead rows, WAL and backups have
// the encrypted ones until they are gone, or until the key is destroyed.
//
// # Time
//
// Every deadline that workers share, such as the end of a grace period, of a claim or of a pause,
// is kept by the clock of the database, whatever time the machines of the workers believe it is.
//
// # Guarantees
//
// A claim is a lease: its row says who may write it, and until when by the database's clock. Each
// claim raises the epoch of the row, and each write names the epoch it knows in one statement. A
// worker that was paused or cut off for longer than its lease gets rotate.ErrBusy and changes
// nothing if another worker has claimed the client since. When a worker dies, others take over its
// claims as the leases end.
//
// Stytch knows nothing of leases. A request that a worker sent before it was paused takes effect
// whenever it arrives. A rotator therefore looks and proves before each effect, and sends no
// request when its lease is about to end. What remains is the moment between its last look at the
// clock and the request: docs/rotation.md says what can happen in it.
//
// A successful write survives a crash of the database server, even where sessions are set not to
// wait for the disk (synchronous_commit = off). Stronger settings are respected. A server with
// fsync = off guarantees nothing. A replica that takes over has what it had received, so use
// synchronous replication with automatic failover. After a loss, a rotator compares the journal
// with Stytch and continues, or stops without harm.
//
// A write whose response was lost is rotate.ErrJournal and may have happened. It may be repeated
// with the same claim.
//
// # Cost
//
// One statement takes a rotation from the queue, and one writes each state: seven for a rotation
// without a grace period. Claiming a client without a rotation in progress takes one more, and so
// does releasing a rotation that is not finished. A worker that finds nothing due asks again every
// two seconds while others are working. No transaction stays open, and no connection is held
// between statements, so a pool of ten connections serves a hundred workers. Statements are not
// prepared and sessions are not changed, so poolers such as pgbouncer work in transaction mode,
// whatever the pool's DefaultQueryExecMode is.
//
// A long transaction elsewhere in the database, such as a report or a backup, keeps what the index
// of the queue once held. Each process remembers where the queue begins, so a claim reads about 30
// pages (8 KiB each) all the same.
//
// # Updates
//
// Apply a new version's changes with [Migrate]. Workers of an older version then claim nothing more
// and end with rotate.ErrNewerVersion.
//
// # Rights
//
// Workers need SELECT, INSERT, UPDATE and DELETE on stytch_rotation and stytch_rotation_bucket, and
// SELECT on stytch_rotation_migration. Only the first [Migrate] after an update creates and changes
// tables.
package postgres
