// Package reference reads the contract (api/openapi.yaml) for people: operations, their parameters,
// bodies, responses and errors, each fact with how certain it is. References between schemas are
// resolved, and the order of the file is kept.
package reference
