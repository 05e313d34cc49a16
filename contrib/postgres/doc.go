// Package postgres keeps the journal of package rotate in PostgreSQL (13 or newer), so that several worker processes rotate the
// secrets of one fleet, and a limit of requests that they share.
//
//	pool, err := pgxpool.New(ctx, "postgres://rotator@db/ops")
//	err = postgres.Migrate(ctx, pool)
//	journal, err := postgres.New(pool, projectID, key)
//	limiter, err := journal.Bucket("stytch", 50, 10)
//	rotator, err := rotate.New(api.M2M.Secrets, deliverer, journal, rotate.WithLimiter(limiter))
//
// # What is kept
//
// Table stytch_rotation has one row per rotation. A unique index allows a client one that is under way; those that ended stay as
// history and may be deleted at any time, with where finished is not null. Secrets are encrypted by this process
// (AES-256-GCM) before they are sent, so the database, its logs, its backups and its replicas never have them. The rest of a record
// can be read, and cannot be changed unnoticed. When a rotation ends, the row holds no secret any more; dead rows, WAL and
// backups hold the encrypted one as long as they hold anything, and lose it for good when the key is destroyed.
//
// # What is promised
//
// A claim is a lease: a row says who may write it, and until when by the database's clock. Every claim raises the epoch of
// the row, and every write names the epoch that it knows, in one statement. So a worker that was paused, or cut off, past its lease
// can still try to write, but gets rotate.ErrBusy and changes nothing once another one has claimed the client. A worker that
// dies leaves its claims behind; others take them over when the lease ends.
//
// Stytch knows nothing of leases and cannot be fenced. A request that a worker had sent before it was paused takes effect
// whenever it arrives. That is why a rotator looks and proves before every effect, and sends none when its lease is about to end; the
// instant between its last look at the clock and the request remains. docs/rotation.md says what can happen in it.
//
// A write that succeeded survives a crash of the database server: where sessions are set not to wait for the disk
// (synchronous_commit = off), these statements wait all the same. Stronger settings are left as they are. A server with fsync = off
// promises nothing, and a replica that takes over promises what it had received: with automatic failover, replicate
// synchronously. After any loss a rotator compares the journal with Stytch and goes on, or stops without doing harm.
//
// A write whose answer was lost is rotate.ErrJournal, and may have happened. It may be repeated with the same claim.
//
// # Cost
//
// One statement takes a rotation from the queue, and one writes each state: seven for a rotation without a grace period. A claim of
// a client that has no rotation under way takes one more, and a release without an end one. A worker that finds nothing due asks
// again every two seconds while others are at work. No transaction stays open, and no connection is held between statements,
// so a pool of ten serves a hundred workers. Transaction poolers work, with pgx.QueryExecModeExec or
// pgx.QueryExecModeSimpleProtocol where they cannot keep prepared statements.
//
// # Rights
//
// Workers need SELECT, INSERT, UPDATE and DELETE on stytch_rotation and stytch_rotation_bucket, and SELECT on
// stytch_rotation_migration. Only the first [Migrate] after an update needs to create and change tables.
package postgres
