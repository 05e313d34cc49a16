package torture

import (
	"fmt"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// evil is one thing that can happen to a request.
type evil struct {
	name  string
	fault func(operation string) emulator.Fault
	// lies of the token endpoint refuse a good secret. The rotator cannot know better, but must not
	// lose anything.
	lies bool
}

func after(f func(string) emulator.Fault) func(string) emulator.Fault {
	return func(operation string) emulator.Fault { return f(operation).AfterEffect() }
}

// evils leaves out what says "no" and does it all the same: against that there is no help but
// WithTakeOver.
func evils() (all []evil) {
	both := func(name string, f func(string) emulator.Fault) {
		all = append(all, evil{name: name, fault: f}, evil{name: name + " after the effect", fault: after(f)})
	}
	for _, status := range []int{400, 401, 403, 404, 409, 429, 500, 502, 503} {
		f := func(operation string) emulator.Fault { return emulator.Status(operation, status) }
		if name := fmt.Sprint("status ", status); status >= 500 {
			both(name, f)
		} else {
			all = append(all, evil{name: name, fault: f, lies: status == 400 || status == 401})
		}
	}
	for _, status := range []int{200, 502} {
		both(fmt.Sprint("html ", status), func(operation string) emulator.Fault { return emulator.HTML(operation, status) })
		both(fmt.Sprint("empty ", status), func(operation string) emulator.Fault { return emulator.EmptyBody(operation, status) })
		both(fmt.Sprint("garbage ", status), func(operation string) emulator.Fault { return emulator.Garbage(operation, status) })
	}
	return append(all,
		evil{name: "limited", fault: func(operation string) emulator.Fault { return emulator.RateLimited(operation, "7") }},
		evil{name: "limited for long", fault: func(operation string) emulator.Fault { return emulator.RateLimited(operation, "300") }},
		evil{name: "cut", fault: emulator.CutBody},
		evil{name: "reset", fault: emulator.Reset},
		evil{name: "dropped", fault: emulator.DropResponse},
		evil{name: "slow", fault: func(operation string) emulator.Fault { return emulator.SlowBody(operation, time.Minute) }},
		evil{name: "late", fault: func(operation string) emulator.Fault { return emulator.Latency(operation, time.Minute) }},
	)
}

// family is one kind of clients.
type family struct {
	name       string
	id         string
	operations []string
	secrets    func(*stytch.Client) *stytch.Secrets
	prober     func(*stytch.Secrets) rotate.Prober
}

var families = []family{
	{"m2m", clientID, []string{"StartM2MClientSecretRotation", "CompleteM2MClientSecretRotation", "CancelM2MClientSecretRotation", "GetM2MClient", "IssueM2MToken"},
		func(c *stytch.Client) *stytch.Secrets { return c.M2M.Secrets }, func(s *stytch.Secrets) rotate.Prober { return s }},
	{"app", appID, []string{"StartConnectedAppSecretRotation", "CompleteConnectedAppSecretRotation", "CancelConnectedAppSecretRotation", "GetConnectedApp"},
		func(c *stytch.Client) *stytch.Secrets { return c.ConnectedApps.Secrets }, func(s *stytch.Secrets) rotate.Prober { return rotate.ByLastFour(s) }},
}

// plot is what a rotation goes through apart from the fault.
type plot struct {
	name    string
	cancels bool  // it is given up because a second deliverer fails
	lost    bool  // the answer to its first start is lost
	grace   bool  // what was proved has to be proved again; it is given up only after that
	at      []int // which occurrences of a call are struck
}

const always = -1

var plots = []plot{
	{name: "plain", at: []int{0, 1, 2, always}}, {name: "given up", cancels: true, at: []int{0, 1, 2, always}},
	{name: "lost start", lost: true, at: []int{0, 1, 2, always}},
	{name: "grace", grace: true, at: []int{1, 2}}, {name: "given up late", grace: true, cancels: true, at: []int{1, 2}},
}
