// Package reference writes the documentation of the commands: man pages, and the page
// docs/stytchctl.md. Both are made of the commands themselves.
package reference
