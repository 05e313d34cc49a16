package requestlog_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/requestlog"
	"github.com/stytchkit/m2m/stytch/emulator"
)

func ids(entries []requestlog.Entry) (all []int64) {
	for _, e := range entries {
		all = append(all, e.ID)
	}
	return all
}

func filled(n int) *requestlog.Log {
	l := new(requestlog.Log)
	for i := 1; i <= n; i++ {
		status := 200
		if i%2 == 0 {
			status = 0
		}
		l.Add(emulator.Request{Operation: fmt.Sprint("op", i%3), Status: status, Method: "GET", ClientID: fmt.Sprint("c", i%5)})
	}
	return l
}

// What callers choose is bounded, and a part of a request line does not keep the line.
func TestLongTexts(t *testing.T) {
	line := strings.Repeat("\u20ac", 20_000)
	l := new(requestlog.Log)
	l.Add(emulator.Request{Method: line, Path: line, ClientID: line, Reason: line})
	e, _ := l.Entry(1)
	if n := len(e.Method) + len(e.Path) + len(e.ClientID) + len(e.Reason); n > 4096 {
		t.Errorf("the log holds %d bytes of one request", n)
	}
	if !utf8.ValidString(e.Method) || e.Method == "" {
		t.Errorf("the method is cut inside a character: %q", e.Method)
	}
}

// A part of a request line does not keep the line, with its query, in memory.
func TestMemory(t *testing.T) {
	const long = 20 << 10
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l := new(requestlog.Log)
	for range 2000 {
		line := strings.Repeat("x", long)
		l.Add(emulator.Request{Method: line[:3], Path: line[:9]})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 4<<20 {
		t.Errorf("2000 short entries hold %d bytes", held)
	}
	runtime.KeepAlive(l)
}

func TestSelect(t *testing.T) {
	zero := 0
	l := filled(12)
	for name, c := range map[string]struct {
		filter requestlog.Filter
		limit  int
		want   []int64
	}{
		"newest":           {requestlog.Filter{}, 3, []int64{10, 11, 12}},
		"all":              {requestlog.Filter{}, 100, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"after":            {requestlog.Filter{After: 4}, 3, []int64{5, 6, 7}},
		"after the newest": {requestlog.Filter{After: 12}, 3, nil},
		"operation":        {requestlog.Filter{Operation: "op0"}, 2, []int64{9, 12}},
		"status 0":         {requestlog.Filter{Status: &zero, After: 1}, 2, []int64{2, 4}},
		"client":           {requestlog.Filter{ClientID: "c0"}, 9, []int64{5, 10}},
		"method":           {requestlog.Filter{Method: "PUT"}, 9, nil},
		"error type":       {requestlog.Filter{ErrorType: "x"}, 9, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := l.Select(c.filter, c.limit)
			if got := ids(p.Entries); !slices.Equal(got, c.want) || p.Last != 12 || p.Discarded != 0 {
				t.Errorf("got %v, last %d, discarded %d, want %v", got, p.Last, p.Discarded, c.want)
			}
		})
	}
}

func TestSince(t *testing.T) {
	if p := filled(12).Since(0, 2); !slices.Equal(ids(p.Entries), []int64{1, 2}) || p.Last != 12 {
		t.Errorf("got %v, last %d", ids(p.Entries), p.Last)
	}
}

func TestOverwritten(t *testing.T) {
	l := filled(requestlog.Size + 5)
	p := l.Select(requestlog.Filter{After: 3}, 2)
	if got := ids(p.Entries); !slices.Equal(got, []int64{6, 7}) || p.Discarded != 2 {
		t.Errorf("got %v, discarded %d", got, p.Discarded)
	}
	if n, complete := l.Count(requestlog.Filter{}); n != requestlog.Size || complete {
		t.Errorf("count %d, complete %v: 5 requests are missing", n, complete)
	}
	if n, complete := l.Count(requestlog.Filter{After: 5}); n != requestlog.Size || !complete {
		t.Errorf("count %d, complete %v: nothing after 5 is missing", n, complete)
	}
	if _, ok := l.Entry(5); ok {
		t.Error("entry 5 was overwritten")
	}
	if e, ok := l.Entry(6); !ok || e.ID != 6 {
		t.Errorf("entry 6: %v %v", e, ok)
	}
}

func TestClear(t *testing.T) {
	l := filled(requestlog.Size + 5)
	l.Clear()
	if n, complete := l.Count(requestlog.Filter{}); n != 0 || !complete {
		t.Errorf("count %d, complete %v", n, complete)
	}
	l.Add(emulator.Request{Operation: "op"})
	p := l.Select(requestlog.Filter{}, 10)
	if got := ids(p.Entries); !slices.Equal(got, []int64{requestlog.Size + 6}) || p.Discarded != 0 {
		t.Errorf("got %v, discarded %d: ids continue, and what was cleared is not missing", got, p.Discarded)
	}
	if _, ok := l.Entry(requestlog.Size + 5); ok {
		t.Error("an entry survived")
	}
}

func TestChanged(t *testing.T) {
	l := filled(1)
	last, changed := l.Changed()
	if last != 1 {
		t.Errorf("last %d", last)
	}
	select {
	case <-changed:
		t.Fatal("closed before a change")
	default:
	}
	l.Add(emulator.Request{})
	<-changed
	_, changed = l.Changed()
	l.Clear()
	<-changed
}
