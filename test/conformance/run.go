package conformance

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
)

// Options configure [Run].
type Options struct {
	// Live turns the assertions of facts that the contract marks as assumed into observations,
	// which are logged and never fail. Set it for Stytch, and for any server that may decide such
	// things differently. Searches then also get some seconds to find what was created, because
	// whether they see a change at once is not documented.
	Live bool

	// Prefix begins the names of all clients and apps that Run creates: letters, digits and
	// hyphens, "conformance" by default. A random part follows, so that runs do not see each
	// other's clients.
	Prefix string

	patience time.Duration // of a search, live
}

// Run exercises every operation of the contract through api, and every method of its wrapper.
// Failures contain no secret.
//
// It creates some 35 clients and apps and requests some 25 tokens, which Stytch bills. All of the
// clients and apps are removed at the end, even if the suite fails or the response to a creation is
// lost. Nothing else in the project is changed or removed.
func Run(t *testing.T, api *stytch.Client, opts Options) {
	t.Helper()
	runSuite(test{t}, api, opts)
}

func runSuite(t reporter, api *stytch.Client, opts Options) {
	raw, err := gen.NewClientWithResponses(api.BaseURL(), gen.WithHTTPClient(api))
	must(t, err, "make the generated client")
	if opts.Prefix == "" {
		opts.Prefix = "conformance"
	}
	if opts.patience == 0 {
		opts.patience = 10 * time.Second
	}
	s := &suite{api: api, raw: raw, live: opts.Live, patience: opts.patience, prefix: opts.Prefix + "-" + strings.ToLower(rand.Text()[:10])}
	t.Logf("what this run creates is named %s-…", s.prefix)

	t.Run("Keys", s.keySets) // first: they verify the tokens of the others
	t.Run("M2M clients", s.m2mClients)
	t.Run("M2M search", s.m2mSearch)
	t.Run("M2M secrets", s.m2mSecrets)
	t.Run("M2M tokens", s.m2mTokens)
	t.Run("Connected Apps", s.connectedApps)
	t.Run("Connected App search", s.connectedAppSearch)
	t.Run("Connected App secrets", s.connectedAppSecrets)
	t.Run("Authorization server", s.authorizationServer)
	t.Logf("%d names given, %d tokens issued", s.named.Load(), s.tokens.Load())
}
