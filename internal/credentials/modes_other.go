//go:build !unix

package credentials

// unixModes says that the mode of a file does not limit what other users may do: access control
// lists do, which this package does not read.
const unixModes = false
