package awssecrets_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	awssecrets "github.com/stytchkit/m2m/contrib/awssecrets"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// instead answers one operation in place of Secrets Manager, with status 200.
type instead struct{ op, body string }

func (i instead) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") != "secretsmanager."+i.op {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(i.body)), ContentLength: int64(len(i.body)),
	}, nil
}

// TestStatusAlone: a response that does not confirm what was asked for is no success.
func TestStatusAlone(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	for _, op := range []string{"DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "CreateSecret"} {
		for _, body := range []string{`{}`, `{"VersionId":"other"}`, `<html>welcome</html>`} {
			s, r := newServer(t), newRotation("rotation-1", a, b)
			if op != "CreateSecret" {
				s.seed(client, a)
			}
			d := newDeliverer(t, connect(s, func(o *secretsmanager.Options) {
				o.HTTPClient = &http.Client{Transport: instead{op, body}}
			}), awssecrets.WithCreate(secretsmanager.CreateSecretInput{}))
			err := d.Deliver(t.Context(), r.both)
			if err == nil || strings.HasPrefix(body, "{") && !errors.Is(err, awssecrets.ErrResponse) {
				t.Errorf("%s with %s: error %v", op, body, err)
			}
			if v := s.of(client); op != "UpdateSecretVersionStage" && v.current() != "" && v.current() != text(r.original) {
				t.Errorf("%s with %s: the current version was changed", op, body)
			}
		}
	}
}

// TestCheck shows what works, and changes nothing.
func TestCheck(t *testing.T) {
	a := secret.Generate()
	s := newServer(t)
	s.seed(client, a)
	d := newDeliverer(t, connect(s))
	if err := d.Check(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	settled(t, s, rotate.Delivery{ClientID: client, Secret: a}, 1)
	if got, want := strings.Join(s.called(), " "), "DescribeSecret GetSecretValue PutSecretValue UpdateSecretVersionStage"; got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
	if err := newDeliverer(t, connect(newServer(t)), awssecrets.WithCreate(secretsmanager.CreateSecretInput{})).Check(t.Context(), client); err != nil {
		t.Errorf("a secret that will be created: %v", err)
	}
}

func TestCheckFails(t *testing.T) {
	a := secret.Generate()
	for name, tt := range map[string]struct {
		prepare func(s *server)
		is      error
		text    string
	}{
		"missing":  {func(*server) {}, awssecrets.ErrMissing, "create it"},
		"not JSON": {func(s *server) { s.put(client, "canary") }, awssecrets.ErrValue, "not one JSON object"},
		"other":    {func(s *server) { s.put(client, `{"client_id":"other","client_secret":"canary"}`) }, awssecrets.ErrValue, "other"},
		"in progress": {func(s *server) {
			s.seed(client, a)
			v := s.secrets[secretName(client)]
			v.versions["x"] = "x"
			v.labels["AWSPENDING"] = "x"
		}, awssecrets.ErrPending, "AWSPENDING"},
		"no right to put": {func(s *server) {
			s.seed(client, a)
			s.before = deny("PutSecretValue")
		}, nil, "allow secretsmanager:PutSecretValue"},
		"no right to move": {func(s *server) {
			s.seed(client, a)
			s.before = deny("UpdateSecretVersionStage")
		}, nil, "allow secretsmanager:UpdateSecretVersionStage"},
	} {
		s := newServer(t)
		tt.prepare(s)
		err := newDeliverer(t, connect(s)).Check(t.Context(), client)
		if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := newDeliverer(t, connect(newServer(t))).Check(t.Context(), "a b"); !errors.Is(err, awssecrets.ErrInvalidArgument) {
		t.Errorf("a client id with a space: error %v", err)
	}
}

// deny refuses one operation.
func deny(op string) func(string, request) error {
	return func(called string, _ request) error {
		if called == op {
			return fault{"AccessDeniedException", "not authorized"}
		}
		return nil
	}
}
