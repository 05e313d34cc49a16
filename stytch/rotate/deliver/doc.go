// Package deliver writes the secrets of a rotation to where they are used. Every deliverer here is
// a [rotate.Deliverer]. All but [Exec] are also a [rotate.Reader], so a rotation finds the current
// secret in that place and checks each delivery.
//
//	deliverer   place                       written by                 left alone
//	File        one credentials file        rename, then fsync         other members
//	Folder      <folder>/<client id>.json   the same                   the same
//	Vault       a secret of a KV v2 engine  check-and-set              other keys
//	Kubernetes  a key of a Secret           patch of the version read  everything else
//	Exec        up to your program          your program; 0 is success
//
// Each place holds what token.File reads: client_id, client_secret (the secret to use) and, during
// a rotation, previous_client_secret (the secret that it replaces and that is still accepted). In
// Vault these are keys of a secret; everywhere else they are members of one JSON object. Earlier
// versions wrote next_client_secret; that name is still read, and replaced by the next delivery.
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
// A place that belongs to another client is [ErrOtherClient] and is left unchanged. Delivering what
// a place already holds changes nothing and makes no new version. Concurrent changes by others are
// never overwritten: the place is read again until the context ends (or for a minute, if it has no
// deadline), and then the delivery fails with [ErrConflict]. However many processes share a place,
// each attempt that loses means that another one has succeeded.
//
// A delivery counts as made when the place confirms what it holds, not by a status alone: Vault
// names the new version, Kubernetes returns the Secret, a file is on disk. Each deliverer is also a
// [rotate.Checker]: Check shows that a place can be read and written without changing what it
// holds. A place that is missing as a whole, such as a folder, a namespace or a mount, is an error;
// a missing file, Secret (with Create) or key is a place that holds nothing yet.
//
// Errors name the place and the fault. They quote servers and programs, but with every secret
// removed: those that were sent, in all usual encodings, and those that the place held. All
// deliverers are safe for concurrent use. Printed, they show where they write, without tokens or
// environments.
package deliver
