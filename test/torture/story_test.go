package torture

import (
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// story is one way a rotation can go.
type story struct {
	name   string
	giveUp bool
	lost   string // the operation whose first answer is lost
}

var stories = []story{
	{name: "completed"},
	{name: "given up", giveUp: true},
	{name: "start lost", lost: "StartM2MClientSecretRotation"},
	{name: "completion lost", lost: "CompleteM2MClientSecretRotation"},
	{name: "cancellation lost", giveUp: true, lost: "CancelM2MClientSecretRotation"},
}

func (s story) exit() int {
	if s.giveUp {
		return exitCanceled
	}
	return exitCompleted
}

func (s story) state() rotate.State {
	if s.giveUp {
		return rotate.Canceled
	}
	return rotate.Completed
}

// service returns the service of a story.
func (s story) service(t *testing.T, v variant) *service {
	svc := newService(t, v)
	svc.GiveUp = s.giveUp
	if s.lost != "" {
		svc.Inject(emulator.DropResponse(s.lost).Times(1))
	}
	return svc
}

// required are the moments that must be among those of the two plain stories, whatever else the
// engine does.
var required = map[string][]string{
	"completed": {
		"claim: before", "claim: after", "read file: before", "read file: after", "look: before", "look: after", "prove: before", "prove: after",
		"write starting: before", "disk of write starting: created", "disk of write starting: written", "disk of write starting: synced",
		"disk of write starting: renamed", "write starting: after", "start: before", "answer of start: unread", "start: after",
		"write started: before", "disk of write started: created", "disk of write started: written", "disk of write started: synced",
		"disk of write started: renamed", "write started: after", "deliver file: before", "disk of deliver file: created",
		"disk of deliver file: renamed", "deliver file: after", "write delivered: before", "write delivered: after",
		"write verified: before", "write verified: after", "write completing: before", "write completing: after",
		"complete: before", "answer of complete: unread", "complete: after", "write completed: before",
		"disk of write completed: renamed", "write completed: after", "release: before", "release: after",
	},
	"given up": {
		"write started, giving up: before", "write started, giving up: after", "cancel: before", "answer of cancel: unread", "cancel: after",
		"write canceled: before", "disk of write canceled: renamed", "write canceled: after",
	},
}

// moments runs a story undisturbed and returns all of its moments in their order.
func (s story) moments(t *testing.T) (all []string) {
	t.Helper()
	svc := s.service(t, variants[0])
	p, code := svc.run(svc.order)
	for _, e := range p.told {
		all = append(all, e.String())
	}
	svc.checkEnd(s.state())
	svc.checkTexts()
	if code != s.exit() || len(svc.wrongs) > 0 {
		t.Fatalf("%s, undisturbed: exit code %d, %v", s.name, code, svc.wrongs)
	}
	for _, want := range required[s.name] {
		if !slices.ContainsFunc(all, func(m string) bool { return strings.HasPrefix(m, want+" #") }) {
			t.Errorf("%s has no moment %q", s.name, want)
		}
	}
	return all[1:] // without the one before anything began
}
