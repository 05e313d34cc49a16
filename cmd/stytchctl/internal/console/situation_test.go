package console_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/console"
	"github.com/stytchkit/m2m/stytch"
)

func TestFaults(t *testing.T) {
	s := open(t, false)
	p := s.get("faults")
	s.has(p, http.StatusOK, "!fault is active")
	if strings.Index(p.body, `value="drop_response"`) > strings.Index(p.body, `value="latency"`) {
		t.Error("dropping the response is not the first kind")
	}
	if strings.Index(p.body, "StartM2MClientSecretRotation") > strings.Index(p.body, "GetM2MClient") {
		t.Error("the operations that show a secret once are not the first")
	}
	for _, test := range []struct {
		name  string
		pairs []string
		field string
	}{
		{"no number", []string{"operation", "GetM2MClient", "kind", "status", "status", "x"}, "status"},
		{"out of range", []string{"operation", "GetM2MClient", "kind", "status", "status", "99"}, "status"},
		{"missing", []string{"operation", "GetM2MClient", "kind", "status"}, "status"},
		{"no duration", []string{"operation", "GetM2MClient", "kind", "latency", "latency", "soon"}, "latency"},
		{"unknown type", []string{"operation", "GetM2MClient", "kind", "error_type", "error_type", "nothing"}, "error_type"},
		{"negative", []string{"operation", "GetM2MClient", "kind", "reset", "times", "-1"}, "times"},
	} {
		p := s.post("faults", test.pairs...)
		s.has(p, http.StatusUnprocessableEntity, " open><summary><span>GetM2MClient", "!fault is active")
		s.find(p, `id="f\d+-`+test.field+`-error">([^<]+)<`)
	}
	s.has(s.post("faults", "operation", "Nothing", "kind", "reset"), http.StatusUnprocessableEntity)

	s.has(s.post("faults", "operation", "GetM2MClient", "kind", "drop_response", "times", "1"), http.StatusOK, "1 fault is active", "Drop the response after the work, 1 time more")
	created := s.client("Struck")
	if _, err := s.api.M2M.Get(context.Background(), created.ClientID); err != nil {
		t.Fatalf("the client repeats a read: %v", err)
	}
	s.has(s.get("clock"), http.StatusOK, "!fault is active")
	s.has(s.get("faults"), http.StatusOK, "none left", "!fault is active")
	s.has(s.get("requests?outcome=dropped"), http.StatusOK, "no response", "drop_response")
	s.has(s.post("faults", "kind", "latency", "latency", "1ms", "each", "3", "after", "2"), http.StatusOK, "1 fault is active", "every operation", "waits 1ms", "skips the first 2", "1 of 3 requests", "without end")
	id := s.find(s.get("faults"), `name="id" value="([^"]+)"`)
	s.has(s.post("faults/remove", "id", id), http.StatusOK, "The fault was removed")
	s.has(s.post("faults/remove", "id", id), http.StatusNotFound)
	s.has(s.post("faults/remove"), http.StatusOK, "All faults were removed", "!fault is active")
}

func TestClock(t *testing.T) {
	s := open(t, false)
	for value, field := range map[string]string{"soon": "advance", "100000000h": "advance", "9999999h": "advance"} {
		s.find(s.post("clock", "advance", value), `id="`+field+`-error">([^<]+)<`)
	}
	s.find(s.post("clock", "to", "tomorrow"), `id="to-error">([^<]+)<`)
	s.find(s.post("clock", "to", "2500-01-01T00:00"), `id="to-error">([^<]+)<`)
	s.has(s.post("clock", "advance", "26h"), http.StatusOK, "The clock is 1 day", "ahead")
	s.has(s.get("clients"), http.StatusOK, "ahead")
	s.has(s.post("clock", "to", "1999-12-31T23:59"), http.StatusOK, "behind", "1999-12-31 23:59")
	if got := s.instance.Clock().Now; got.Year() != 1999 {
		t.Errorf("the clock shows %v", got)
	}
	s.has(s.post("clock", "real", "true"), http.StatusOK, "!behind", "real time")
}

func TestBehavior(t *testing.T) {
	s := open(t, false)
	s.has(s.get("behavior"), http.StatusOK, "start_while_rotating", "assumed", "observed", "!differs")
	s.has(s.post("behavior", "start_while_rotating", "replace", "token_id", "true", "max_scopes", "7"), http.StatusOK, "Changed: 3 switches", "3 switches differ")
	b := s.instance.Emulator().Behavior()
	if b.StartWhileRotating != "replace" || !b.TokenID || b.MaxScopes != 7 {
		t.Errorf("the behavior is %+v", b)
	}
	p := s.post("behavior", "secret_length", "7")
	s.has(p, http.StatusUnprocessableEntity, `value="7"`)
	s.find(p, `id="secret_length-error">([^<]+)<`)
	s.find(s.post("behavior", "secret_length", "long"), `id="secret_length-error">([^<]+)<`)
	s.find(s.post("behavior", "unheld_scope", "dance"), `id="unheld_scope-error">([^<]+)<`)
	s.has(s.post("behavior", "max_scopes", ""), http.StatusOK, "2 switches differ")
	s.has(s.post("behavior", "defaults", "true"), http.StatusOK, "!differ from")
}

func TestKeys(t *testing.T) {
	s := open(t, false)
	s.has(s.get("keys"), http.StatusOK, "There is no key yet", projectID)
	s.has(s.post("keys/rotate"), http.StatusOK, "signs")
	p := s.post("keys/rotate")
	s.has(p, http.StatusOK, "signs", "verifies only")
	old := s.find(p, `name="kid" value="([^"]+)"`)
	s.has(s.post("keys/remove", "kid", old), http.StatusOK, "no longer in the key set", "!"+old)
	s.has(s.post("keys/remove", "kid", old), http.StatusNotFound, "no key")
	for _, key := range s.instance.Emulator().Keys() {
		if key.Current {
			s.has(s.post("keys/remove", "kid", key.ID), http.StatusConflict, "signs")
		}
	}
}

func TestData(t *testing.T) {
	s := open(t, false)
	created := s.client("Exported")
	exported := s.get("data/export")
	s.has(exported, http.StatusOK, created.ClientID, "!"+created.ClientSecret.Reveal(), "!"+projectSecret, "!PRIVATE")
	if !strings.Contains(exported.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the export is shown instead of saved: %v", exported.header)
	}
	s.has(s.post("data/reset", "to", "nowhere"), http.StatusUnprocessableEntity, `id="to-error"`)
	s.has(s.post("data/reset", "to", "empty", "keep", "keys", "keep", "faults"), http.StatusOK, "The project was reset: 0 M2M clients")
	for name, text := range map[string]string{"empty": "", "no JSON": "x", "another object": "{}", "a later version": `{"format":"stytch-emulator-state","version":99,"records":[]}`} {
		p := s.upload(text)
		s.has(p, http.StatusUnprocessableEntity)
		if s.find(p, `id="state-error">([^<]+)<`) == "" {
			t.Errorf("%s: no reason", name)
		}
	}
	s.has(s.post("data/import"), http.StatusUnprocessableEntity, "Choose a file")
	s.has(s.upload(exported.body), http.StatusOK, "The state was imported: 1 M2M client,")
	if ok, err := s.api.M2M.Secrets.Probe(context.Background(), created.ClientID, created.ClientSecret); err != nil || !ok {
		t.Errorf("the imported client does not work: %v, %v", ok, err)
	}
}

// An upload without an end is not read without an end.
func TestLargeImport(t *testing.T) {
	s := open(t, false)
	const limit = 257 << 20
	body := &endless{line: []byte(strings.Repeat("x", 1022) + "\r\n")}
	r := httptest.NewRequest(http.MethodPost, console.Root+"data/import", io.LimitReader(body, 2*limit))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "larger than 256 MiB") {
		t.Errorf("status %d", w.Code)
	}
	if body.read > limit+1<<20 {
		t.Errorf("%d bytes were read", body.read)
	}
}

// endless repeats a line.
type endless struct {
	line []byte
	read int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		copied := copy(p[n:], e.line[(e.read+n)%len(e.line):])
		n += copied
	}
	e.read += n
	return n, nil
}

func (s *site) upload(text string) shown {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("state", "state.json")
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := file.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		s.t.Fatal(err)
	}
	return s.send(http.MethodPost, "data/import", &body, map[string]string{"Content-Type": form.FormDataContentType()})
}

func TestRequests(t *testing.T) {
	s := open(t, false)
	ctx := context.Background()
	s.has(s.get("requests"), http.StatusOK, "Nothing was sent yet", "$STYTCH_PROJECT_SECRET", "overview")
	created := s.client("Logged")
	_, err := s.api.M2M.Get(ctx, "nobody")
	if err == nil {
		t.Fatal("nobody was found")
	}
	p := s.get("requests")
	s.has(p, http.StatusOK, "CreateM2MClient", "GetM2MClient", "404", `data-after="2"`)
	if strings.Index(p.body, "requests/2\"") > strings.Index(p.body, "requests/1\"") {
		t.Error("the newest request is not the first")
	}
	s.has(s.get("requests?outcome=refused"), http.StatusOK, "requests/2\"", "!requests/1\"")
	s.has(s.get("requests?operation=CreateM2MClient"), http.StatusOK, "requests/1\"", "!requests/2\"")
	s.has(s.get("requests?client="+created.ClientID), http.StatusOK, "requests/1\"", "!requests/2\"")
	s.has(s.get("requests?client=x"), http.StatusOK, "No request in the log matches")
	s.has(s.get("requests/2"), http.StatusOK, "Timeline", "nobody", "m2m_client_not_found", "GetM2MClient", "$STYTCH_PROJECT_SECRET", "reference#error-m2m_client_not_found")
	s.has(s.get("requests/1"), http.StatusOK, "shown-once", "clients/"+created.ClientID)
	for range 250 {
		if _, err := s.api.M2M.SearchPage(ctx, stytch.M2MSearch{Limit: 1}); err != nil {
			t.Fatal(err)
		}
	}
	s.has(s.get("requests?outcome=good"), http.StatusOK, "51 older requests are not shown", "more=1")
	s.has(s.get("requests?outcome=good&more=1"), http.StatusOK, "!not shown")
	s.has(s.get(""), http.StatusOK, "Last requests", "SearchM2MClients")
	s.has(s.post("requests/clear"), http.StatusOK, "The request log is empty", "Nothing was sent yet")
}

// The stream brings a request while it is open.
func TestStream(t *testing.T) {
	s := open(t, false)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s.client("Before")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"requests/stream?after=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("Content-Type: %s", got)
	}
	buffer := make([]byte, 4096)
	text := ""
	for _, want := range []string{"id: 1\n", "id: 2\n"} {
		for !strings.Contains(text, want) {
			n, err := response.Body.Read(buffer)
			if err != nil {
				t.Fatalf("%v after %q", err, text)
			}
			text += string(buffer[:n])
		}
		s.client("After")
	}
}
