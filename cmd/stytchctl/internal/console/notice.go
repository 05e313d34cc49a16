package console

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	noticeLife = time.Minute // how long a redirect may take
	maxNotices = 256
)

// A notice is what the page after a redirect shows once: what was done, and a secret if there is
// one. It waits in memory under a random key that only a cookie holds, so a secret is in no address
// and is gone after a reload.
type notice struct {
	Text    string
	Secret  secret.String
	Meaning string // what the secret is

	path    string // the page that shows it
	expires time.Time
}

// Reveal is the text of the secret, for the template.
func (n *notice) Reveal() string { return n.Secret.Reveal() }

type notices struct {
	mu      sync.Mutex
	waiting map[string]notice
	order   []string // oldest first
}

func newNotices() *notices { return &notices{waiting: map[string]notice{}} }

// add keeps a notice for the page at path and returns its key.
func (n *notices) add(one notice, now time.Time) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.order) > 0 {
		oldest := n.order[0]
		if len(n.order) < maxNotices && now.Before(n.waiting[oldest].expires) {
			break
		}
		delete(n.waiting, oldest)
		n.order = n.order[1:]
	}
	key := rand.Text()
	one.expires = now.Add(noticeLife)
	n.waiting[key] = one
	n.order = append(n.order, key)
	return key
}

// take returns a notice for the page at path, once.
func (n *notices) take(key, path string, now time.Time) *notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	one, found := n.waiting[key]
	if !found || one.path != path {
		return nil
	}
	delete(n.waiting, key)
	if now.After(one.expires) {
		return nil
	}
	return &one
}
