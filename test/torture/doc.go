// Package torture holds the tests that kill rotations, lose their answers, fill their disks and lie
// to them. Everything in them is real: the client, the journal in files, the deliverer, the server.
// It has no code of its own.
//
// Run by themselves they take seconds. ROTATE_TORTURE=long makes them take as long as it takes to
// kill a thousand times.
package torture
