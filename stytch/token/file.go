package token

import (
	"context"

	"github.com/stytchkit/m2m/internal/credentials"
)

// File reads the credentials at path before every token request, so they may change at any time.
// During a rotation there are two secrets: the one to use, and the previous one that is accepted as
// well. path leads to a file or a folder.
//
// A file holds either JSON,
//
//	{"client_id": "…", "client_secret": "…", "previous_client_secret": "…"}
//
// or the same values in the same order, one per line. Each line ends with a line feed: without the
// last one the file counts as half written, which is an error until it is read again. Replace a
// file by renaming.
//
// A folder has a file for each value, named client_id, client_secret and previous_client_secret, as
// Kubernetes mounts a Secret with these keys. All values are taken from one version of the mount.
// In a folder that is not mounted in that way each file must end with a line feed.
//
// The previous secret may be absent. It may also be named next_client_secret, as earlier versions
// of this SDK did. A byte order mark is skipped. Spaces, zero-width characters and quotation marks
// in or around a value are an error that names them.
//
// On Unix a file that everyone may write to is refused. Who may read it is not checked, because
// every process in a container can read the secrets that Kubernetes mounts there; elsewhere, give
// it mode 0600. On Windows no permissions are checked: let the access control list of the folder
// give only the account of the service and administrators access.
func File(path string) Credentials { return file(path) }

type file string

func (f file) check() error {
	if f == "" {
		return invalid("File", "path must not be empty")
	}
	return nil
}

func (f file) Credential(context.Context) (Credential, error) {
	c, err := credentials.Read(string(f))
	if err != nil {
		return Credential{}, err
	}
	return Credential{ClientID: c.ClientID, Secret: c.Secret, Next: c.Previous}, nil
}
