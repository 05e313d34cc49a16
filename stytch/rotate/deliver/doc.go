// Package deliver brings the secrets of a rotation to where they are used. Each of its deliverers is a [rotate.Deliverer],
// and all but [Exec] are a [rotate.Reader] too, so that a rotation finds the current secret there and checks what it delivered.
//
//	              where                                      written                            what is kept of others
//	File          one credentials file                       renamed over, fsynced              other members
//	Folder        <folder>/<client id>.json                  the same                           the same
//	Vault         a secret of a KV v2 engine                 check-and-set on its version       other keys of the secret
//	Kubernetes    a key of a Secret                          patch of its resourceVersion       all else in the Secret
//	Exec          wherever a program of yours brings it      exit code 0 is the verdict         its business
//
// What they hold is what token.File reads: client_id, client_secret, which is the one to use, and next_client_secret, which is
// the other one that is still accepted, if there is one. During a rotation client_secret is the new secret and
// next_client_secret the former one. In Vault these are keys of a secret; everywhere else they are one JSON object.
//
//	vault, err := deliver.Vault(deliver.VaultConfig{
//		Address: "https://vault.internal:8200",
//		Mount:   "secret",
//		Path:    func(clientID string) string { return "stytch/" + clientID },
//		Token:   deliver.TokenFile("/run/vault/token"),
//	})
//	...
//	rotator, err := rotate.New(client.M2M.Secrets, rotate.Deliverers{
//		"1-vault": vault,
//		"2-file":  deliver.File("/etc/payments/stytch.json"),
//	}, journal)
//
// A place that belongs to another client is [ErrOtherClient], and is left as it is. Delivering what a place holds already
// changes nothing: it makes no second version. What others change at the same time is not overwritten: the place is read again,
// and after some attempts it is [ErrConflict].
//
// Errors name the place and what is wrong with it. What a server or a program says is repeated without the secrets that were
// sent, in their usual encodings, and without what the place held before. All deliverers are safe for concurrent use, and print
// as what they are, without tokens or environments.
package deliver
