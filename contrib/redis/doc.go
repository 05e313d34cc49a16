// Package redis shares the tokens of package token among processes through Redis (2.6.12 or newer)
// or Valkey.
//
//	client := goredis.NewClient(&goredis.Options{Addr: "redis:6379"})
//	store, err := redis.NewStore(client)
//	...
//	source, err := token.New(projectID, credentials, token.WithStore(store))
//
// A fleet then mints one token per client, set of scopes and lifetime: the process that finds none
// in Redis takes a lease and mints, and the others wait for what it stores. Redis need not be
// reliable or durable. While it is down, every process mints for itself and no call fails.
// Persistence need not be configured, and a failover that loses a lease costs at most one token per
// process that was waiting.
//
// Redis sees hashed names and encrypted values (AES-256-GCM). Its administrators, its backups and
// anyone who reads the network learn neither the tokens nor who uses which. They can delete or
// withhold entries, which costs tokens, up to the limit of token.WithBudget. The commands used are
// GET, SET, and EVAL and EVALSHA with GET, SET and DEL on one key each, so an access list can allow
// only these for the prefix.
package redis
