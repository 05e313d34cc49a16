// Package store keeps the state of an emulator in one file.
//
// The file is a bbolt database with two buckets: records, keyed by kind and id, and settings, which
// belong to the server. Each value begins with a checksum. One goroutine writes: what arrives while
// it commits goes into its next commit, so that many callers share one fsync. A commit is whole or
// absent after a crash. The file is locked while it is open, and holds private keys, so it is
// readable by its owner alone.
package store
