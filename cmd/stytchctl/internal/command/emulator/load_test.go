package emulator_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
)

// A clientState is what is known about a client of the load.
type clientState struct {
	exists bool
	name   string
	secret string
	tokens int
}

// A loadClient is a client and the states that it may be in: one, or two if the server was killed
// before it answered.
type loadClient struct {
	id      string
	allowed []clientState
}

func (c *loadClient) state() clientState { return c.allowed[0] }

// A worker changes clients of its own, one request at a time, until the server is gone.
type worker struct {
	number   int
	random   *rand.Rand
	url      string
	http     *http.Client
	clients  []*loadClient
	secrets  []string // all that were seen
	password string   // of the project; empty for the default one
	answered *countdown
	failure  string // a refusal that the load does not expect
}

// attempt sends a request that changes a client into another state. It reports whether the server
// answered.
func (w *worker) attempt(c *loadClient, to clientState, method, path string, body any) (response map[string]any, ok bool) {
	from := c.state()
	c.allowed = []clientState{from, to}
	status, response, err := w.request(method, path, body)
	if err != nil || status >= 500 {
		return nil, false
	}
	if status >= 300 {
		w.failure = fmt.Sprintf("%s %s: status %d: %v", method, path, status, response)
		return nil, false
	}
	c.allowed = []clientState{to}
	w.answered.add()
	return response, true
}

func (w *worker) request(method, path string, body any) (int, map[string]any, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	r, err := http.NewRequest(method, w.url+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(seed.DefaultProjectID, cmp.Or(w.password, seed.DefaultSecret))
	response, err := w.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	value := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&value); err != nil {
		return 0, nil, err
	}
	return response.StatusCode, value, nil
}

// run works until a request fails.
func (w *worker) run() {
	for w.step() {
	}
}

func (w *worker) step() bool {
	var live []*loadClient
	for _, c := range w.clients {
		if len(c.allowed) == 1 && c.state().exists {
			live = append(live, c)
		}
	}
	if len(live) == 0 || w.random.IntN(4) == 0 {
		return w.create()
	}
	c := live[w.random.IntN(len(live))]
	path, state := "/v1/m2m/clients/"+c.id, c.state()
	switch w.random.IntN(6) {
	case 0, 1:
		state.name = fmt.Sprint("name ", w.random.Int64())
		_, ok := w.attempt(c, state, "PUT", path, map[string]any{"client_name": state.name})
		return ok
	case 2:
		return w.rotate(c)
	case 3:
		_, ok := w.attempt(c, clientState{tokens: state.tokens}, "DELETE", path, nil)
		return ok
	default:
		state.tokens++
		_, ok := w.attempt(c, state, "POST", tokenPath, grant(c.id, state.secret))
		return ok
	}
}

func (w *worker) create() bool {
	c := &loadClient{id: fmt.Sprintf("load-%d-%d", w.number, rand.Int64())}
	state := clientState{exists: true, name: "new", secret: fmt.Sprintf("Secret-%d", rand.Int64())}
	c.allowed = []clientState{{}}
	w.secrets = append(w.secrets, state.secret)
	w.clients = append(w.clients, c)
	_, ok := w.attempt(c, state, "POST", "/v1/m2m/clients", map[string]any{
		"client_id": c.id, "client_secret": state.secret, "client_name": state.name, "scopes": []string{"a"},
	})
	return ok
}

func (w *worker) rotate(c *loadClient) bool {
	path, state := "/v1/m2m/clients/"+c.id+"/secrets/rotate", c.state()
	started, ok := w.attempt(c, state, "POST", path+"/start", nil) // the current secret works on
	if !ok {
		return false
	}
	state.secret = started["m2m_client"].(map[string]any)["next_client_secret"].(string)
	w.secrets = append(w.secrets, state.secret)
	_, ok = w.attempt(c, state, "POST", path, nil)
	return ok
}

const tokenPath = "/v1/public/" + seed.DefaultProjectID + "/oauth2/token"

func grant(id, secret string) map[string]any {
	return map[string]any{"grant_type": "client_credentials", "client_id": id, "client_secret": secret}
}

// verify compares the server with what is known, and settles what was not.
func (w *worker) verify(t *testing.T, bill map[string]int) {
	t.Helper()
	for _, c := range w.clients {
		found := w.find(t, c, bill)
		var matches []clientState
		for _, state := range c.allowed {
			if state == found {
				matches = append(matches, state)
			}
		}
		if len(matches) == 0 {
			t.Errorf("client %s is %+v, want one of %+v", c.id, found, c.allowed)
			continue
		}
		c.allowed = matches[:1]
	}
}

// find is the state of a client on the server. Which secret works, it learns from a token request,
// which counts.
func (w *worker) find(t *testing.T, c *loadClient, bill map[string]int) clientState {
	t.Helper()
	found := clientState{tokens: bill[c.id]}
	status, response, err := w.request("GET", "/v1/m2m/clients/"+c.id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status == http.StatusNotFound {
		return found
	}
	found.exists, found.name = true, response["m2m_client"].(map[string]any)["client_name"].(string)
	for _, state := range c.allowed {
		status, _, err := w.request("POST", tokenPath, grant(c.id, state.secret))
		if err != nil {
			t.Fatal(err)
		}
		if status == http.StatusOK {
			found.secret = state.secret
			for i := range c.allowed { // that token is on the bill
				c.allowed[i].tokens++
			}
			found.tokens++
			return found
		}
	}
	return found
}
