package emulator_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/internal/heavy"
)

// TestKill kills the server at random times while it works. Whatever it had answered is there when
// it starts again, and the file is sound.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	seedOf := rand.Uint64()
	t.Logf("seed %d", seedOf)
	random := rand.New(rand.NewPCG(seedOf, 1))
	workers := make([]*worker, 8)
	for i := range workers {
		workers[i] = &worker{number: i, random: rand.New(rand.NewPCG(seedOf, uint64(i)+2))}
	}
	total := int64(0)
	rounds := heavy.CountLong(30, 50, 300)
	for range rounds {
		p := serve(t, dir, "--data", "data.db")
		verifyAll(t, p, workers)
		if t.Failed() {
			return
		}
		for _, w := range workers { // the next round looks at new clients
			w.clients = nil
		}
		target := random.Int64N(150)
		answered := newCountdown(target)
		var working sync.WaitGroup
		for _, w := range workers {
			w.answered = answered
			working.Go(w.run)
		}
		<-answered.reached
		p.kill(t) // while others are in progress
		working.Wait()
		for _, w := range workers {
			if w.failure != "" {
				t.Fatal(w.failure)
			}
		}
		total += answered.n.Load()
		checkData(t, filepath.Join(dir, "data.db"))
	}
	verifyAll(t, serve(t, dir, "--data", "data.db"), workers)
	t.Logf("%d kills, %d answered writes", rounds, total)
}

// A countdown is reached after a number of answers.
type countdown struct {
	n       atomic.Int64
	target  int64
	reached chan struct{}
}

func newCountdown(target int64) *countdown {
	c := &countdown{target: target, reached: make(chan struct{})}
	if target == 0 {
		close(c.reached)
	}
	return c
}

func (c *countdown) add() {
	if c.n.Add(1) == c.target {
		close(c.reached)
	}
}

func verifyAll(t *testing.T, p *process, workers []*worker) {
	t.Helper()
	response, err := http.Get(p.AdminURL + "/bill")
	if err != nil {
		t.Fatal(err)
	}
	var bill admin.Bill
	err = json.NewDecoder(response.Body).Decode(&bill)
	discard(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workers {
		w.url, w.http = p.URL, &http.Client{Transport: &http.Transport{}}
		w.verify(t, bill.Tokens)
	}
}

// checkData lets bbolt check every page of a file that no server uses.
func checkData(t *testing.T, name string) {
	t.Helper()
	db, err := bbolt.Open(name, 0o600, &bbolt.Options{Timeout: time.Second, ReadOnly: true})
	if err != nil {
		t.Fatalf("the data file: %v", err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("the data file: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
