// Package redis shares the tokens of package token among processes by way of Redis (2.6.12 or newer) or Valkey.
//
//	client := goredis.NewClient(&goredis.Options{Addr: "redis:6379"})
//	store, err := redis.NewStore(client)
//	...
//	source, err := token.New(projectID, credentials, token.WithStore(store))
//
// A fleet then mints one token per client, set of scopes and lifetime. Whoever finds none in Redis takes a lease, and the
// others wait for what its holder stores. Redis need not be reliable or durable: while it is down, every process mints
// for itself, and no call fails. Nothing has to be configured for persistence, and a failover that forgets a lease costs one
// token at most per process that was waiting.
//
// Redis sees hashed names and encrypted values (AES-256-GCM), so that its administrators, its backups and whoever
// listens on the wire learn neither tokens nor who uses which. They can delete or hold back: that costs tokens, up to the budget
// of token.WithBudget. Commands used: GET, SET, and EVAL/EVALSHA with GET, SET and DEL on one key each, so that an access
// list may allow just these for the prefix.
package redis
