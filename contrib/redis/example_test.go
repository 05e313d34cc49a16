package redis_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/stytchkit/m2m/contrib/redis"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// Three processes with one Redis: Stytch issues, and bills, one token.
func ExampleNewStore() {
	server, err := miniredis.Run() // yours is a real one
	if err != nil {
		panic(err)
	}
	defer server.Close()
	worker := emulator.M2MClientSeed{ClientID: "worker", Secret: secret.Generate().Reveal(), Scopes: []string{"read:users"}}
	stytch, err := emulator.Start(emulator.WithM2MClient(worker))
	if err != nil {
		panic(err)
	}
	defer stytch.Close()

	for range 3 {
		client := goredis.NewClient(&goredis.Options{Addr: server.Addr()})
		defer client.Close()
		store, err := redis.NewStore(client, redis.WithTimeout(time.Second)) // for a busy test machine
		if err != nil {
			panic(err)
		}
		source, err := token.New(stytch.ProjectID, token.Static(worker.ClientID, secret.New(worker.Secret)),
			token.WithStore(store), token.WithBaseURL(stytch.URL)) // the real one needs no base URL
		if err != nil {
			panic(err)
		}
		defer source.Close()
		if _, err := source.Token(context.Background()); err != nil {
			panic(err)
		}
	}
	fmt.Println(stytch.TokensMinted(worker.ClientID))
	// Output: 1
}

// Redis need not be there: without it, each process gets tokens of its own.
func ExampleNewStore_down() {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer client.Close()
	store, err := redis.NewStore(client, redis.WithTimeout(time.Second))
	if err != nil {
		panic(err)
	}
	worker := emulator.M2MClientSeed{ClientID: "worker", Secret: secret.Generate().Reveal(), Scopes: []string{"read:users"}}
	stytch, err := emulator.Start(emulator.WithM2MClient(worker))
	if err != nil {
		panic(err)
	}
	defer stytch.Close()
	source, err := token.New(stytch.ProjectID, token.Static(worker.ClientID, secret.New(worker.Secret)),
		token.WithStore(store), token.WithBaseURL(stytch.URL))
	if err != nil {
		panic(err)
	}
	defer source.Close()

	t, err := source.Token(context.Background())
	fmt.Println(t.Scopes, err)
	fmt.Println("failures of the store are counted:", source.Stats().StoreFailures > 0)
	// Output:
	// [read:users] <nil>
	// failures of the store are counted: true
}
