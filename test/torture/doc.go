// Package torture holds the tests that kill rotations, lose their responses, fill their disks and
// lie to them. Everything in them is real: the client, the journal in files, the deliverer, the
// server. It has no code of its own.
//
// A plain run takes a sample. M2M_HEAVY_TESTS=1 runs everything, and M2M_HEAVY_TESTS=long kills a
// thousand processes at random.
package torture
