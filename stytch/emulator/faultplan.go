package emulator

import (
	"slices"
	"strconv"
	"sync"
)

// A faultPlan decides which fault applies to a request.
type faultPlan struct {
	mu     sync.Mutex
	active []*ActiveFault
	added  int
}

// An ActiveFault is a fault with its counts.
type ActiveFault struct {
	ID     string `json:"id"`
	Fault  Fault  `json:"fault"`
	Seen   int    `json:"seen"`   // requests of its operation since it was added
	Struck int    `json:"struck"` // how often it applied
	Left   int    `json:"left"`   // how often it may still apply; -1 for no limit
}

func (p *faultPlan) add(f Fault) (id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.added++
	id = "fault-" + strconv.Itoa(p.added)
	p.active = append(p.active, &ActiveFault{ID: id, Fault: f})
	return id
}

// take replaces the plan with a copy of another one.
func (p *faultPlan) take(from *faultPlan) {
	from.mu.Lock()
	added, active := from.added, make([]*ActiveFault, len(from.active))
	for i, a := range from.active {
		copied := *a
		active[i] = &copied
	}
	from.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.added, p.active = max(added, p.added), active
}

func (p *faultPlan) remove(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.active)
	p.active = slices.DeleteFunc(p.active, func(a *ActiveFault) bool { return a.ID == id })
	return len(p.active) < before
}

func (p *faultPlan) list() []ActiveFault {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]ActiveFault, len(p.active))
	for i, a := range p.active {
		all[i] = *a
		all[i].Left = -1
		if a.Fault.count > 0 {
			all[i].Left = a.Fault.count - a.Struck
		}
	}
	return all
}

// next counts a request of the operation and returns the fault that applies to it, if any.
func (p *faultPlan) next(operation string) (Fault, bool) {
	if p == nil {
		return Fault{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var found *ActiveFault
	for _, a := range p.active {
		if a.Fault.operation != "" && a.Fault.operation != operation {
			continue
		}
		a.Seen++
		if found == nil && a.due() {
			found = a
		}
	}
	if found == nil {
		return Fault{}, false
	}
	found.Struck++
	return found.Fault, true
}

func (a *ActiveFault) due() bool {
	f := a.Fault
	turn := a.Seen - f.skip
	return turn > 0 && (f.count == 0 || a.Struck < f.count) && (f.every < 2 || turn%f.every == 0)
}
