package emulator

import (
	"crypto/rsa"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/project"
)

// An Option configures [New] and [Start]. An option whose value cannot be used makes them fail with
// an error matching [ErrInvalidArgument].
type Option func(*settings) error

type settings struct {
	projectID, secret string
	clock             func() time.Time
	issuer            string
	signingKey        *rsa.PrivateKey
	storage           Storage
	observer          func(Request)
	behavior          Behavior
	strict            bool
	noTotals          bool
	template          template
	hosts             []string
	faults            []Fault
	clients           []seedFunc
	apps              []ConnectedAppSeed
}

// A seedFunc generates n seeds one at a time, so that a large project is never in memory twice.
type seedFunc struct {
	n    int
	seed func(i int) M2MClientSeed
}

func newSettings(opts []Option) (*settings, error) {
	s := &settings{clock: time.Now}
	for i, opt := range opts {
		if opt == nil {
			return nil, invalidArgument("option %d is nil", i+1)
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// WithProject sets the credentials of the project, which are random by default. The id begins with
// project-test- or project-live- and so chooses the rules of that environment.
func WithProject(id, secret string) Option {
	return func(s *settings) error {
		if err := project.CheckCredentials(id, secret); err != nil {
			return invalidArgument("WithProject: %w", err)
		}
		s.projectID, s.secret = id, secret
		return nil
	}
}

// WithClock sets the clock for tokens and the request log; the default is [time.Now]. It must be
// safe for concurrent use. The delays of faults do not use it.
func WithClock(now func() time.Time) Option {
	return func(s *settings) error {
		if now == nil {
			return invalidArgument("WithClock: the function is nil")
		}
		s.clock = now
		return nil
	}
}

// WithIssuer sets the iss claim of tokens; the default is stytch.com/{project_id} (documented). For
// a project with a custom domain it is the address of that domain, such as
// https://auth.example.com.
func WithIssuer(issuer string) Option {
	return func(s *settings) error {
		s.issuer = issuer
		return checkIssuer(issuer)
	}
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || issuer == "" || strings.HasSuffix(issuer, "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return invalidArgument("WithIssuer: the issuer must be a URL without user, query, fragment or trailing slash")
	}
	return nil
}

// WithTokenTemplate adds custom claims to M2M tokens, as a token template of the project does. The
// text is a JSON object with the placeholders {{ request.name }}, a further parameter of the token
// request, and {{ client.trusted_metadata.key }}; both are documented. An absent value becomes
// null, or nothing within a string (assumed). Claims that Stytch sets cannot be named.
func WithTokenTemplate(text string) Option {
	return func(s *settings) (err error) {
		if s.template, err = parseTemplate(text); err != nil {
			return invalidArgument("WithTokenTemplate: %w", err)
		}
		return nil
	}
}

// WithSigningKey sets the first signing key, of at least 2048 bits. Its key id is derived from the
// key, so it is the same in every run. By default, all emulators of a process share one random key,
// which is generated on first use.
func WithSigningKey(key *rsa.PrivateKey) Option {
	return func(s *settings) error {
		if key == nil || key.N == nil {
			return invalidArgument("WithSigningKey: the key is nil")
		}
		if key.N.BitLen() < minKeyBits {
			return invalidArgument("WithSigningKey: the key must have at least %d bits", minKeyBits)
		}
		if key.Validate() != nil {
			return invalidArgument("WithSigningKey: the key is not a complete RSA key")
		}
		s.signingKey = key
		return nil
	}
}

// WithStorage keeps the state in a storage as well: clients, apps, hashes of their secrets, signing
// keys, the project with its secret, the counts of tokens and the behavior. No response is sent
// before what it shows is stored. Faults and the request log are not stored.
//
// What the storage holds wins over the other options, so that a restart with the same ones changes
// nothing: a seed whose id exists or was deleted is skipped, and so are seeds without an id once
// the storage holds anything, [WithBehavior] and [WithSigningKey]. Only [WithIssuer] replaces the
// stored issuer. [New] fails with an error matching [ErrStorage] if a record cannot be read, and
// with one matching [ErrInvalidArgument] if [WithProject] names another project or secret.
//
// Once a change could not be stored, its request gets a 500, and so does every further request that
// would change something, until the emulator is started again. Reads continue.
func WithStorage(storage Storage) Option {
	return func(s *settings) error {
		if storage == nil {
			return invalidArgument("WithStorage: the storage is nil")
		}
		s.storage = storage
		return nil
	}
}

// WithObserver sets a function that is called once for each request, before its response is sent.
// It runs in the goroutine of the request and must be safe for concurrent use. Its panic is
// dropped.
func WithObserver(f func(Request)) Option {
	return func(s *settings) error {
		if f == nil {
			return invalidArgument("WithObserver: the function is nil")
		}
		s.observer = f
		return nil
	}
}

// WithM2MClient adds an M2M client before the first request. The option may be repeated.
func WithM2MClient(seed M2MClientSeed) Option {
	return WithM2MClients(1, func(int) M2MClientSeed { return seed })
}

// WithM2MClients adds n M2M clients, seed(0) to seed(n-1), in this order. 100,000 take about a
// second if their secrets are generated; a chosen secret costs as much as checking a password.
func WithM2MClients(n int, seed func(i int) M2MClientSeed) Option {
	return func(s *settings) error {
		if n < 0 || seed == nil {
			return invalidArgument("WithM2MClients: the number must not be negative, and the function must not be nil")
		}
		s.clients = append(s.clients, seedFunc{n, seed})
		return nil
	}
}

// WithConnectedApp adds a Connected App before the first request. The option may be repeated.
func WithConnectedApp(seed ConnectedAppSeed) Option {
	return func(s *settings) error {
		s.apps = append(s.apps, seed)
		return nil
	}
}

// WithFaults adds faults; see also [Emulator.Inject].
func WithFaults(faults ...Fault) Option {
	return func(s *settings) error {
		for _, fault := range faults {
			if err := fault.check(); err != nil {
				return err
			}
		}
		s.faults = append(s.faults, faults...)
		return nil
	}
}

// WithBehavior chooses what the emulator does where the behavior of Stytch is not known.
func WithBehavior(b Behavior) Option {
	return func(s *settings) error {
		_, err := b.filled()
		s.behavior = b
		return err
	}
}

// WithStrict refuses what Stytch may tolerate: fields that the contract does not have, and JSON
// with another Content-Type. Use it to find bugs in a client.
func WithStrict() Option {
	return func(s *settings) error {
		s.strict = true
		return nil
	}
}

// WithTotals turns the totals of searches on (default) or off. Without them the total is -1, as in
// workspaces for which Stytch has disabled totals (documented).
func WithTotals(on bool) Option {
	return func(s *settings) error {
		s.noTotals = !on
		return nil
	}
}
