package house

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/project/projecttest"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

const (
	goodProject = "project-test-1"
	goodSecret  = "secret-test-1"
	goodClient  = "m2m-client-test-1"
)

// door is a constructor or option by which a value enters the SDK.
type door struct {
	name    string
	invalid error // ErrInvalidArgument of its package
	try     func(value string) error
}

func credentials() token.Credentials {
	return token.Static(goodClient, secret.New("client-secret"))
}

// TestDoors holds every door to the same verdict on the same value. Those of contrib have a test
// there.
func TestDoors(t *testing.T) {
	for _, rule := range []struct {
		check  func(string) error
		values []string
		doors  []door
	}{
		{project.CheckID, projecttest.IDs, []door{
			{"stytch.New", stytch.ErrInvalidArgument, func(id string) error { _, err := stytch.New(id, goodSecret); return err }},
			{"token.New", token.ErrInvalidArgument, func(id string) error {
				s, err := token.New(id, credentials())
				if err == nil {
					_ = s.Close()
				}
				return err
			}},
			{"verify.New", verify.ErrInvalidArgument, func(id string) error { _, err := verify.New(id); return err }},
			{"rotate.NewCodec", rotate.ErrInvalidArgument, func(id string) error { _, err := rotate.NewCodec(id); return err }},
			{"filejournal.New", filejournal.ErrInvalidArgument, func(id string) error {
				_, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), id)
				return err
			}},
			{"emulator.WithProject", emulator.ErrInvalidArgument, func(id string) error { _, err := emulator.New(emulator.WithProject(id, goodSecret)); return err }},
		}},
		{project.CheckSecret, []string{
			"secret-test-1", "s", strings.Repeat("s", 1024),
			"", "secret test", "secret\n", "sécret", "\xff", "secret\x00", "project-test-1", "project-live-1", secret.Placeholder, strings.Repeat("s", 1025),
		}, []door{
			{"stytch.New", stytch.ErrInvalidArgument, func(s string) error { _, err := stytch.New(goodProject, s); return err }},
			{"emulator.WithProject", emulator.ErrInvalidArgument, func(s string) error { _, err := emulator.New(emulator.WithProject(goodProject, s)); return err }},
		}},
		{project.CheckClientID, projecttest.ClientIDs, []door{
			{"token.Static", token.ErrInvalidArgument, func(id string) error {
				_, err := token.New(goodProject, token.Static(id, secret.New("client-secret")))
				return err
			}},
			{"rotate.Codec.Encode", rotate.ErrInvalidArgument, func(id string) error {
				codec, err := rotate.NewCodec(goodProject)
				if err != nil {
					return err
				}
				_, err = codec.Encode(rotate.Record{RotationID: "1", ClientID: id, State: rotate.Planned})
				return err
			}},
			{"filejournal.Read", filejournal.ErrInvalidArgument, func(id string) error {
				journal, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), goodProject)
				if err != nil {
					return err
				}
				if _, err = journal.Read(t.Context(), id); errors.Is(err, rotate.ErrNoRotation) {
					return nil
				}
				return err
			}},
			{"verify.WithClientIDs", verify.ErrInvalidArgument, func(id string) error { _, err := verify.New(goodProject, verify.WithClientIDs(id)); return err }},
			{"deliver.File.Read", deliver.ErrInvalidArgument, func(id string) error {
				_, err := deliver.File(t.TempDir()+"/credentials.json").Read(t.Context(), id)
				return err
			}},
		}},
		{project.CheckClientSecret, []string{
			"s", "with a space, é", strings.Repeat("s", 1024),
			"", "s\n", "\xff", "project-test-1", secret.Placeholder, strings.Repeat("s", 1025),
		}, []door{
			{"token.Static", token.ErrInvalidArgument, func(s string) error {
				_, err := token.New(goodProject, token.Static(goodClient, secret.New(s)))
				return err
			}},
		}},
		{checkBaseURL, addresses, []door{
			{"stytch.WithBaseURL", stytch.ErrInvalidArgument, func(a string) error {
				_, err := stytch.New(goodProject, goodSecret, stytch.WithBaseURL(a))
				return err
			}},
			{"token.WithBaseURL", token.ErrInvalidArgument, func(a string) error {
				_, err := token.New(goodProject, credentials(), token.WithBaseURL(a))
				return err
			}},
			{"verify.WithBaseURL", verify.ErrInvalidArgument, func(a string) error { _, err := verify.New(goodProject, verify.WithBaseURL(a)); return err }},
			{"deliver.Vault", deliver.ErrInvalidArgument, func(a string) error {
				_, err := deliver.Vault(deliver.VaultConfig{
					Address: a, Mount: "secret", Path: func(string) string { return "p" }, HTTPClient: http.DefaultClient,
					Token: func(context.Context) (secret.String, error) { return secret.New("t"), nil },
				})
				return err
			}},
		}},
		{func(a string) error { _, err := project.ParseInsecureBaseURL(a); return err }, addresses, []door{
			{"stytch.WithInsecureBaseURL", stytch.ErrInvalidArgument, func(a string) error {
				_, err := stytch.New(goodProject, goodSecret, stytch.WithInsecureBaseURL(a))
				return err
			}},
			{"token.WithInsecureBaseURL", token.ErrInvalidArgument, func(a string) error {
				_, err := token.New(goodProject, credentials(), token.WithInsecureBaseURL(a))
				return err
			}},
			{"verify.WithInsecureBaseURL", verify.ErrInvalidArgument, func(a string) error {
				_, err := verify.New(goodProject, verify.WithInsecureBaseURL(a))
				return err
			}},
		}},
		{func(a string) error { _, err := project.ParseURL(a); return err }, addresses, []door{
			{"verify.WithJWKSURL", verify.ErrInvalidArgument, func(a string) error { _, err := verify.New(goodProject, verify.WithJWKSURL(a)); return err }},
		}},
	} {
		for _, d := range rule.doors {
			projecttest.Door(t, d.name, rule.check, rule.values, d.invalid, d.try)
		}
	}
}

func checkBaseURL(address string) error {
	_, err := project.ParseBaseURL(address)
	return err
}

var addresses = []string{
	"https://h.test", "https://h.test/a/b", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1",
	" ", "h.test", "//h.test", "ftp://h.test", "https://", "https:h.test", "http://h.test", "http://localhost.h.test", "https://u:p@h.test", "https://h.test?q",
	"https://h.test?", "https://h.test#f", "https://h.test#", "https://h.test/a/../b", "https://h.test/a//b", "https://h.test/%2e%2e/b", "https://h.test/a%2Fb",
	"https://h.test/a%5Cb", "https://h.test/a%00b", "https://h.test:bad",
}
