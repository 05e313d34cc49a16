package stytch_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
)

// diary keeps everything that a program could have written down, and which secrets it came by.
type diary struct {
	mu       sync.Mutex
	entries  []any
	logs     bytes.Buffer
	canaries []canary
}

func (d *diary) add(entries ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, entries...)
}

func (d *diary) learn(s secret.String) { d.canaries = append(d.canaries, canary(s.Reveal())) }

// observe logs an attempt as a program would.
func (d *diary) observe(ctx context.Context, a stytch.Attempt) {
	d.add(a)
	d.mu.Lock()
	defer d.mu.Unlock()
	slog.New(slog.NewJSONHandler(&d.logs, nil)).InfoContext(ctx, "stytch", "attempt", a, "error", a.Err)
}

// live does all that the package can do. Any of it may fail.
func (d *diary) live(t *testing.T, client *stytch.Client) {
	c := newCanary()
	own := secret.New(string(c))
	d.learn(own)
	var response stytch.Response
	ctx := stytch.WithResponse(t.Context(), &response)
	keep := func(v any, err error) {
		if errors.Is(err, stytch.ErrInvalidArgument) {
			t.Error(err)
		}
		d.add(v, err, response)
	}
	id := "life-" + strings.ToLower(string(c))
	created, err := client.M2M.Create(ctx, stytch.M2MCreate{ClientID: id, ClientSecret: secret.Outgoing(own), Scopes: []string{"a"}})
	keep(created, err)
	keep(client.M2M.Get(ctx, id))
	keep(client.M2M.Update(ctx, id, stytch.M2MUpdate{ClientName: stytch.Set("x")}))
	keep(client.M2M.SearchPage(ctx, stytch.M2MSearch{}))
	for m, err := range client.M2M.Search(ctx, stytch.M2MSearch{Limit: 1, Prefetch: true}) {
		keep(m, err)
	}
	app, err := client.ConnectedApps.Create(ctx, stytch.ConnectedAppCreate{ClientType: stytch.FirstParty})
	keep(app, err)
	appID := "nobody"
	if err == nil {
		appID = app.ClientID
		d.learn(app.ClientSecret)
	}
	keep(client.ConnectedApps.Get(ctx, appID))
	keep(client.ConnectedApps.SearchPage(ctx, stytch.ConnectedAppSearch{}))
	keep(client.ConnectedApps.Update(ctx, appID, stytch.ConnectedAppUpdate{ClientName: stytch.Set("x")}))
	for id, s := range map[string]*stytch.Secrets{id: client.M2M.Secrets, appID: client.ConnectedApps.Secrets} {
		for _, finish := range []func(context.Context, string) error{s.Cancel, s.Complete} {
			next, err := s.Start(ctx, id)
			keep(next, err)
			if err == nil {
				d.learn(next)
			}
			keep(s.LastFour(ctx, id))
			if s == client.M2M.Secrets {
				keep(s.Probe(ctx, id, own))
			}
			keep(nil, finish(ctx, id))
		}
	}
	keep(nil, client.M2M.Delete(ctx, id))
	keep(nil, client.ConnectedApps.Delete(ctx, appID))
}

// TestNothingLeaksInALife lives over a network, with every fault, and then looks for secrets in all
// that came back.
func TestNothingLeaksInALife(t *testing.T) {
	project := newCanary()
	server := emulatortest.NewServer(t, emulator.WithProject(canaryProject, string(project)))
	d := diary{canaries: []canary{project}}
	client := dial(t, server, stytch.WithRetry(stytch.Retry{BaseDelay: 1, MaxDelay: 1}), stytch.WithObserver(d.observe))
	d.live(t, client)
	for _, f := range faults() {
		if strings.Contains(f.name, "latency") || strings.Contains(f.name, "slow") || strings.Contains(f.name, "2 s") {
			continue // these need virtual time, and show nothing that others do not
		}
		remove := server.Inject(f.fault("").Each(2))
		d.live(t, client)
		remove()
	}

	d.add(d.logs.String())
	for _, p := range printers() {
		if p.name == "panic" {
			continue // "%v" and megabytes of stack
		}
		var all strings.Builder
		for _, entry := range d.entries {
			all.WriteString(p.print(entry) + "\n")
		}
		if i := firstIn(all.String(), d.canaries); i >= 0 {
			t.Errorf("something printed by %s shows a secret (number %d of %d; 0 is the project's)", p.name, i, len(d.canaries))
		}
	}
	if len(d.canaries) < 30 || len(d.entries) < 300 {
		t.Errorf("%d secrets, %d entries: the life was too short to prove anything", len(d.canaries), len(d.entries))
	}
}
