package conformance

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

var (
	errNoProject   = errors.New("STYTCH_PROJECT_ID and STYTCH_PROJECT_SECRET are not set: set them to run against Stytch")
	errLiveProject = errors.New("STYTCH_PROJECT_ID is a live project: the suite creates clients, apps and billed tokens in it: set STYTCH_ALLOW_LIVE=1 to allow that")
)

// ownProject connects to the project named by the environment.
func ownProject() (line, error) {
	id := os.Getenv("STYTCH_PROJECT_ID")
	switch {
	case id == "" || os.Getenv("STYTCH_PROJECT_SECRET") == "":
		return line{}, errNoProject
	case strings.HasPrefix(id, "project-live-") && os.Getenv("STYTCH_ALLOW_LIVE") != "1":
		return line{}, errLiveProject
	}
	transport, err := contract.NewTransport(nil)
	if err != nil {
		return line{}, err
	}
	l := line{transport: transport, attempts: new(atomic.Int64)}
	l.api, err = stytch.FromEnv(stytch.WithHTTPClient(&http.Client{Transport: transport}),
		stytch.WithObserver(func(context.Context, stytch.Attempt) { l.attempts.Add(1) }))
	if err == nil {
		transport.Prefix = pathOf(l.api.BaseURL())
	}
	return l, err
}

// runLive is TestLive. What the contract has otherwise than Stytch is drift. A project is of one
// kind only, so that one of the two key sets may be missing; it need not allow registration; and
// the base URL need not be that of its domain.
func runLive(t *testing.T) {
	l, err := ownProject()
	if errors.Is(err, errNoProject) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	Run(t, l.api, Options{Live: true})
	l.mayMiss = []string{"RegisterConnectedApp", "GetAuthorizationServerMetadata"}
	for _, op := range operation.All {
		if strings.HasSuffix(op.ID, "OnProjectDomain") {
			l.mayMiss = append(l.mayMiss, op.ID)
		}
	}
	if seen := l.transport.Exercised(); seen["GetJWKS"]+seen["GetB2BJWKS"] > 0 {
		l.mayMiss = append(l.mayMiss, "GetJWKS", "GetB2BJWKS")
	}
	l.report(test{t})
}

func TestOwnProject(t *testing.T) {
	const test, live = "project-test-11111111-1111-4111-8111-111111111111", "project-live-11111111-1111-4111-8111-111111111111"
	for name, tt := range map[string]struct {
		id, secret, allow string
		want              error
	}{
		"nothing":                {"", "", "", errNoProject},
		"no secret":              {test, "", "", errNoProject},
		"no id":                  {"", "secret-without-use", "", errNoProject},
		"a test project":         {test, "secret-without-use", "", nil},
		"a live project":         {live, "secret-without-use", "", errLiveProject},
		"a live project, almost": {live, "secret-without-use", "true", errLiveProject},
		"a live project, wanted": {live, "secret-without-use", "1", nil},
		"not a project":          {"secret-without-use", test, "", stytch.ErrInvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("STYTCH_PROJECT_ID", tt.id)
			t.Setenv("STYTCH_PROJECT_SECRET", tt.secret)
			t.Setenv("STYTCH_ALLOW_LIVE", tt.allow)
			t.Setenv("STYTCH_BASE_URL", "")
			if l, err := ownProject(); !errors.Is(err, tt.want) || tt.want == nil && l.transport.Strict {
				t.Errorf("got %v, want %v, and a transport that accepts new fields", err, tt.want)
			}
		})
	}
}

// A live run, with an emulator in the place of Stytch.
func TestLiveRun(t *testing.T) {
	server := emulatortest.NewServer(t, seeds(3))
	t.Setenv("STYTCH_PROJECT_ID", server.ProjectID)
	t.Setenv("STYTCH_PROJECT_SECRET", server.Secret)
	t.Setenv("STYTCH_BASE_URL", server.URL)
	before := inventory(t, server)
	t.Run("suite", runLive)
	if !slices.Equal(before, inventory(t, server)) {
		t.Error("the run left clients behind, or removed others")
	}
}

// Stytch does not document whether a search finds a new client at once. A live run waits for it.
func TestSearchThatLags(t *testing.T) {
	server := emulatortest.NewServer(t, registering)
	lagging := true
	lag := lie{operation: "SearchM2MClients", response: func(b map[string]any) {
		if found := b["m2m_clients"].([]any); lagging && len(found) > 0 {
			lagging = false
			b["m2m_clients"] = []any{}
		}
	}}
	l := connect(t, &liar{base: server.Client().Transport, lie: lag}, server.URL, server.ProjectID, server.Secret)
	Run(t, l.api, Options{Live: true})
	if l.report(test{t}); lagging {
		t.Error("no search lagged")
	}
}
