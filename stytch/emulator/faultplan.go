package emulator

import (
	"slices"
	"sync"
)

// A faultPlan decides which fault applies to a request.
type faultPlan struct {
	mu     sync.Mutex
	active []*activeFault
}

type activeFault struct {
	Fault
	seen, applied int
}

func (p *faultPlan) add(f Fault) (remove func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	added := &activeFault{Fault: f}
	p.active = append(p.active, added)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.active = slices.DeleteFunc(p.active, func(a *activeFault) bool { return a == added })
	}
}

// next counts a request of the operation and returns the fault that applies to it, if any.
func (p *faultPlan) next(operation string) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found *activeFault
	for _, a := range p.active {
		if a.operation != "" && a.operation != operation {
			continue
		}
		a.seen++
		if found == nil && a.due() {
			found = a
		}
	}
	if found == nil {
		return Fault{}, false
	}
	found.applied++
	return found.Fault, true
}

func (a *activeFault) due() bool {
	turn := a.seen - a.skip
	return turn > 0 && (a.count == 0 || a.applied < a.count) && (a.every < 2 || turn%a.every == 0)
}
