//go:build unix

package credentials

// unixModes says that the mode of a file limits what other users may do.
const unixModes = true
