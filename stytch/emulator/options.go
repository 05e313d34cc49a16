package emulator

import (
	"crypto/rsa"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// An Option of [New] and [NewServer]. It fails if its value cannot be used.
type Option func(*config) error

type config struct {
	projectID, secret string
	clock             func() time.Time
	issuer            string
	signingKey        *rsa.PrivateKey
	behavior          Behavior
	strict            bool
	noTotals          bool
	faults            []Fault
	clients           []bulk
	apps              []ConnectedAppSeed
}

// A bulk is n seeds, made one at a time so that a large project is never held twice.
type bulk struct {
	n    int
	seed func(i int) M2MClientSeed
}

func newConfig(opts []Option) (*config, error) {
	cfg := &config{clock: time.Now}
	for i, opt := range opts {
		if opt == nil {
			return nil, invalidArgument("option %d is nil", i+1)
		}
		if err := opt(cfg); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

var projectIDPattern = regexp.MustCompile(`^project-(test|live)-[0-9A-Za-z-]+$`)

// WithProject sets the credentials of the project, which are random otherwise. The id must begin with project-test- or
// project-live-, which decides between the rules of the two environments; the secret must not be empty.
func WithProject(id, secret string) Option {
	return func(cfg *config) error {
		if !projectIDPattern.MatchString(id) {
			return invalidArgument("WithProject: the project id must be project-test- or project-live-, then letters, digits and hyphens")
		}
		if secret == "" || strings.ContainsFunc(secret, isControl) {
			return invalidArgument("WithProject: the project secret must not be empty or contain control characters")
		}
		cfg.projectID, cfg.secret = id, secret
		return nil
	}
}

// WithClock sets the clock that tokens and the request log are dated by; it is [time.Now] otherwise. It is called by
// many goroutines at once. Delays of faults are not measured by it.
func WithClock(now func() time.Time) Option {
	return func(cfg *config) error {
		if now == nil {
			return invalidArgument("WithClock: the function is nil")
		}
		cfg.clock = now
		return nil
	}
}

// WithIssuer sets the iss claim of tokens, which is stytch.com/{project_id} otherwise (documented). A project with a
// custom domain has its address there, https://auth.example.com, without a slash at the end.
func WithIssuer(issuer string) Option {
	return func(cfg *config) error {
		u, err := url.Parse(issuer)
		if err != nil || issuer == "" || strings.HasSuffix(issuer, "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return invalidArgument("WithIssuer: the issuer must be a URL without user, query, fragment or trailing slash")
		}
		cfg.issuer = issuer
		return nil
	}
}

// WithSigningKey sets the first key that tokens are signed with, of at least 2048 bits. Its key id follows from the key,
// so it is the same in every run. Otherwise all emulators of a process share one random key, which is made when it is
// first needed.
func WithSigningKey(key *rsa.PrivateKey) Option {
	return func(cfg *config) error {
		if key == nil || key.N == nil {
			return invalidArgument("WithSigningKey: the key is nil")
		}
		if key.N.BitLen() < 2048 {
			return invalidArgument("WithSigningKey: the key must have at least 2048 bits")
		}
		cfg.signingKey = key
		return nil
	}
}

// WithM2MClient adds a client before the first request. It may be given many times.
func WithM2MClient(seed M2MClientSeed) Option {
	return WithM2MClients(1, func(int) M2MClientSeed { return seed })
}

// WithM2MClients adds n clients, seed(0) to seed(n-1), in that order. A hundred thousand take about a second,
// provided their secrets are left to the emulator: a chosen secret costs as much as checking a password.
func WithM2MClients(n int, seed func(i int) M2MClientSeed) Option {
	return func(cfg *config) error {
		if n < 0 || seed == nil {
			return invalidArgument("WithM2MClients: the number must not be negative, and the function must not be nil")
		}
		cfg.clients = append(cfg.clients, bulk{n, seed})
		return nil
	}
}

// WithConnectedApp adds a Connected App before the first request. It may be given many times.
func WithConnectedApp(seed ConnectedAppSeed) Option {
	return func(cfg *config) error {
		cfg.apps = append(cfg.apps, seed)
		return nil
	}
}

// WithFaults adds faults; see also [Emulator.Inject].
func WithFaults(faults ...Fault) Option {
	return func(cfg *config) error {
		for _, fault := range faults {
			if err := fault.check(); err != nil {
				return err
			}
		}
		cfg.faults = append(cfg.faults, faults...)
		return nil
	}
}

// WithBehavior sets what the emulator does where Stytch's behaviour is not known.
func WithBehavior(b Behavior) Option {
	return func(cfg *config) error {
		_, err := b.filled()
		cfg.behavior = b
		return err
	}
}

// WithStrict makes the emulator refuse what Stytch may well tolerate: fields that the contract does not know, and JSON
// that is not labelled as such. Use it to find mistakes of a client.
func WithStrict() Option {
	return func(cfg *config) error {
		cfg.strict = true
		return nil
	}
}

// WithTotals says whether searches count their results. WithTotals(false) answers a total of -1, as Stytch does for
// workspaces where totals are disabled (documented).
func WithTotals(on bool) Option {
	return func(cfg *config) error {
		cfg.noTotals = !on
		return nil
	}
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7F }
