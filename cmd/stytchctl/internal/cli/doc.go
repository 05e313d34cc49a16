// Package cli is what all commands share: the streams and the environment of the program, its
// global flags, credentials, input files, output formats, questions, progress, and how an error
// becomes a message and an exit code.
//
// A command gets an [App]. It reads flags, calls the SDK, and prints records with a [Printer];
// whatever fails, it returns as an error. Nothing else decides about formats or exit codes. Data
// goes to stdout, everything else to stderr.
package cli
