module github.com/stytchkit/m2m/contrib/oauth2

go 1.25.0

require (
	github.com/stytchkit/m2m v0.0.0
	golang.org/x/oauth2 v0.36.0
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/oapi-codegen/runtime v1.8.0 // indirect
)

replace github.com/stytchkit/m2m => ../..
