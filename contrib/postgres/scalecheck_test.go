//go:build unix

package postgres_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// complaints fails a test for each client that something is wrong with, and shows a few of them.
type complaints struct {
	*testing.T
	n int
}

func (c *complaints) Errorf(format string, args ...any) {
	c.Helper()
	if c.n++; c.n <= 10 {
		c.T.Errorf(format, args...)
	}
	c.Fail()
}

// checkWorkers holds what the workers say of themselves against what happened.
func (r *fleetRun) checkWorkers(t *testing.T) {
	done, heap := r.killed.last.Done, int64(0)
	for _, w := range r.workers {
		done += w.last.Done
		heap = max(heap, w.tenth.Heap)
	}
	if done > r.clients { // it is less by what the one that was killed did after it was asked
		t.Errorf("the workers say that they completed %d rotations of %d clients", done, r.clients)
	}
	for _, w := range r.workers {
		// Where its request failed because of the pause, the client is counted by who completed
		// it, which can be all.
		if lost := w.last.Failed + w.last.Busy; w == r.paused && lost > scaleConcurrency {
			t.Errorf("%s was paused past its lease with %d clients, and noticed that of %d", w.name, scaleConcurrency, lost)
		}
		if w != r.paused && w.last.Failed != 0 {
			t.Errorf("%s: %d failures, such as %q", w.name, w.last.Failed, w.last.Failures)
		}
		if limit := 2*heap + 16<<20; w.last.Heap > limit {
			t.Errorf("%s: the heap has %d bytes at the end; %d were the most after a tenth", w.name, w.last.Heap, heap)
		}
	}
	all, idle := r.statements()
	if per := float64(all-idle) / float64(r.clients); per > 10 {
		t.Errorf("%.2f statements a rotation, want at most 10", per)
	}
}

// checkClients looks at what the server was asked to do, and at what was delivered.
func (r *fleetRun) checkClients(t *testing.T) {
	c := &complaints{T: t}
	for i, served := range r.front.clients {
		switch {
		case served.completes != 1:
			c.Errorf("client %d was completed %d times", i, served.completes)
		case served.starts < 1 || served.starts != served.cancels+1:
			c.Errorf("client %d: %d starts and %d cancellations", i, served.starts, served.cancels)
		case !served.over || !served.shelf.Previous.IsZero():
			c.Errorf("client %d: the former secret is still delivered", i)
		case served.shelf.Secret.Equal(served.first):
			c.Errorf("client %d: the secret was not rotated", i)
		}
	}
	if r.front.overwritten != 0 {
		t.Errorf("%d deliveries came after the last one and changed it", r.front.overwritten)
	}
}

// checkServer asks the server: how the secrets of all clients end, and whether those of a sample
// work.
func (r *fleetRun) checkServer(t *testing.T) {
	projectID, projectSecret := r.front.Credentials()
	api, err := stytch.New(projectID, projectSecret, stytch.WithBaseURL(r.address))
	if err != nil {
		t.Fatal(err)
	}
	c, found := &complaints{T: t}, 0
	for client, err := range api.M2M.Search(t.Context(), stytch.M2MSearch{Limit: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		number, known := numberOf(client.ClientID)
		if !known {
			c.Errorf("there is a client %q", client.ClientID)
			continue
		}
		found++
		text := r.front.clients[number].shelf.Secret.Reveal()
		if text[len(text)-4:] != client.ClientSecretLastFour {
			c.Errorf("client %d: what is delivered is not the current secret", number)
		}
		if client.NextClientSecretLastFour != nil {
			c.Errorf("client %d: a rotation is pending", number)
		}
	}
	if found != r.clients {
		t.Errorf("the server has %d clients, want %d", found, r.clients)
	}
	for _, number := range rand.Perm(r.clients)[:200] {
		served := r.front.clients[number]
		for s, want := range map[*secret.String]bool{&served.shelf.Secret: true, &served.first: false} {
			if works, err := api.M2M.Secrets.Probe(t.Context(), scaleClient(number), *s); works != want || err != nil {
				c.Errorf("client %d: a secret works: %t, %v; want %t", number, works, err, want)
			}
		}
	}
}

// checkJournal looks at every row there is.
func (r *fleetRun) checkJournal(t *testing.T) {
	codec, err := rotate.NewCodec(project, key)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.pool.Query(t.Context(), `
		SELECT client_id, state, coalesce(finished, 0), due_at IS NULL AND lease_until = '-infinity', record, r::text
		FROM stytch_rotation r`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	c, seen := &complaints{T: t}, make([]bool, r.clients)
	for rows.Next() {
		var id, state, text string
		var finished int
		var atRest bool
		var data []byte
		if err := rows.Scan(&id, &state, &finished, &atRest, &data, &text); err != nil {
			t.Fatal(err)
		}
		number, known := numberOf(id)
		if !known || seen[number] {
			c.Errorf("a second row, or one too many: %q, %s", id, state)
			continue
		}
		seen[number] = true
		if state != string(rotate.Completed) || finished != 1 || !atRest {
			c.Errorf("client %d: state %s, number %d, at rest: %t", number, state, finished, atRest)
		}
		if rec, err := codec.Decode(id, data); err != nil || rec.State != rotate.Completed || !rec.Current.IsZero() || !rec.Next.IsZero() {
			c.Errorf("client %d: the record has %q, %v, or still a secret", number, rec.State, err)
		}
		served, all := r.front.clients[number], append(data, text...)
		for _, s := range []secret.String{served.first, served.shelf.Secret} {
			if bytes.Contains(all, []byte(s.Reveal())) {
				c.Errorf("client %d: the row holds a secret", number)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for number, found := range seen {
		if !found {
			c.Errorf("client %d: no row", number)
		}
	}
}
