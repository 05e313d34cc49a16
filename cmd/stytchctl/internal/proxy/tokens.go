package proxy

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/stytchkit/m2m/stytch/token"
)

// tokens is the source of the tokens, and what is known about its last refresh.
type tokens struct {
	*token.Source
	scopes []string
	log    *slog.Logger

	mu     sync.Mutex
	expiry time.Time // of the last token
	failed bool      // the last refresh did
}

func newTokens(c Config) (*tokens, error) {
	t := &tokens{scopes: c.Scopes, log: c.Log}
	options := []token.Option{
		token.WithBaseURL(c.BaseURL),
		token.WithObserver(t.observe),
		token.WithUserAgent("stytchctl-proxy"),
	}
	if len(c.Scopes) > 0 {
		options = append(options, token.WithScopes(c.Scopes...))
	}
	if c.Budget > 0 {
		options = append(options, token.WithBudget(c.Budget, func(used, perHour int) {
			c.Log.Warn("token budget", "used", used, "per_hour", perHour)
		}))
	}
	if c.Store != nil {
		options = append(options, token.WithStore(c.Store, c.StoreKeys...))
	}
	var err error
	if t.Source, err = token.New(c.ProjectID, c.Credentials, append(options, c.tokenOptions...)...); err != nil {
		return nil, err
	}
	return t, nil
}

// observe keeps what readiness depends on, and logs what needs a person.
func (t *tokens) observe(ctx context.Context, e token.Event) {
	switch e.Kind {
	case token.Refreshed:
		t.mu.Lock()
		t.expiry, t.failed = e.Expiry, false
		t.mu.Unlock()
		t.log.InfoContext(ctx, "token refreshed", "from_store", e.FromStore, "expires_at", e.Expiry.UTC().Truncate(time.Second), "duration_us", e.Duration.Microseconds())
	case token.RefreshFailed:
		if errors.Is(e.Err, token.ErrClosed) { // the proxy is stopping
			return
		}
		t.mu.Lock()
		t.failed = true
		t.mu.Unlock()
		t.log.ErrorContext(ctx, "no token", "error", e.Err.Error(), "retry_at", e.RetryAt.UTC().Truncate(time.Second))
	default:
		t.log.WarnContext(ctx, e.Kind.String(), "error", e.Err.Error())
	}
}

// ready reports whether requests can be forwarded, without a request for a token: the last one that
// was obtained is good, or has expired while no one called.
func (t *tokens) ready(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed {
		return now.Before(t.expiry)
	}
	return !t.expiry.IsZero()
}

// expires is when the last token does; the zero time if there was none.
func (t *tokens) expires() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.expiry
}

func microseconds(d time.Duration) slog.Attr { return slog.Int64("duration_us", d.Microseconds()) }
