package proxy

import "github.com/stytchkit/m2m/stytch/token"

// SetTokenOptions adds options of the token source that no command has.
func (c *Config) SetTokenOptions(options ...token.Option) { c.tokenOptions = options }
