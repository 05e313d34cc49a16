package conformance

import (
	"errors"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

func (s *suite) m2mSecrets(t reporter) {
	created := s.newM2M(t, stytch.M2MCreate{})
	s.rotation(t, s.api.M2M.Secrets, created.ClientID, created.ClientSecret, func(t reporter, sec secret.String, works bool) {
		t.Helper()
		s.checkSecret(t, created.ClientID, sec, works)
	})
}

// connectedAppSecrets cannot prove which secret works: the grants that would need the consent of a
// user.
func (s *suite) connectedAppSecrets(t reporter) {
	for _, kind := range []stytch.ConnectedAppType{stytch.FirstParty, stytch.ThirdParty} {
		t.Run(string(kind), func(t reporter) {
			created := s.newApp(t, stytch.ConnectedAppCreate{ClientType: kind})
			s.rotation(t, s.api.ConnectedApps.Secrets, created.ClientID, created.ClientSecret, func(reporter, secret.String, bool) {})
		})
	}
	t.Run("public", func(t reporter) {
		created := s.newApp(t, stytch.ConnectedAppCreate{ClientType: stytch.FirstPartyPublic})
		secrets := s.api.ConnectedApps.Secrets
		_, started := secrets.Start(t.Context(), created.ClientID)
		if !refused(started) {
			t.Errorf("start for a public app: %v; want a refusal", started)
		}
		s.assumed(t, "starting a rotation for a public app is refused as having no secret", errors.Is(started, stytch.ErrNoSecret), started)
		for step, err := range map[string]error{"completing": secrets.Complete(t.Context(), created.ClientID), "canceling": secrets.Cancel(t.Context(), created.ClientID)} {
			s.assumed(t, step+" a rotation of a public app is refused as having no secret", errors.Is(err, stytch.ErrNoSecret), err)
		}
		last, err := secrets.LastFour(t.Context(), created.ClientID)
		if !errors.Is(err, stytch.ErrNoSecret) || last.Current != "" || last.Rotating() {
			t.Errorf("a public app shows the end of a secret: %+v, %v", last, err)
		}
	})
	t.Run("unknown", func(t reporter) {
		s.unknownSecrets(t, s.api.ConnectedApps.Secrets, s.unknownID("connected-app"))
	})
}

// rotation goes through the life cycle that is documented for both families. check says whether a
// secret has to work.
func (s *suite) rotation(t reporter, secrets *stytch.Secrets, id string, current secret.String, check func(reporter, secret.String, bool)) {
	s.checkPending(t, secrets, id, current, secret.String{})
	s.idle(t, secrets, id)
	check(t, current, true)

	canceled := s.start(t, secrets, id, current)
	check(t, current, true)
	check(t, canceled, true)
	switch again, err := secrets.Start(t.Context(), id); {
	case err == nil: // the next secret is another one now
		s.assumed(t, "starting a rotation twice is refused", false, "a new secret")
		canceled = again
	default:
		s.assumed(t, "starting a rotation twice is refused as rotating", errors.Is(err, stytch.ErrRotating), err)
		if !refused(err) {
			t.Errorf("start twice: %v; want a refusal, or a secret", err)
		}
	}
	check(t, canceled, true)
	must(t, secrets.Cancel(t.Context(), id), "cancel")
	s.checkPending(t, secrets, id, current, secret.String{})
	check(t, current, true)
	check(t, canceled, false)

	next := s.start(t, secrets, id, current)
	must(t, secrets.Complete(t.Context(), id), "complete")
	s.checkPending(t, secrets, id, next, secret.String{})
	check(t, current, false)
	check(t, canceled, false)
	check(t, next, true)
	s.idle(t, secrets, id)
	check(t, next, true)
}

func (s *suite) start(t reporter, secrets *stytch.Secrets, id string, current secret.String) secret.String {
	t.Helper()
	next, err := secrets.Start(t.Context(), id)
	must(t, err, "start")
	if next.Equal(current) {
		t.Error("the next secret is the current one")
	}
	s.checkPending(t, secrets, id, current, next)
	return next
}

// idle completes and cancels what was not started.
func (s *suite) idle(t reporter, secrets *stytch.Secrets, id string) {
	t.Helper()
	for step, err := range map[string]error{"completing": secrets.Complete(t.Context(), id), "canceling": secrets.Cancel(t.Context(), id)} {
		s.assumed(t, step+" a rotation that was not started is refused as not rotating", errors.Is(err, stytch.ErrNotRotating), err)
	}
}

func (s *suite) checkPending(t reporter, secrets *stytch.Secrets, id string, current, next secret.String) {
	t.Helper()
	last, err := secrets.LastFour(t.Context(), id)
	must(t, err, "read the last four characters")
	checkLastFour(t, last.Current, current)
	switch {
	case last.Rotating() == next.IsZero():
		t.Errorf("a rotation is in progress: %t; want %t", last.Rotating(), !next.IsZero())
	case last.Rotating():
		checkLastFour(t, last.Next, next)
	}
}

func (s *suite) unknownSecrets(t reporter, secrets *stytch.Secrets, id string) {
	t.Helper()
	_, started := secrets.Start(t.Context(), id)
	_, pending := secrets.LastFour(t.Context(), id)
	checkUnknown(t, map[string]error{
		"Start": started, "Complete": secrets.Complete(t.Context(), id), "Cancel": secrets.Cancel(t.Context(), id), "Pending": pending,
	})
}
