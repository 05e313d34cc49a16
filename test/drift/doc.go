// Package drift proves that a change of the contract reaches everything that is generated from it,
// and breaks what is written by hand until that follows.
package drift
