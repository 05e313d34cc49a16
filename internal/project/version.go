package project

import "runtime"

// Version is the version of this SDK.
const Version = "0.1.0"

// UserAgent is how the SDK names itself in the User-Agent header of every request.
var UserAgent = "stytch-m2m-go/" + Version + " (" + runtime.Version() + "; " + runtime.GOOS + ")"
