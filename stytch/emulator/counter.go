package emulator

import (
	"maps"
	"sync"
)

// A counter counts the access tokens of each client.
type counter struct {
	store *store // nil if the state is in memory only

	mu     sync.Mutex
	total  int
	byName map[string]int
}

type mintedValue struct {
	Count int `json:"count"`
}

func (c *counter) add(p *pending, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.store.check(); err != nil {
		return err
	}
	if c.store != nil {
		c.store.save(p, newRecord(kindMinted, name, mintedValue{c.byName[name] + 1}))
	}
	c.increase(name, 1)
	return nil
}

func (c *counter) increase(name string, by int) {
	if c.byName == nil {
		c.byName = map[string]int{}
	}
	c.total += by
	c.byName[name] += by
}

// count returns the count of a name, or of all names for "".
func (c *counter) count(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name == "" {
		return c.total
	}
	return c.byName[name]
}

func (c *counter) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]int, len(c.byName))
	maps.Copy(all, c.byName)
	return all
}
