package dump_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stytchkit/m2m/internal/dump"
)

type hidden struct {
	text   string
	bytes  []byte
	array  [4]byte
	next   *hidden
	any    any
	list   []hidden
	table  map[string]*hidden
	atomic atomic.Pointer[hidden]
	call   func() string
}

func TestText(t *testing.T) {
	h := &hidden{text: "one", bytes: []byte("two"), array: [4]byte{'t', 'h', 'r', '3'}, call: func() string { return "not this" }}
	h.next, h.any = h, struct{ inner fmt.Stringer }{&namer{"four"}}
	h.list = []hidden{{text: "five", next: h}}
	h.table = map[string]*hidden{"six": {text: "seven"}, "self": h}
	h.atomic.Store(&hidden{text: "eight"})
	got := dump.Text(h)
	for _, want := range []string{"one", "two", "thr3", "four", "five", "six", "seven", "eight"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(got, "not this") || strings.Contains(got, "namer") {
		t.Errorf("a function or a method was called: %q", got)
	}
	if dump.Text(nil) != "" || dump.Text((*hidden)(nil)) != "" || dump.Text(&hidden{}) == "" {
		t.Error("nothing is something")
	}
}

type namer struct{ name string }

func (n *namer) String() string { return "namer" }
