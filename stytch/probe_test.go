package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

const tokenOperation, readOperation = "IssueM2MToken", "GetM2MClient"

// probed makes a local Stytch with the client "a" and its secret.
func probed(t *testing.T, b emulator.Behavior, s secret.String, options ...stytch.Option) local {
	t.Helper()
	e, err := emulator.New(emulator.WithProject(canaryProject, canarySecret), emulator.WithBehavior(b),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "a", Secret: s.Reveal(), Scopes: []string{"read:users"}}))
	if err != nil {
		t.Fatal(err)
	}
	return local{e, clientInMemory(t, e.ServeHTTP, options...)}
}

func (l local) probe(t *testing.T, s secret.String) (bool, error) {
	t.Helper()
	accepted, err := l.client.M2M.Secrets.Probe(t.Context(), "a", s)
	if accepted && err != nil {
		t.Error("accepted, and an error")
	}
	return accepted, err
}

// However Stytch words a refusal, a right secret is distinguished from a wrong one, and both from a
// client that gets no tokens at all.
func TestProbe(t *testing.T) {
	for _, invalid := range []int{400, 401} {
		for _, inactive := range []int{400, 401} {
			for _, word := range []string{"invalid_client", "unauthorized_client", "access_denied"} {
				t.Run(fmt.Sprint(invalid, inactive, word), func(t *testing.T) {
					right, wrong := secret.Generate(), secret.Generate()
					l := probed(t, emulator.Behavior{InvalidClientStatus: invalid, InactiveClientStatus: inactive, InactiveClientError: word}, right)
					check := func(what string, s secret.String, want bool, is error, minted, asked, read int) {
						t.Helper()
						mintedBefore, askedBefore, readBefore := l.TokensMinted(""), l.count(tokenOperation), l.count(readOperation)
						accepted, err := l.probe(t, s)
						if accepted != want || !errors.Is(err, is) || err != nil && is == nil {
							t.Errorf("%s: %t, %v", what, accepted, err)
						}
						mintedNow, askedNow, readNow := l.TokensMinted("")-mintedBefore, l.count(tokenOperation)-askedBefore, l.count(readOperation)-readBefore
						if mintedNow != minted || askedNow != asked || readNow != read {
							t.Errorf("%s: %d tokens, %d requests for one, the client read %d times; want %d, %d, %d", what, mintedNow, askedNow, readNow, minted, asked, read)
						}
					}
					check("right", right, true, nil, 1, 1, 0)
					check("wrong", wrong, false, nil, 0, 1, 1)
					if _, err := l.client.M2M.Update(t.Context(), "a", stytch.M2MUpdate{Status: stytch.Set(stytch.Inactive)}); err != nil {
						t.Fatal(err)
					}
					check("right, inactive", right, false, stytch.ErrInactive, 0, 1, 1)
					check("wrong, inactive", wrong, false, stytch.ErrInactive, 0, 1, 1)
					if err := l.client.M2M.Delete(t.Context(), "a"); err != nil {
						t.Fatal(err)
					}
					check("deleted", right, false, stytch.ErrNotFound, 0, 1, 1)
				})
			}
		}
	}
}

// Through a rotation, exactly those secrets are accepted that work at the time.
func TestProbeThroughARotation(t *testing.T) {
	first := secret.Generate()
	l := probed(t, emulator.Behavior{}, first)
	var next secret.String
	known := map[string]secret.String{"first": first}
	check := func(when string, works ...string) {
		t.Helper()
		for name, s := range known {
			want := strings.Contains(strings.Join(works, " "), name)
			if accepted, err := l.probe(t, s); accepted != want || err != nil {
				t.Errorf("%s: the %s secret: %t, %v", when, name, accepted, err)
			}
		}
	}
	start := func(name string) {
		t.Helper()
		var err error
		if next, err = l.client.M2M.Secrets.Start(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		known[name] = next
	}
	check("before", "first")
	start("second")
	check("while rotating", "first", "second")
	if err := l.client.M2M.Secrets.Cancel(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	check("canceled", "first")
	start("third")
	check("while rotating again", "first", "third")
	if err := l.client.M2M.Secrets.Complete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	check("completed", "third")
}

// No fault makes a refusal of a right secret, and none a proof of a wrong one. The only exception
// is Stytch's own word.
func TestProbeUnderFaults(t *testing.T) {
	inBubbles(t, func(t *testing.T, f someFault) {
		right, wrong := secret.Generate(), secret.Generate()
		for _, times := range []int{1, 0} {
			l := probed(t, emulator.Behavior{}, right)
			remove := l.Inject(f.fault(tokenOperation).Times(times))
			begin := time.Now()
			accepted, err := l.probe(t, right)
			remove()
			refusal := f.name == "400" || f.name == "401" // the emulator's is invalid_client
			switch {
			case refusal && (accepted || err != nil):
				t.Errorf("refused: %t, %v", accepted, err)
			case !refusal && !accepted && err == nil:
				t.Error("a right secret is refused")
			case accepted && (times == 0 || f.refused || l.TokensMinted("a") == 0):
				t.Error("accepted without a token")
			}
			if asked, minted := l.count(tokenOperation), l.TokensMinted("a"); asked > 3 || minted > asked {
				t.Errorf("%d requests, %d tokens", asked, minted)
			}
			if took := time.Since(begin); took > 30*time.Second {
				t.Errorf("took %v", took)
			}

			// A refusal alone proves nothing: the client may be inactive.
			remove = l.Inject(f.fault(readOperation).Times(times))
			begin = time.Now()
			accepted, err = l.probe(t, wrong)
			remove()
			if accepted || times == 0 && err == nil || err != nil && errors.Is(err, stytch.ErrUnauthorized) && f.name != "401" {
				t.Errorf("the client cannot be read: %t, %v", accepted, err)
			}
			if took := time.Since(begin); took > 30*time.Second {
				t.Errorf("took %v", took)
			}
		}
	})
}

// A lost response is asked for again at the price of another token, as often as the policy says and
// no more.
func TestProbeIsBilled(t *testing.T) {
	for _, c := range []struct {
		name     string
		fault    emulator.Fault
		options  []stytch.Option
		accepted bool
		minted   int
	}{
		{"no fault", emulator.Latency(tokenOperation, 0), nil, true, 1},
		{"one lost", emulator.DropResponse(tokenOperation).Times(1), nil, true, 2},
		{"all lost", emulator.DropResponse(tokenOperation), nil, false, 3},
		{"lost, no retries", emulator.DropResponse(tokenOperation), []stytch.Option{once()}, false, 1},
		{"not what it should be", emulator.Garbage(tokenOperation, 200).AfterEffect(), nil, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				right := secret.Generate()
				l := probed(t, emulator.Behavior{}, right, c.options...)
				l.Inject(c.fault)
				if accepted, err := l.probe(t, right); accepted != c.accepted || (err == nil) != c.accepted || l.TokensMinted("a") != c.minted {
					t.Errorf("%t, %v, %d tokens; want %t, %d tokens", accepted, err, l.TokensMinted("a"), c.accepted, c.minted)
				}
			})
		})
	}
}

// Both requests of a probe together are one call, and end with its time.
func TestProbeIsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		right, wrong := secret.Generate(), secret.Generate()
		l := probed(t, emulator.Behavior{}, right)
		l.Inject(emulator.Status(tokenOperation, 503).Delay(9 * time.Second).Times(2))
		l.Inject(emulator.Latency(readOperation, time.Minute))
		begin := time.Now()
		if accepted, err := l.probe(t, wrong); accepted || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%t, %v", accepted, err)
		}
		if took := time.Since(begin); took != 30*time.Second {
			t.Errorf("took %v, a call ends after 30 s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin = time.Now()
		if accepted, err := l.client.M2M.Secrets.Probe(ctx, "a", wrong); accepted || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("with a deadline: %t, %v", accepted, err)
		}
	})
}

// Whatever a secret is made of, it arrives as it is.
func TestProbeAnyCharacters(t *testing.T) {
	for name, s := range oddSecrets() {
		t.Run(name, func(t *testing.T) {
			l := probed(t, emulator.Behavior{MaxSecretLength: 512}, s)
			if accepted, err := l.probe(t, s); !accepted || err != nil {
				t.Errorf("right: %t, %v", accepted, err)
			}
			if accepted, err := l.probe(t, secret.New(s.Reveal()+"x")); accepted || err != nil {
				t.Errorf("one character more: %t, %v", accepted, err)
			}
		})
	}
	right := secret.Generate()
	e, err := emulator.New(emulator.WithProject(canaryProject, canarySecret), emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "a b+c&d=é", Secret: right.Reveal()}))
	if err != nil {
		t.Fatal(err)
	}
	if accepted, err := clientInMemory(t, e.ServeHTTP).M2M.Secrets.Probe(t.Context(), "a b+c&d=é", right); !accepted || err != nil {
		t.Errorf("an odd client id: %t, %v", accepted, err)
	}
}

// oddSecrets hold a canary each, so that they can be found again.
func oddSecrets() map[string]secret.String {
	var ascii strings.Builder
	for c := ' '; c <= '~'; c++ {
		ascii.WriteRune(c)
	}
	all := map[string]secret.String{}
	for name, odd := range map[string]string{"plain": "", "all printable ASCII": ascii.String(), "unicode": "пароль ключ ✓ 🔑 é", "as in a form": "a+b%2Bc d&client_secret=e=f;g", "quotes": `"\'<>&` + "`", "digits": "0123456789"} {
		all[name] = secret.New(odd + string(newCanary()) + odd)
	}
	return all
}

// What cannot be asked is refused before anything is sent.
func TestProbeArguments(t *testing.T) {
	l := newLocal(t)
	good := secret.Generate()
	for name, c := range map[string]struct {
		secrets *stytch.Secrets
		id      string
		value   secret.String
		text    string
	}{
		"no secret":       {l.client.M2M.Secrets, "a", secret.String{}, "must not be empty"},
		"redacted":        {l.client.M2M.Secrets, "a", secret.New(fmt.Sprint(good)), "redacted"},
		"not UTF-8":       {l.client.M2M.Secrets, "a", secret.New("abcdefgh\xff"), "UTF-8"},
		"no id":           {l.client.M2M.Secrets, "", good, "client id"},
		"another path":    {l.client.M2M.Secrets, "../search", good, "client id"},
		"a Connected App": {l.client.ConnectedApps.Secrets, "a", good, "another proof"},
	} {
		accepted, err := c.secrets.Probe(t.Context(), c.id, c.value)
		if accepted || !errors.Is(err, stytch.ErrInvalidArgument) || !strings.Contains(err.Error(), c.text) || errors.Is(err, stytch.ErrOutcomeUnknown) {
			t.Errorf("%s: %t, %v", name, accepted, err)
		}
	}
	if n := len(l.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if accepted, err := l.client.M2M.Secrets.Probe(ctx, "a", good); accepted || !errors.Is(err, context.Canceled) || len(l.Requests()) != 0 {
		t.Errorf("canceled: %t, %v", accepted, err)
	}
}

// Only a token proves a secret, and only Stytch's own refusal of an active client refutes it.
func TestProbeBelievesNoOther(t *testing.T) {
	const fine = `{"access_token":"made.up.token","expires_in":3600,"token_type":"bearer","request_id":"r","status_code":200}`
	const active = `{"m2m_client":{"client_id":"a","status":"active"},"request_id":"r","status_code":200}`
	oauth := func(kind string) string { return fmt.Sprintf(`{"error":%q,"error_description":"A message."}`, kind) }
	type reply struct {
		status int
		body   string
	}
	for name, c := range map[string]struct {
		token, client reply
		accepted      bool
		is            string // "" for no error
	}{
		"a token":                    {reply{200, fine}, reply{500, ""}, true, ""},
		"without expiry":             {reply{200, `{"access_token":"made.up.token","token_type":"Bearer"}`}, reply{}, true, ""},
		"nothing in it":              {reply{200, `{}`}, reply{200, active}, false, "ErrInvalidResponse"},
		"foreign":                    {reply{200, `{"ok":true}`}, reply{200, active}, false, "ErrInvalidResponse"},
		"an empty token":             {reply{200, strings.Replace(fine, "made.up.token", "", 1)}, reply{200, active}, false, "ErrInvalidResponse"},
		"null":                       {reply{200, strings.Replace(fine, `"made.up.token"`, "null", 1)}, reply{200, active}, false, "ErrInvalidResponse"},
		"two tokens":                 {reply{200, strings.Replace(fine, "{", `{"access_token":"x",`, 1)}, reply{200, active}, false, "ErrInvalidResponse"},
		"of another type":            {reply{200, strings.Replace(fine, "bearer", "mac", 1)}, reply{200, active}, false, "ErrInvalidResponse"},
		"a token and an error":       {reply{200, strings.Replace(fine, "{", `{"error":"invalid_client",`, 1)}, reply{200, active}, false, "ErrInvalidResponse"},
		"refused":                    {reply{400, oauth("invalid_client")}, reply{200, active}, false, ""},
		"refused by 401":             {reply{401, oauth("invalid_client")}, reply{200, active}, false, ""},
		"refused by 403":             {reply{403, oauth("invalid_client")}, reply{200, active}, false, "ErrUnauthorized"},
		"refused by 404":             {reply{404, oauth("invalid_client")}, reply{200, active}, false, "ErrUnauthorized"},
		"a page":                     {reply{401, "<p>invalid_client"}, reply{200, active}, false, "ErrInvalidResponse"},
		"half a refusal":             {reply{400, `{"error":"invalid_client"`}, reply{200, active}, false, "ErrInvalidResponse"},
		"unauthorized, but active":   {reply{400, oauth("unauthorized_client")}, reply{200, active}, false, "ErrInvalidRequest"},
		"denied, but active":         {reply{401, oauth("access_denied")}, reply{200, active}, false, "ErrUnauthorized"},
		"another scope":              {reply{400, oauth("invalid_scope")}, reply{200, active}, false, "ErrInvalidRequest"},
		"another grant":              {reply{400, oauth("unsupported_grant_type")}, reply{200, active}, false, "ErrInvalidRequest"},
		"the project":                {reply{401, errorJSON(401, "unauthorized_credentials")}, reply{200, active}, false, "ErrUnauthorized"},
		"inactive":                   {reply{400, oauth("invalid_client")}, reply{200, strings.Replace(active, "active", "inactive", 1)}, false, "ErrInactive"},
		"a status of tomorrow":       {reply{400, oauth("invalid_client")}, reply{200, strings.Replace(active, "active", "paused", 1)}, false, "ErrInvalidResponse"},
		"no status":                  {reply{400, oauth("invalid_client")}, reply{200, `{"m2m_client":{},"request_id":"r","status_code":200}`}, false, "ErrInvalidResponse"},
		"unknown":                    {reply{400, oauth("invalid_client")}, reply{404, errorJSON(404, "m2m_client_not_found")}, false, "ErrNotFound"},
		"wrong project secret":       {reply{400, oauth("invalid_client")}, reply{401, errorJSON(401, "unauthorized_credentials")}, false, "ErrUnauthorized"},
		"refused, a page":            {reply{400, oauth("invalid_client")}, reply{404, "<p>"}, false, "ErrInvalidResponse"},
		"refused, reads are limited": {reply{400, oauth("invalid_client")}, reply{429, errorJSON(429, "too_many_requests")}, false, "ErrRateLimited"},
	} {
		t.Run(name, func(t *testing.T) {
			client := clientInMemory(t, func(w http.ResponseWriter, r *http.Request) {
				a := c.client
				if strings.HasSuffix(r.URL.Path, "/oauth2/token") {
					a = c.token
				}
				writeJSON(w, a.status, a.body)
			}, once())
			accepted, err := client.M2M.Secrets.Probe(t.Context(), "a", secret.Generate())
			if accepted != c.accepted || (err == nil) != (c.is == "") {
				t.Errorf("%t, %v", accepted, err)
			}
			checkSentinels(t, err, c.is)
			if err != nil {
				checkText(t, err)
			}
		})
	}
}
