package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// childVariable is what makes the test binary the program of a service that rotates its secret
// once.
const childVariable = "ROTATE_TORTURE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
	}
	os.Exit(m.Run())
}

// order is what a child gets on its standard input. Secrets travel there and nowhere else.
type order struct {
	Project, Secret, Address string
	Client                   string
	Journal, File            string // paths
	Key                      string // of the journal
	GiveUp                   bool   // a second deliverer fails, and the rotation is canceled
	Die                      string // the moment to be killed at, with its number
	Pause                    string // the moment to stop at for good, instead
}

// How a child ends if it is not killed.
const (
	exitCompleted = 0
	exitFailed    = 3 // 2 is a panic
	exitCanceled  = 4
	exitBusy      = 5
)

func child() {
	var o order
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		panic(err)
	}
	c := &chronicle{order: o, out: json.NewEncoder(os.NewFile(3, "chronicle")), count: map[string]int{}}
	w := &witness{tell: c.tell}
	r, err := o.rotator(w, rotate.WithObserver(func(_ context.Context, e rotate.Event) { fmt.Printf("%+v\n", e) }))
	if err != nil {
		panic(err)
	}
	atomicfile.Point = w.disk
	w.tell(moment{What: "begin", When: "before", At: time.Now()})
	err = r.Run(context.Background(), o.Client)
	fmt.Fprintf(os.Stderr, "%v\n%+v\n%#v\n", err, err, err)
	switch {
	case err == nil:
		os.Exit(exitCompleted)
	case errors.Is(err, rotate.ErrCanceled):
		os.Exit(exitCanceled)
	case errors.Is(err, rotate.ErrBusy):
		os.Exit(exitBusy)
	}
	os.Exit(exitFailed)
}

// rotator is the whole stack, as a service has it, with the witness around each part.
func (o order) rotator(w *witness, options ...rotate.Option) (*rotate.Rotator, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	api, err := stytch.New(o.Project, o.Secret, stytch.WithBaseURL(o.Address),
		stytch.WithHTTPClient(&http.Client{Transport: w.transport(transport)}))
	if err != nil {
		return nil, err
	}
	journal, err := o.journal()
	if err != nil {
		return nil, err
	}
	places := rotate.Deliverers{"file": seenPlace{w, "file", deliver.File(o.File)}}
	if o.GiveUp {
		options = append(options, rotate.WithCancelOnFailure())
		places["other"] = rotate.DelivererFunc(func(_ context.Context, d rotate.Delivery) error {
			if d.Previous.IsZero() {
				return nil
			}
			return io.ErrShortWrite
		})
	}
	return rotate.New(seenTarget{w, api.M2M.Secrets, api.M2M.Secrets}, places, seenJournal{w, journal}, options...)
}

func (o order) journal() (*filejournal.Journal, error) {
	var keys []secret.String
	if o.Key != "" {
		keys = append(keys, secret.New(o.Key))
	}
	return filejournal.New(o.Journal, o.Project, keys...)
}

// entry is a line of a chronicle: a moment and which of its kind it was.
type entry struct {
	moment
	Number int
}

func (e entry) String() string { return fmt.Sprintf("%v #%d", e.moment, e.Number) }

// chronicle records each moment before the next one can happen, and ends the process at the moment
// of its order.
type chronicle struct {
	order
	out *json.Encoder

	mu    sync.Mutex
	count map[string]int
}

func (c *chronicle) tell(m moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[m.String()]++
	e := entry{m, c.count[m.String()]}
	if err := c.out.Encode(e); err != nil {
		panic(err)
	}
	switch e.String() {
	case c.Die:
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
	case c.Pause:
	default:
		return
	}
	<-time.After(time.Hour) // with the lock, so that nothing else goes on either
}
