//go:build unix

package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// stages bring about each stop, for one of the ways to fix it. What they return is what a person
// does between looking and the commands that fix.
var stages = map[string]func(s *situation, fix int) (repair func()){
	"other_rotation": func(s *situation, fix int) func() {
		if fix == 0 { // the journal was lost
			s.start()
			s.check(os.RemoveAll(s.env["STYTCHCTL_JOURNAL"]))
		} else {
			s.startByHand()
		}
		s.stops("other_rotation", 10, s.run("run")...)
		return nil
	},
	"not_adopted": func(s *situation, _ int) func() {
		s.startByHand()
		s.stops("not_adopted", 10, s.run("adopt")...)
		return nil
	},
	"current_refused": func(s *situation, _ int) func() {
		s.write("FILE", s.held())
		s.place(secret.Generate())
		s.stops("current_refused", 10, s.run("run")...)
		return nil
	},
	"current_unknown": func(s *situation, _ int) func() {
		s.write("FILE", s.held())
		s.check(os.Remove(s.path("PLACE")))
		s.stops("current_unknown", 10, s.run("run")...)
		return nil
	},
	"no_working_secret": func(s *situation, _ int) func() {
		s.start()
		s.check(s.api.M2M.Secrets.Cancel(s.Context(), runbookClient))
		s.startByHand()
		s.check(s.api.M2M.Secrets.Complete(s.Context(), runbookClient))
		s.stops("no_working_secret", 10, s.run("resume")...)
		return nil
	},
	"inconsistent": func(s *situation, _ int) func() {
		front := s.putInFront()
		front.pretends.Store(true)
		s.stops("inconsistent", 10, s.run("run")...)
		return func() { front.pretends.Store(false) }
	},
	"only_secret": func(s *situation, _ int) func() {
		s.start()
		s.check(s.api.M2M.Secrets.Complete(s.Context(), runbookClient))
		s.check(os.Remove(s.path("PLACE")))
		s.stops("only_secret", 10, s.run("forget", "--yes")...)
		return nil
	},
	"compromised": func(s *situation, _ int) func() {
		front := s.putInFront()
		front.previous = s.held().Reveal()
		front.undead.Store(true)
		s.stops("compromised", 10, s.run("run", "--compromised")...)
		return func() { front.undead.Store(false) }
	},
	"delivery": func(s *situation, fix int) func() {
		verb := "run"
		if fix < 2 {
			s.start()
			verb = "resume"
		}
		places := filepath.Dir(s.path("PLACE"))
		s.check(os.Rename(places, places+"-away"))
		s.stops("delivery", 6, s.run(verb)...)
		return func() { s.check(os.Rename(places+"-away", places)) }
	},
	"other_client": func(s *situation, fix int) func() {
		verb := "run"
		if fix < 2 {
			s.start()
			verb = "resume"
		}
		place := s.path("PLACE")
		s.check(os.Rename(place, place+"-own"))
		const other = `{"client_id":"m2m-client-test-other","client_secret":"secret-of-another-client-0123456789"}`
		s.check(os.WriteFile(place, []byte(other), 0o600))
		s.stops("other_client", 10, s.run(verb)...)
		if text, err := os.ReadFile(place); err != nil || string(text) != other {
			s.Errorf("the place of another client now has %q, %v", text, err)
		}
		return func() { s.check(os.Rename(place+"-own", place)) }
	},
	"canceled": func(s *situation, _ int) func() {
		hook := filepath.Join(s.dir, "hook")
		s.check(os.WriteFile(hook, []byte("test -e "+hook+".tried && exit 0; touch "+hook+".tried; exit 1\n"), 0o600))
		s.stops("canceled", 5, s.run("run", "--deliver", "exec:sh "+hook, "--cancel-on-failure")...)
		return nil
	},
	"gone": func(s *situation, _ int) func() {
		s.check(s.api.M2M.Delete(s.Context(), runbookClient))
		s.stops("gone", 3, s.run("run")...)
		return func() {
			_, err := s.api.M2M.Create(s.Context(), stytch.M2MCreate{
				ClientID: runbookClient, ClientSecret: secret.Outgoing(s.held()), Scopes: []string{"read:users"},
			})
			s.check(err)
		}
	},
	"busy": func(s *situation, _ int) func() {
		s.start()
		other, err := filejournal.New(s.env["STYTCHCTL_JOURNAL"], s.server.ProjectID, s.key())
		s.check(err)
		claim, err := other.Claim(s.Context(), runbookClient, time.Minute)
		s.check(err)
		s.stops("busy", 5, s.run("resume")...)
		return func() { s.check(claim.Release(s.Context())) }
	},
	"journal": func(s *situation, _ int) func() {
		s.start()
		s.check(os.Chmod(s.env["STYTCHCTL_JOURNAL"], 0o755)) //nolint:gosec // what is wrong
		s.stops("journal", 6, s.run("resume")...)
		return nil
	},
	"corrupt": func(s *situation, fix int) func() {
		if fix == 0 {
			s.start()
		} else {
			s.ctl(0, s.run("run")...)
		}
		s.check(os.Truncate(s.record(), 60))
		s.stops("corrupt", 10, s.run("run")...)
		return nil
	},
	"newer_version": func(s *situation, _ int) func() {
		s.start()
		record, err := os.ReadFile(s.record())
		s.check(err)
		s.check(os.WriteFile(s.record(), bytes.Replace(record, []byte(`"version":2`), []byte(`"version":9`), 1), 0o600))
		s.stops("newer_version", 10, s.run("resume")...)
		return func() { s.check(os.WriteFile(s.record(), record, 0o600)) } // as the newer version reads it
	},
	"other_project": func(s *situation, _ int) func() {
		s.start()
		other, err := emulator.Start()
		s.check(err)
		s.Cleanup(func() { other.Close() })
		right := maps.Clone(s.env)
		s.env["STYTCH_PROJECT_ID"], s.env["STYTCH_PROJECT_SECRET"], s.env["STYTCH_BASE_URL"] = other.ProjectID, other.Secret, other.URL
		s.stops("other_project", 10, "rotate", "status", runbookClient)
		return func() { s.env = right }
	},
	"wrong_key": func(s *situation, _ int) func() {
		s.start()
		s.check(os.Rename(s.env["STYTCHCTL_JOURNAL_KEY_FILE"], s.env["OLD_KEY"]))
		s.write("STYTCHCTL_JOURNAL_KEY_FILE", secret.Generate())
		s.stops("wrong_key", 10, s.run("resume")...)
		return nil
	},
	"audit_broken": func(s *situation, _ int) func() {
		s.ctl(0, s.run("run", "--audit", s.env["AUDIT"])...)
		log, err := os.ReadFile(s.env["AUDIT"])
		s.check(err)
		s.check(os.WriteFile(s.env["AUDIT"], bytes.Replace(log, []byte(`"to":"starting"`), []byte(`"to":"grace"`), 1), 0o600))
		s.stops("audit_broken", 10, s.run("run", "--audit", s.env["AUDIT"])...)
		return nil
	},
	"too_many_failures": func(s *situation, _ int) func() {
		remove := s.server.Inject(emulator.Status("StartM2MClientSecretRotation", 503))
		s.stops("too_many_failures", 8, s.run("run", "another", "--max-failures", "1", "--concurrency", "1")...)
		return remove
	},
	"no_rotation": func(s *situation, _ int) func() {
		s.check(os.Mkdir(s.env["STYTCHCTL_JOURNAL"], 0o700))
		s.stops("no_rotation", 3, s.run("resume")...)
		return nil
	},
	"invalid_argument": func(s *situation, _ int) func() {
		s.stops("invalid_argument", 2, "rotate", "run", "not an id/", "--deliver", s.env["PLACE"])
		return nil
	},
}

// startByHand begins a rotation as a person would who does not know of the engine. No one keeps the
// secret.
func (s *situation) startByHand() {
	s.Helper()
	next, err := s.api.M2M.Secrets.Start(s.Context(), runbookClient)
	s.check(err)
	s.canaries = append(s.canaries, next.Reveal())
}

// write puts a secret into the file that a variable names.
func (s *situation) write(variable string, value secret.String) {
	s.Helper()
	s.check(os.WriteFile(s.env[variable], []byte(value.Reveal()+"\n"), 0o600))
}

func (s *situation) key() secret.String {
	s.Helper()
	text, err := os.ReadFile(s.env["STYTCHCTL_JOURNAL_KEY_FILE"])
	s.check(err)
	return secret.New(string(bytes.TrimSpace(text)))
}

func (s *situation) record() string {
	return filepath.Join(s.env["STYTCHCTL_JOURNAL"], runbookClient+".json")
}
