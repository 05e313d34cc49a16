package destination

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// save writes a secret that its place did not take into a file of its own, and says where it is.
func (p *Place) save(d rotate.Delivery, done string, cause error) error {
	return save(p.env, d, cli.Errorf("", "%s, but its secret could not be stored (%s): %w", done, p.Name(d.ClientID), cause))
}

// Unprinted saves a secret that --reveal could not print, as [Place.Put] does if its place fails.
// The cause is in the message only: here a reader that went away must be reported.
func Unprinted(app *cli.App, clientID string, s secret.String, done string, cause error) error {
	return save(app.Getenv, rotate.Delivery{ClientID: clientID, Secret: s}, cli.Errorf("", "%s, but its secret could not be printed: %v", done, cause))
}

func save(env func(string) string, d rotate.Delivery, what error) error {
	file, err := saveFile(d, saveFolders(env))
	if err != nil {
		return cli.Errorf(cli.Partial, "%w\nIt could not be saved in a file either (%w): it is lost. Start a rotation for a new one, or delete the client.", what, err)
	}
	return cli.Errorf(cli.Partial, "%w\nIt was saved in %s (mode 0600): bring it where it belongs and remove that file.", what, file)
}

// saveFolders are where a secret may be saved: the state folder of the user, else the working
// folder.
func saveFolders(env func(string) string) (folders []string) {
	if state := env("XDG_STATE_HOME"); filepath.IsAbs(state) {
		folders = append(folders, filepath.Join(state, "stytchctl", "undelivered"))
	} else if home := env("HOME"); filepath.IsAbs(home) {
		folders = append(folders, filepath.Join(home, ".local", "state", "stytchctl", "undelivered"))
	}
	if working, err := os.Getwd(); err == nil {
		folders = append(folders, working)
	}
	return folders
}

func saveFile(d rotate.Delivery, folders []string) (path string, err error) {
	text, err := json.Marshal(struct {
		ClientID string          `json:"client_id"`
		Secret   secret.Outgoing `json:"client_secret"`
	}{d.ClientID, secret.Outgoing(d.Secret)})
	if err != nil {
		return "", err
	}
	err = os.ErrNotExist
	for _, folder := range folders {
		if err = os.MkdirAll(folder, 0o700); err != nil {
			continue
		}
		if path, err = saveIn(folder, d.ClientID, append(text, '\n')); err == nil {
			return path, nil
		}
	}
	return "", err
}

// saveIn makes a new file whose name no other has.
func saveIn(folder, clientID string, text []byte) (path string, err error) {
	if !inPath(clientID) {
		clientID = "client"
	}
	file, err := os.CreateTemp(folder, fmt.Sprintf("secret-of-%s-*.json", clientID)) // mode 0600
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}
