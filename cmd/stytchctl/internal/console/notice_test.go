package console

import (
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// A secret is shown once, on its page only, and not after a minute.
func TestNotices(t *testing.T) {
	n := newNotices()
	add := func(at time.Time) string { return n.add(notice{Secret: secret.New("canary"), path: "/a"}, at) }
	key := add(noon)
	if n.take("another", "/a", noon) != nil || n.take(key, "/b", noon) != nil {
		t.Error("a notice is shown for another key or on another page")
	}
	if got := n.take(key, "/a", noon.Add(noticeLife)); got == nil || got.Reveal() != "canary" {
		t.Errorf("the notice is %v", got)
	}
	if n.take(key, "/a", noon) != nil {
		t.Error("a notice is shown twice")
	}
	late := add(noon)
	if n.take(late, "/a", noon.Add(noticeLife+1)) != nil {
		t.Error("a notice is shown after its time")
	}
}

func TestNoticesAreBounded(t *testing.T) {
	n := newNotices()
	oldest := n.add(notice{path: "/a"}, noon)
	for range maxNotices {
		n.add(notice{path: "/a"}, noon)
	}
	if n.take(oldest, "/a", noon) != nil || len(n.waiting) != maxNotices || len(n.order) != maxNotices {
		t.Errorf("%d notices wait", len(n.waiting))
	}
	n.add(notice{path: "/a"}, noon.Add(time.Hour))
	if len(n.waiting) != 1 || len(n.order) != 1 {
		t.Errorf("%d notices wait after their time", len(n.waiting))
	}
}
