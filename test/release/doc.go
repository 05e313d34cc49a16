// Package release makes a release of this repository: it checks that everything is ready, gives the
// modules the form in which their users get them, and builds what is published beside them.
package release
