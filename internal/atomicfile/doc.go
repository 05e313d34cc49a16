// Package atomicfile keeps small private files so that a crash leaves the former or the new content, never a mix and never
// nothing, and so that nobody else can read them or slip others in.
//
// It is for local file systems of Unix systems that have flock. Elsewhere every function returns an error that wraps
// [errors.ErrUnsupported]. Network file systems are not covered: what fsync and flock promise differs there. Errors name
// paths, never content, and wrap the cause.
package atomicfile

// Point is called between the steps of writing a file, with "created", "written", "synced" and "renamed". An error makes the
// write fail there. It is for tests that fill the disk or kill the process, and nil otherwise. Set it before anything is written.
var Point func(name string) error

func reached(name string) error {
	if Point == nil {
		return nil
	}
	return Point(name)
}
