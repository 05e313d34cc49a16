// Package instance is one running local Stytch: an emulator, its data file, its clock and its
// request log. It replaces the emulator as a whole when the project is reset or imported. It knows
// nothing of HTTP but the handler of the emulator; the admin API and the console call it.
package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/requestlog"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/store"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Why something was refused, for errors.Is. Nothing was changed.
var (
	ErrInvalid  = errors.New("instance: invalid")
	ErrNotFound = errors.New("instance: not found")
	ErrConflict = errors.New("instance: conflict")
)

// A Config describes an instance.
type Config struct {
	ProjectID string
	Secret    secret.String
	Issuer    string            // "" for that of the seed or the default
	Seed      *seed.Seed        // nil for none
	Store     *store.Store      // nil to keep everything in memory; the instance closes it
	Options   []emulator.Option // of every emulator, such as emulator.WithStrict
	Start     time.Time         // what the clock shows at the beginning; zero for real time

	// OnRequest is called for each request before its response is sent, if it is not nil. It must
	// not block.
	OnRequest func(emulator.Request)
}

// An Instance is safe for concurrent use.
type Instance struct {
	config   Config
	clock    clock
	requests requestlog.Log

	current atomic.Pointer[emulator.Emulator]
	ending  atomic.Bool

	mu sync.Mutex // held while the emulator, the clock or the keys are replaced
}

// Open starts the project from its data file and its seed.
func Open(config Config) (*Instance, error) {
	i := &Instance{config: config}
	if config.Store != nil {
		if err := i.clock.restore(config.Store); err != nil {
			return nil, err
		}
	}
	if !config.Start.IsZero() {
		if err := i.travel(time.Until(config.Start)); err != nil {
			return nil, err
		}
	}
	var content emulator.Storage
	if config.Store != nil {
		content = config.Store.Content()
	}
	e, err := i.build(content, config.Seed)
	if err != nil {
		return nil, err
	}
	i.current.Store(e)
	return i, nil
}

// build makes an emulator with a content, which may be nil, and a seed, which may be nil.
func (i *Instance) build(content emulator.Storage, from *seed.Seed) (*emulator.Emulator, error) {
	options := append([]emulator.Option{
		emulator.WithProject(i.config.ProjectID, i.config.Secret.Reveal()),
		emulator.WithClock(i.clock.now),
		emulator.WithObserver(i.observe),
	}, i.config.Options...)
	if content != nil {
		options = append(options, emulator.WithStorage(content))
	}
	if from != nil {
		options = append(options, from.Options()...)
	}
	if template := i.tokenTemplate(); template != "" {
		options = append(options, emulator.WithTokenTemplate(template))
	}
	if i.config.Issuer != "" {
		options = append(options, emulator.WithIssuer(i.config.Issuer))
	}
	return emulator.New(options...)
}

func (i *Instance) observe(r emulator.Request) {
	i.requests.Add(r)
	if i.config.OnRequest != nil {
		i.config.OnRequest(r)
	}
}

// tokenTemplate belongs to the project, not to its content, so it survives a reset.
func (i *Instance) tokenTemplate() string {
	if i.config.Seed == nil {
		return ""
	}
	return i.config.Seed.Project.TokenTemplate
}

// Emulator is the emulator that serves now. It changes with [Instance.Reset] and [Instance.Import].
func (i *Instance) Emulator() *emulator.Emulator { return i.current.Load() }

// Issuer is the iss claim of the project's tokens. A data file may hold another one than the
// configuration.
func (i *Instance) Issuer() (string, error) {
	for r := range i.Emulator().Records() {
		if r.Kind != "project" {
			continue
		}
		var project struct {
			Issuer string `json:"issuer"`
		}
		err := json.Unmarshal(r.Value, &project)
		return project.Issuer, err
	}
	return "", errors.New("the project has no record of its own")
}

// ServeHTTP responds to a request for the API of Stytch.
func (i *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.current.Load().ServeHTTP(w, r)
}

// Requests is the request log.
func (i *Instance) Requests() *requestlog.Log { return &i.requests }

// Seed is the seed that it began with, or nil.
func (i *Instance) Seed() *seed.Seed { return i.config.Seed }

// Stored reports whether a data file keeps the project.
func (i *Instance) Stored() bool { return i.config.Store != nil }

// Ready fails once the server is ending or the data file has failed.
func (i *Instance) Ready() error {
	if i.ending.Load() {
		return errors.New("instance: the server is ending")
	}
	if i.config.Store != nil {
		if err := i.config.Store.Err(); err != nil {
			return fmt.Errorf("instance: the data file failed, and nothing more is stored: start the server again: %w", err)
		}
	}
	return nil
}

// End announces that the server is ending: it is no longer ready.
func (i *Instance) End() { i.ending.Store(true) }

// Close releases the data file. No request may be in progress.
func (i *Instance) Close() error {
	i.ending.Store(true)
	if i.config.Store == nil {
		return nil
	}
	return i.config.Store.Close()
}

// invalid is a refusal.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

// Message is the text of an error for people, without what [errors.Is] finds.
func Message(err error) string {
	text := err.Error()
	for _, kind := range []error{ErrInvalid, ErrNotFound, ErrConflict} {
		text = strings.TrimPrefix(text, kind.Error()+": ")
	}
	return text
}
