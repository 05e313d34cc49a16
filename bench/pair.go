package main

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/cputime"
)

// A contestant is one side of a comparison. op does the work once; i counts its calls, and op may
// be called by several goroutines at once.
type contestant struct {
	name string
	op   func(i int)
}

// A harness compares contestants with a floor in one process. Each contestant runs in chunks, in
// random order, and each chunk stands between two chunks of the floor, so that a machine that
// changes its speed, or has other work to do, does the same to both sides of a ratio.
type harness struct {
	chunk   time.Duration // about how long one chunk takes
	rounds  int           // chunks of each contestant
	threads int
}

// result is a contestant's time, by the floor's.
type result struct {
	ratio float64       // median
	busy  bool          // too few rounds had a core for each thread: the median is that of all
	time  time.Duration // an operation, as the ratio times the median of the floor
}

func (h harness) compare(floor contestant, others []contestant) map[string]result {
	field := append([]contestant{floor}, others...)
	runs := make([]*run, len(field))
	for i, c := range field {
		runs[i] = &run{contestant: c, threads: h.threads}
		runs[i].calibrate(h.chunk)
	}
	order := make([]int, len(others))
	for i := range order {
		order[i] = i + 1
	}
	var floors samples
	ratios := make([]samples, len(field))
	for round := 0; round < h.rounds || round < 4*h.rounds && len(floors.good) < h.rounds*len(others); round++ {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] }) //nolint:gosec // not a secret
		before := runs[0].chunk()
		for _, i := range order {
			one := runs[i].chunk()
			after := runs[0].chunk()
			good := before.whole && after.whole
			ratios[i].add(2*one.call/(before.call+after.call), good)
			floors.add(after.call, good)
			before = after
		}
	}
	unit := floors.median()
	results := map[string]result{floor.name: {ratio: 1, time: time.Duration(unit)}}
	for i, c := range others {
		m := ratios[i+1].median()
		results[c.name] = result{ratio: m, time: time.Duration(m * unit), busy: ratios[i+1].busy()}
	}
	return results
}

// samples are kept apart by whether the floor had all cores before and after. Where other work
// takes a core, two threads take turns on the other one, and neither a lock nor a shared cache line
// costs anything.
type samples struct{ good, other []float64 }

func (s *samples) add(v float64, good bool) {
	if good {
		s.good = append(s.good, v)
	} else {
		s.other = append(s.other, v)
	}
}

// busy reports that the good ones are too few.
func (s *samples) busy() bool { return len(s.good) < min(31, len(s.good)+len(s.other)) }

// median is that of the good ones, if there are enough.
func (s *samples) median() float64 {
	if s.busy() {
		return median(append(s.good, s.other...))
	}
	return median(s.good)
}

// run is a contestant while it is being measured.
type run struct {
	contestant
	threads int
	calls   int // in a chunk, by each thread
	next    int
}

// calibrate finds how many calls make a chunk.
func (r *run) calibrate(chunk time.Duration) {
	for r.calls = 1; ; r.calls *= 2 {
		best := r.chunk().call
		for range 4 {
			best = min(best, r.chunk().call)
		}
		if took := best * float64(r.calls*r.threads); took > float64(chunk)/4 {
			r.calls = max(1, int(float64(r.calls)*float64(chunk)/took))
			return
		}
	}
}

// chunk is one measurement.
type chunk struct {
	call  float64 // nanoseconds of wall time that one call took
	whole bool    // there was a core for each thread
}

func (r *run) chunk() chunk {
	from := r.next
	r.next += r.calls * r.threads
	cpu, start := cputime.Process(), time.Now()
	if r.threads == 1 {
		r.repeat(from)
	} else {
		var wg sync.WaitGroup
		for t := range r.threads {
			wg.Go(func() { r.repeat(from + t*r.calls) })
		}
		wg.Wait()
	}
	took := time.Since(start)
	cpu = cputime.Process() - cpu
	return chunk{
		call:  float64(took) / float64(r.calls*r.threads),
		whole: cpu.Seconds() > 0.85*float64(r.threads)*took.Seconds(),
	}
}

func (r *run) repeat(from int) {
	for i := range r.calls {
		r.op(from + i)
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
