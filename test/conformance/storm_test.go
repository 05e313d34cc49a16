package conformance

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/internal/operation"
)

// TestStorm sends random and damaged requests without the checks of the wrapper. Every response
// follows the contract, and none is a 5xx.
func TestStorm(t *testing.T) {
	requests := heavy.Count(400, 2600) // in each of the four parts
	seeded(t, func(t *testing.T, rng *rand.Rand, l line) {
		l.transport.AllowRequests, l.transport.AllowUnrouted = true, true
		l.transport.AllowStatus = []int{http.StatusRequestEntityTooLarge} // what is too long is not read, so it is no operation's
		s := &storm{t: t, rng: rng, tamer: &tamer{Rand: rng}, line: l, bodies: requestBodies(t), responses: map[int]int{}}
		for i := 0; i < requests && !t.Failed(); i++ {
			s.send(i)
		}
		t.Logf("%d requests, responses by status: %v", requests, s.responses)
	})
}

type storm struct {
	t         *testing.T
	rng       *rand.Rand
	tamer     *tamer
	line      line
	bodies    map[string]requestBody // by operationId
	known     []login                // the latest clients and apps that exist, or did
	responses map[int]int
}

type login struct{ family, id, secret string }

type requestBody struct {
	schema     *openapi3.SchemaRef
	json, form bool // what it may be
}

func requestBodies(t *testing.T) map[string]requestBody {
	t.Helper()
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]requestBody{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			asJSON, asForm := op.RequestBody.Value.Content["application/json"], op.RequestBody.Value.Content[form]
			b := requestBody{json: asJSON != nil, form: asForm != nil}
			if b.form {
				b.schema = asForm.Schema
			} else {
				b.schema = asJSON.Schema
			}
			bodies[op.OperationID] = b
		}
	}
	return bodies
}

func (s *storm) oneIn(n int) bool { return s.rng.IntN(n) == 0 }

// send sends one request and checks the response. Failures contain no values of the
// request.
func (s *storm) send(i int) {
	op := s.pick()
	req := s.request(op)
	resp, err := s.line.transport.RoundTrip(req)
	if err != nil {
		s.t.Errorf("request %d, %s: %v", i, op.ID, err)
		return
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if s.responses[resp.StatusCode]++; err != nil || resp.StatusCode >= 500 {
		s.t.Errorf("request %d, %s: status %d, %v", i, op.ID, resp.StatusCode, err)
	}
	if matched, _ := operation.Match(req.Method, req.URL.EscapedPath()); matched == nil {
		s.checkUnrouted(i, req.URL.Path, resp.StatusCode, data)
	}
	s.learn(op, data)
}

// pick leaves some clients alive for the others.
func (s *storm) pick() *operation.Operation {
	for {
		op := operation.All[s.rng.IntN(len(operation.All))]
		if op.Method != http.MethodDelete || s.oneIn(3) {
			return op
		}
	}
}

// checkUnrouted wants an error in Stytch's words where the contract has no operation.
func (s *storm) checkUnrouted(i int, path string, status int, data []byte) {
	format := "Error"
	if status == http.StatusMethodNotAllowed && strings.Contains(path, "/oauth2/") && !strings.HasSuffix(path, "/register") {
		format = "OAuth2Error"
	}
	var response any
	err := json.Unmarshal(data, &response)
	if err == nil && schema(s.t, format).Value.VisitJSON(response) != nil {
		err = errors.New("the body is no " + format + " of the contract")
	}
	if status != http.StatusNotFound && status != http.StatusMethodNotAllowed || err != nil {
		s.t.Errorf("request %d, of no operation: status %d, %v", i, status, err)
	}
}

// learn keeps what later requests may name.
func (s *storm) learn(op *operation.Operation, data []byte) {
	if op.Method == http.MethodDelete {
		var gone struct {
			ClientID string `json:"client_id"`
		}
		_ = json.Unmarshal(data, &gone)
		s.known = slices.DeleteFunc(s.known, func(l login) bool { return l.id == gone.ClientID })
	}
	var response map[string]struct {
		ClientID         string `json:"client_id"`
		ClientSecret     string `json:"client_secret"`
		NextClientSecret string `json:"next_client_secret"`
	}
	_ = json.Unmarshal(data, &response) // other members have other types, and are left out
	for family, client := range response {
		for _, secret := range []string{client.ClientSecret, client.NextClientSecret} {
			if secret != "" {
				s.known = append(s.known, login{family, client.ClientID, secret})
			}
		}
	}
	s.known = s.known[max(0, len(s.known)-40):]
}

// someone returns a client of the operation's family in most cases, else one of the other family or
// credentials of no client.
func (s *storm) someone(op *operation.Operation) login {
	family := "m2m_client"
	if strings.Contains(op.Path, "connected_apps") {
		family = "connected_app"
	}
	for _, i := range s.rng.Perm(len(s.known)) {
		if s.known[i].family == family || s.oneIn(20) {
			return s.known[i]
		}
	}
	return login{"", s.awkward(), s.awkward()}
}

// awkward is a text that programs get wrong, now and then.
func (s *storm) awkward() string {
	return contract.Random(s.rng, openapi3.NewStringSchema().NewRef(), contract.FillSome).(string)
}
