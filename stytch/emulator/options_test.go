package emulator_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

func TestOptionsThatCannotBeUsed(t *testing.T) {
	const secret = "Canary-Secret-1"
	client := func(s emulator.M2MClientSeed) emulator.Option { return emulator.WithM2MClient(s) }
	app := emulator.WithConnectedApp
	for name, opts := range map[string][]emulator.Option{
		"nil option":             {nil},
		"project id":             {emulator.WithProject("PROJECT", secret)},
		"empty project id":       {emulator.WithProject("", secret)},
		"project id with space":  {emulator.WithProject("project-test-1 ", secret)},
		"empty project secret":   {emulator.WithProject("project-test-1", "")},
		"project secret":         {emulator.WithProject("project-test-1", secret+"\n")},
		"nil clock":              {emulator.WithClock(nil)},
		"empty issuer":           {emulator.WithIssuer("")},
		"issuer with slash":      {emulator.WithIssuer("https://a.example/")},
		"issuer with query":      {emulator.WithIssuer("https://a.example?x")},
		"nil key":                {emulator.WithSigningKey(nil)},
		"empty key":              {emulator.WithSigningKey(&rsa.PrivateKey{})},
		"small key":              {emulator.WithSigningKey(&rsa.PrivateKey{PublicKey: rsa.PublicKey{N: big.NewInt(3233), E: 17}})},
		"nil seed function":      {emulator.WithM2MClients(1, nil)},
		"negative number":        {emulator.WithM2MClients(-1, func(int) emulator.M2MClientSeed { return emulator.M2MClientSeed{} })},
		"client id":              {client(emulator.M2MClientSeed{ClientID: "a/b", Secret: secret})},
		"same client id twice":   {client(emulator.M2MClientSeed{ClientID: "a", Secret: secret}), client(emulator.M2MClientSeed{ClientID: "a", Secret: secret})},
		"client secret":          {client(emulator.M2MClientSeed{Secret: "short"})},
		"client scope":           {client(emulator.M2MClientSeed{Scopes: []string{"a b"}, Secret: secret})},
		"client status":          {client(emulator.M2MClientSeed{Status: "gone", Secret: secret})},
		"client metadata":        {client(emulator.M2MClientSeed{Metadata: map[string]any{"f": func() {}}, Secret: secret})},
		"app type":               {app(emulator.ConnectedAppSeed{ClientType: "x", Secret: secret})},
		"secret of a public app": {app(emulator.ConnectedAppSeed{ClientType: "third_party_public", Secret: secret})},
		"app redirect URL":       {app(emulator.ConnectedAppSeed{RedirectURLs: []string{"x"}, Secret: secret})},
		"same app id twice":      {app(emulator.ConnectedAppSeed{ClientID: "a"}), app(emulator.ConnectedAppSeed{ClientID: "a"})},
	} {
		e, err := emulator.New(opts...)
		if err == nil || e != nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		if !strings.HasPrefix(err.Error(), "emulator: ") || !errors.Is(err, emulator.ErrInvalidArgument) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error has no prefix, or a secret", name)
		}
	}
}

func TestSeedsKeepTheirOrderAndSecrets(t *testing.T) {
	w := start(t,
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "z", Secret: "Correct-Horse-9", Scopes: []string{"a"}}),
		emulator.WithM2MClients(3, func(i int) emulator.M2MClientSeed { return emulator.M2MClientSeed{ClientID: fmt.Sprint(i)} }),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "a"}),
		emulator.WithBehavior(emulator.Behavior{SecretLength: 64}))
	if ids, _, _ := w.search("{}"); !slices.Equal(ids, []string{"z", "0", "1", "2", "a"}) {
		t.Errorf("order %v", ids)
	}
	if !w.works("z", "Correct-Horse-9") {
		t.Error("the seeded secret does not work")
	}
}

func TestSeedsAreCopied(t *testing.T) {
	scopes := []string{"a"}
	w := start(t, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x", Scopes: scopes}))
	scopes[0] = "changed"
	if got := w.call("GET", clients+"/x", ""); strings.Contains(got.body, "changed") {
		t.Error("the slice of the seed is not copied")
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	const secret = "Canary-Secret-1"
	seed := emulator.M2MClientSeed{ClientID: "x", Secret: secret}
	app := emulator.ConnectedAppSeed{ClientID: "y", Secret: secret}
	s := emulatortest.NewServer(t, emulator.WithProject("project-test-1", secret), emulator.WithM2MClient(seed), emulator.WithConnectedApp(app))
	for _, v := range []any{seed, &seed, app, []any{seed, app}, s, s.Emulator, s.Requests()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed := fmt.Sprintf(verb, v)
			if strings.Contains(printed, secret) || strings.Contains(printed, fmt.Sprintf("%x", secret)) {
				t.Errorf("%T prints a secret with %s", v, verb)
			}
		}
		var buf bytes.Buffer
		slog.New(slog.NewTextHandler(&buf, nil)).Info("x", "v", v)
		if strings.Contains(buf.String(), secret) {
			t.Errorf("%T logs a secret", v)
		}
	}
	if id, own := s.Credentials(); s.Secret != secret || own != secret || s.ProjectID != "project-test-1" || id != s.ProjectID {
		t.Error("the credentials differ from those that were set")
	}
}

func TestRandomProject(t *testing.T) {
	one, two := emulatortest.NewServer(t), emulatortest.NewServer(t)
	if one.ProjectID == two.ProjectID || one.Secret == two.Secret || one.URL == two.URL {
		t.Error("two servers share something")
	}
	if !strings.HasPrefix(one.ProjectID, "project-test-") || !strings.HasPrefix(one.Secret, "secret-test-") {
		t.Errorf("project %s", one.ProjectID)
	}
}

func TestNewStartsNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		if _, err := emulator.New(emulator.WithM2MClients(100, func(int) emulator.M2MClientSeed { return emulator.M2MClientSeed{} })); err != nil {
			t.Fatal(err)
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines more", after-before)
	}
}

func TestServerCloses(t *testing.T) {
	s := emulatortest.NewServer(t, emulator.WithFaults(emulator.Latency("", time.Hour)))
	sent, ended := make(chan struct{}), make(chan error, 1)
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+clients+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		resp, err := s.Client().Do(r)
		if err == nil {
			resp.Body.Close()
		}
		ended <- err
	}()
	<-sent
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-ended; err == nil {
		t.Error("a closed server responded")
	}
	if _, err := s.Client().Get(s.URL + "/health"); err == nil {
		t.Error("a closed server responds")
	}
}

func TestRequestLog(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	w := start(t, emulator.WithClock(func() time.Time { return now }))
	id, secret := w.create(`{"scopes":["a"]}`)
	w.call("GET", clients+"/a%2Fb?token=Canary", "")
	w.works(id, secret)
	got := w.call("GET", "/nothing/"+strings.Repeat("x", 1000), "")
	log := w.Requests()
	if len(log) != 4 {
		t.Fatalf("%d requests", len(log))
	}
	want := []emulator.Request{
		{Time: now, Method: "POST", Path: clients, Operation: "CreateM2MClient", Status: 200, ClientID: id},
		{Time: now, Method: "GET", Path: clients + "/a%2Fb", Operation: "GetM2MClient", Status: 404, ErrorType: "m2m_client_not_found"},
		{Time: now, Method: "POST", Path: "/v1/public/" + w.ProjectID + "/oauth2/token", Operation: "IssueM2MToken", Status: 200, ClientID: id},
		{Time: now, Method: "GET", Path: "/nothing/" + strings.Repeat("x", 503), Status: 404, ErrorType: "route_not_found"},
	}
	if last := log[3].RequestID; last != got.object(t)["request_id"] {
		t.Errorf("request id %s", last)
	}
	for i := range log {
		if log[i].Duration <= 0 {
			t.Errorf("request %d took %v", i, log[i].Duration)
		}
		log[i].RequestID, log[i].Duration, log[i].Reason = "", 0, ""
		if log[i] != want[i] {
			t.Errorf("%+v, want %+v", log[i], want[i])
		}
	}
	if text, err := json.Marshal(w.Requests()); err != nil || strings.Contains(string(text), secret) || strings.Contains(string(text), "Canary") {
		t.Errorf("the log holds a secret, or %v", err)
	}
}

func TestRequestLogIsARing(t *testing.T) {
	w := start(t)
	for i := range 1500 {
		w.call("GET", fmt.Sprint("/", i), "")
	}
	log := w.Requests()
	if len(log) != 1024 || log[0].Path != "/476" || log[1023].Path != "/1499" {
		t.Errorf("%d entries from %s to %s", len(log), log[0].Path, log[len(log)-1].Path)
	}
}

// Examples and other programs have no testing.TB.
func TestServerWithoutATest(t *testing.T) {
	s, err := emulator.Start()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client().Get(s.URL + "/health")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := emulator.Start(nil); err == nil {
		t.Error("an invalid option is accepted")
	}
}
