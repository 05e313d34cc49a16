package awssecrets_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go/logging"

	awssecrets "github.com/stytchkit/m2m/contrib/awssecrets"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

func TestNewRefuses(t *testing.T) {
	api := connect(&server{})
	create := func(in secretsmanager.CreateSecretInput) func() (*awssecrets.Deliverer, error) {
		return func() (*awssecrets.Deliverer, error) {
			return awssecrets.New(api, secretName, awssecrets.WithCreate(in))
		}
	}
	for name, try := range map[string]func() (*awssecrets.Deliverer, error){
		"nil API":    func() (*awssecrets.Deliverer, error) { return awssecrets.New(nil, secretName) },
		"nil name":   func() (*awssecrets.Deliverer, error) { return awssecrets.New(api, nil) },
		"nil option": func() (*awssecrets.Deliverer, error) { return awssecrets.New(api, secretName, nil) },
		"a name":     create(secretsmanager.CreateSecretInput{Name: aws.String("x")}),
		"a value":    create(secretsmanager.CreateSecretInput{SecretString: aws.String("x")}),
		"a binary":   create(secretsmanager.CreateSecretInput{SecretBinary: []byte("x")}),
		"a token":    create(secretsmanager.CreateSecretInput{ClientRequestToken: aws.String("x")}),
	} {
		if d, err := try(); !errors.Is(err, awssecrets.ErrInvalidArgument) || d != nil {
			t.Errorf("%s: error %v, want one", name, err)
		}
	}
}

func TestBadDelivery(t *testing.T) {
	s := newServer(t)
	d, err := awssecrets.New(connect(s), func(clientID string) string { return strings.TrimPrefix(clientID, "nameless") })
	if err != nil {
		t.Fatal(err)
	}
	some := secret.Generate()
	for name, what := range map[string]rotate.Delivery{
		"no client": {Secret: some}, "no secret": {ClientID: client, Previous: some}, "no name": {ClientID: "nameless", Secret: some},
	} {
		if err := d.Deliver(t.Context(), what); !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("%s: error %v, want ErrInvalidArgument", name, err)
		}
	}
	if _, err := d.Read(t.Context(), "nameless"); err == nil {
		t.Error("a read without a name: no error")
	}
	if len(s.called()) != 0 {
		t.Error("a bad delivery was sent")
	}
	// What JSON cannot hold would be another secret when it is read back.
	s.secrets[client] = &stored{versions: map[string]string{"v": "{}"}, labels: map[string]string{"AWSCURRENT": "v"}}
	for _, bad := range []string{"bytes-\xff-bytes", secret.Placeholder} {
		if err := d.Deliver(t.Context(), rotate.Delivery{ClientID: client, Secret: secret.New(bad)}); err == nil {
			t.Error("a secret that cannot be written was delivered")
		}
	}
	if v := s.secrets[client]; len(v.versions) != 1 {
		t.Error("a version was made")
	}
}

// TestMissing is about secrets that are not there, will not be there, or hold nothing of use.
func TestMissing(t *testing.T) {
	r := newRotation("rotation-1", secret.Generate(), secret.Generate())
	create := awssecrets.WithCreate(secretsmanager.CreateSecretInput{})
	for _, tt := range []struct {
		name          string
		setup         func(*server)
		opts          []awssecrets.Option
		deliver, read error
		says          string
	}{
		{"absent", func(*server) {}, nil, awssecrets.ErrMissing, awssecrets.ErrMissing, "WithCreate"},
		{"deleted", func(s *server) { s.put(client, "{}"); s.secrets[secretName(client)].deleted = 1900000000 },
			[]awssecrets.Option{create}, awssecrets.ErrMissing, awssecrets.ErrMissing, "2030-03-17"},
		{"binary", func(s *server) { s.put(client, "{}"); s.secrets[secretName(client)].binary = true }, nil, awssecrets.ErrValue, awssecrets.ErrValue, "binary"},
		{"no JSON", func(s *server) { s.put(client, "canary-canary") }, nil, awssecrets.ErrValue, awssecrets.ErrValue, "JSON object"},
		{"a name twice", func(s *server) { s.put(client, `{"a":1,"a":2}`) }, nil, awssecrets.ErrValue, awssecrets.ErrValue, "repeated"},
		{"two objects", func(s *server) { s.put(client, `{}{}`) }, nil, awssecrets.ErrValue, awssecrets.ErrValue, "JSON object"},
		{"a number", func(s *server) { s.put(client, `{"client_id":"`+client+`","client_secret":7331144773311447}`) }, nil, awssecrets.ErrValue, awssecrets.ErrValue, "client_secret"},
		{"redacted", func(s *server) { s.put(client, `{"client_id":"`+client+`","client_secret":"[REDACTED]"}`) }, nil, secret.ErrRedacted, secret.ErrRedacted, "client_secret"},
		{"another client", func(s *server) { s.put(client, `{"client_id":"other-client","client_secret":"canary-canary"}`) }, nil, awssecrets.ErrValue, awssecrets.ErrValue, "other-client"},
		{"no client", func(s *server) { s.put(client, `{"client_secret":"canary-canary"}`) }, nil, awssecrets.ErrValue, awssecrets.ErrValue, "client_id"},
		{"no secret", func(s *server) {
			s.put(client, `{"client_id":"`+client+`","previous_client_secret":"canary-canary"}`)
		}, nil, awssecrets.ErrValue, awssecrets.ErrValue, "previous_client_secret"},
		{"other keys", func(s *server) { s.put(client, ` {"db": {"password":"x"} } `) }, nil, nil, nil, ""},
		{"only the client", func(s *server) { s.put(client, `{"client_id":"`+client+`"}`) }, nil, nil, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			tt.setup(s)
			d := newDeliverer(t, connect(s), tt.opts...)
			held, readErr := d.Read(t.Context(), client)
			if !errors.Is(readErr, tt.read) || !held.Secret.IsZero() || held.ClientID != "" {
				t.Errorf("Read: error %v, want %v, and nothing", readErr, tt.read)
			}
			before := len(s.of(client).versions)
			err := d.Deliver(t.Context(), r.both)
			if !errors.Is(err, tt.deliver) {
				t.Errorf("Deliver: error %v, want %v", err, tt.deliver)
			}
			if tt.deliver == nil {
				return
			}
			for _, err := range []error{readErr, err} {
				if text := err.Error(); !strings.Contains(text, tt.says) || !strings.Contains(text, secretName(client)) || strings.Contains(text, "canary-canary") || strings.Contains(text, "73311447") {
					t.Errorf("error %v: want one with the name, %q and nothing of the value", err, tt.says)
				}
			}
			if len(s.of(client).versions) != before {
				t.Error("something was written")
			}
		})
	}
}

// TestAnARN is not a name that a secret can be created under.
func TestAnARN(t *testing.T) {
	s := newServer(t)
	d, err := awssecrets.New(connect(s), arn, awssecrets.WithCreate(secretsmanager.CreateSecretInput{}))
	if err != nil {
		t.Fatal(err)
	}
	r := newRotation("rotation-1", secret.Generate(), secret.Generate())
	if err := d.Deliver(t.Context(), r.both); !errors.Is(err, awssecrets.ErrMissing) || !strings.Contains(err.Error(), "ARN") {
		t.Errorf("error %v, want ErrMissing", err)
	}
	s.put(client, "{}")
	s.secrets[client] = s.secrets[secretName(client)]
	if err := d.Deliver(t.Context(), r.both); err != nil {
		t.Errorf("an ARN of a secret that is there: %v", err)
	}
}

// TestErrors fails each operation in each way.
func TestErrors(t *testing.T) {
	r := newRotation("rotation-1", secret.Generate(), secret.Generate())
	operations := []string{"DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "CreateSecret"}
	for _, tt := range []struct {
		code, says string
		known      any // what errors.As finds
	}{
		{"AccessDeniedException", "allow secretsmanager:%s for this secret", nil},
		{"ThrottlingException", "deliver again later", nil},
		{"DecryptionFailure", "kms:Decrypt", new(*types.DecryptionFailure)},
		{"EncryptionFailure", "kms:GenerateDataKey", new(*types.EncryptionFailure)},
		{"InternalServiceError", "InternalServiceError", new(*types.InternalServiceError)},
		{"InvalidParameterException", "InvalidParameterException", new(*types.InvalidParameterException)},
		{"InvalidRequestException", "InvalidRequestException", new(*types.InvalidRequestException)},
		{"LimitExceededException", "100 versions", new(*types.LimitExceededException)},
		{"ExpiredTokenException", "ExpiredTokenException", nil},
	} {
		for _, op := range operations {
			s := newServer(t)
			var opts []awssecrets.Option
			if op == "CreateSecret" {
				opts = append(opts, awssecrets.WithCreate(secretsmanager.CreateSecretInput{}))
			} else {
				s.seed(client, r.original.Secret)
			}
			s.before = func(called string, _ request) error {
				if called == op {
					return fault{tt.code, "why it was refused"}
				}
				return nil
			}
			err := newDeliverer(t, connect(s), opts...).Deliver(t.Context(), r.both)
			if err == nil {
				t.Errorf("%s of %s: no error", tt.code, op)
				continue
			}
			says := strings.ReplaceAll(tt.says, "%s", op)
			for _, part := range []string{says, op, tt.code, "why it was refused", client, secretName(client), "request-1"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %v: want %q in it", err, part)
				}
			}
			if tt.known != nil && !errors.As(err, tt.known) {
				t.Errorf("%s of %s: errors.As does not find %T", tt.code, op, tt.known)
			}
			_, err = newDeliverer(t, connect(s)).Read(t.Context(), client)
			if op == "GetSecretValue" && (err == nil || !strings.Contains(err.Error(), tt.code)) {
				t.Errorf("%s: error %v of a read", tt.code, err)
			}
		}
	}
}

func TestContextEnds(t *testing.T) {
	r := newRotation("rotation-1", secret.Generate(), secret.Generate())
	for _, op := range []string{"DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"} {
		s := newServer(t)
		s.seed(client, r.original.Secret)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.before = func(called string, _ request) error {
			if called == op {
				cancel()
			}
			return nil
		}
		// The response is held back until the client has gone.
		line := func(o *secretsmanager.Options) { o.HTTPClient = &http.Client{Transport: held{}} }
		if err := newDeliverer(t, connect(s, line)).Deliver(ctx, r.both); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want that of the context", op, err)
		}
	}
}

type held struct{}

func (held) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if ctxErr := r.Context().Err(); err == nil && ctxErr != nil {
		_ = resp.Body.Close()
		return nil, ctxErr
	}
	return resp, err
}

// TestCanary looks for secrets in every error, in what the client logs, and in whatever can be
// reached from either.
func TestCanary(t *testing.T) {
	current, next := secret.Generate(), secret.New(`next-"<&>-secret\`+secret.Generate().Reveal())
	foreign := "PASSWORD-of-a-database"
	r := newRotation("rotation-1", current, next)
	canaries := []string{current.Reveal(), next.Reveal()[20:], foreign}
	check := func(where string, v any) {
		var b strings.Builder
		fmt.Fprintf(&b, "%v %+v %#v %s", v, v, v, v)
		dump(&b, reflect.ValueOf(v), map[any]bool{})
		for _, canary := range canaries {
			if strings.Contains(b.String(), canary) {
				t.Errorf("%s holds a secret", where)
			}
		}
	}
	for at := range 7 {
		for _, way := range []string{"message", "refusal", "nonsense", "cut", "gone"} {
			s := newServer(t)
			s.put(client, fmt.Sprintf(`{"client_id":%q,"client_secret":%q,"database":%q}`, client, current.Reveal(), foreign))
			log := &recorder{}
			options := []func(*secretsmanager.Options){func(o *secretsmanager.Options) {
				o.ClientLogMode, o.Logger = ^aws.ClientLogMode(0), log
				o.HTTPClient = &http.Client{Transport: &echo{at: at, way: way}}
			}}
			d := newDeliverer(t, connect(s, options...))
			err := d.Deliver(t.Context(), r.both)
			if (err == nil) != (at == 6) {
				t.Errorf("%s of call %d: error %v", way, at, err)
			}
			if sent := new(*url.Error); way == "gone" && err != nil && !errors.As(err, sent) {
				t.Errorf("error %v: errors.As does not find that of the network", err)
			}
			where := fmt.Sprintf("%s of call %d: ", way, at)
			if way != "message" { // the SDK logs the error of each attempt
				check(where+"the deliverer", d)
				check(where+"the log", log.String())
			}
			for err := err; err != nil; err = errors.Unwrap(err) {
				check(where+"the error", err)
			}
			if !strings.Contains(log.String(), "PutSecretValue") && at > 2 {
				t.Error("the client logs nothing: the test proves nothing")
			}
		}
	}
}

// recorder is a logger of the SDK.
type recorder struct{ strings.Builder }

func (r *recorder) Logf(_ logging.Classification, format string, args ...any) {
	fmt.Fprintf(&r.Builder, format+"\n", args...)
}

// echo is a network that replaces one response by what was sent, or by a damaged response.
type echo struct {
	at    int
	way   string
	calls int
}

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	e.calls++
	if e.calls != e.at+1 {
		return http.DefaultTransport.RoundTrip(r)
	}
	if e.way == "gone" {
		return nil, errCut
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	received, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(map[string]string{"__type": "AccessDeniedException", "message": string(body)})
	if err != nil {
		return nil, err
	}
	text := map[string]string{
		"message": string(quoted), "refusal": string(body), "nonsense": "x" + string(received), "cut": string(received[:len(received)/2]),
	}[e.way]
	if e.way == "message" || e.way == "refusal" {
		resp.StatusCode = http.StatusBadRequest
	}
	resp.ContentLength = int64(len(text))
	resp.Body = io.NopCloser(strings.NewReader(text))
	return resp, nil
}

// dump prints all that reflection reaches, unexported fields too, and calls no method.
func dump(b *strings.Builder, v reflect.Value, seen map[any]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if at := [2]any{v.Pointer(), v.Type()}; !v.IsNil() && !seen[at] {
			seen[at] = true
			dump(b, v.Elem(), seen)
		}
	case reflect.Interface:
		if !v.IsNil() {
			dump(b, v.Elem(), seen)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			dump(b, v.Field(i), seen)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			b.Write(v.Bytes())
			return
		}
		for i := range v.Len() {
			dump(b, v.Index(i), seen)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			dump(b, it.Key(), seen)
			dump(b, it.Value(), seen)
		}
	case reflect.String:
		b.WriteString(v.String() + " ")
	}
}
