package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	awssecrets "github.com/stytchkit/m2m/contrib/awssecrets"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

const client = "m2m-client-test-1"

func secretName(clientID string) string { return "stytch/" + clientID }

// connect is the real client of the SDK. It repeats nothing.
func connect(s *server, options ...func(*secretsmanager.Options)) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(s.URL), Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "key-of-the-test"}, nil
		}),
	}, options...)
}

func newDeliverer(t testing.TB, api awssecrets.API, opts ...awssecrets.Option) *awssecrets.Deliverer {
	t.Helper()
	d, err := awssecrets.New(api, secretName, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cut is a network that ends: at the call of that number (from 1), before or after it takes effect,
// and for ever or once.
type cut struct {
	at    int
	after bool
	once  bool
	calls int
}

var errCut = errors.New("the line is cut")

func (c *cut) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls++
	if c.calls < c.at || c.once && c.calls > c.at {
		return http.DefaultTransport.RoundTrip(r)
	}
	if c.calls == c.at && c.after {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
	}
	return nil, errCut
}

func (c *cut) option(o *secretsmanager.Options) { o.HTTPClient = &http.Client{Transport: c} }

// byHand is the id of the version that put stores.
const byHand = "by-hand-0000-4000-8000-000000000000"

// put stores a first version as a person would by hand.
func (s *server) put(clientID, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[secretName(clientID)] = &stored{
		versions: map[string]string{byHand: text}, labels: map[string]string{"AWSCURRENT": byHand},
	}
}

// seed stores the credentials of a client, and keys of others.
func (s *server) seed(clientID string, current secret.String) {
	s.put(clientID, fmt.Sprintf(`{"url":"https://example.com/?a=1&b=<2>","client_id":%q,"client_secret":%q,"limit":12345678901234567890}`, clientID, current.Reveal()))
}

func (s *server) of(clientID string) *stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.secrets[secretName(clientID)]
	if v == nil {
		return &stored{}
	}
	return &stored{versions: maps.Clone(v.versions), labels: maps.Clone(v.labels)}
}

func (s *server) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// current is the value that readers get.
func (v *stored) current() string { return v.versions[v.labels["AWSCURRENT"]] }

// text is what a version with these credentials must be, beside the keys that seed puts there.
func text(d rotate.Delivery) string {
	previous := ""
	if !d.Previous.IsZero() {
		previous = fmt.Sprintf(`,"previous_client_secret":%q`, d.Previous.Reveal())
	}
	return fmt.Sprintf(`{"url":"https://example.com/?a=1&b=<2>","client_id":%q,"client_secret":%q,"limit":12345678901234567890%s}`,
		d.ClientID, d.Secret.Reveal(), previous)
}

// settled checks that readers get d, and that it took this many versions (with the one by hand) and
// left no label behind.
func settled(t *testing.T, s *server, d rotate.Delivery, versions int) {
	t.Helper()
	v := s.of(d.ClientID)
	if v.current() != text(d) {
		t.Error("AWSCURRENT is not what was delivered, beside the keys of others")
	}
	if len(v.versions) != versions {
		t.Errorf("%d versions, want %d", len(v.versions), versions)
	}
	want := "AWSCURRENT AWSPREVIOUS"
	if versions == 1 {
		want = "AWSCURRENT"
	}
	if got := strings.Join(slices.Sorted(maps.Keys(v.labels)), " "); got != want {
		t.Errorf("labels %s, want %s", got, want)
	}
}

// rotation is the deliveries of one rotation.
type rotation struct{ original, both, final rotate.Delivery }

func newRotation(id string, current, next secret.String) rotation {
	d := rotate.Delivery{RotationID: id, ClientID: client}
	r := rotation{d, d, d}
	r.original.Secret = current
	r.both.Secret, r.both.Previous = next, current
	r.final.Secret = next
	return r
}
