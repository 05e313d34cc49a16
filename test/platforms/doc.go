// Package platforms type-checks every module of the repository, tests included, for the platforms
// that CI does not run on, and applies the analyzers of go vet that look at one package at a time.
//
// It reads source and compiles nothing, so it needs seconds where go vet compiles the standard
// library and every dependency for each platform first.
package platforms
