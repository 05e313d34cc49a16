// Package house holds the whole repository to its rules: who may import whom, how files of a
// package may refer to one another, what errors say, and how names and comments are written. The
// rules are the tests; the other files read the source.
//
// Run it with go test ./house in the folder test. TestFileCycles -v prints every group of files
// that refer to one another, TestErrors -update rewrites the list of all errors.
package house
