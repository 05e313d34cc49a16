package torture

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/audit"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// needles is how secrets look in texts that hold them.
func needles(secrets []secret.String) (all [][]byte) {
	for _, s := range secrets {
		text := s.Reveal()
		quoted, _ := json.Marshal(text)
		all = append(all, []byte(text), []byte(url.QueryEscape(text)), []byte(url.PathEscape(text)), quoted[1:len(quoted)-1],
			[]byte(hex.EncodeToString([]byte(text))))
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for shift := range 3 { // wherever it stands in what was encoded
				whole := encoding.EncodeToString(append(make([]byte, shift), text...))
				all = append(all, []byte(whole[(shift*8+5)/6:len(whole)-2]))
			}
		}
	}
	return all
}

// evidence is everything that a rotation leaves behind or lets be seen.
type evidence struct {
	mu     sync.Mutex
	places map[string][]byte
}

func (e *evidence) add(name string, data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.places == nil {
		e.places = map[string][]byte{}
	}
	e.places[name] = append(e.places[name], data...)
}

// Write collects what is logged.
func (e *evidence) Write(p []byte) (int, error) {
	e.add("log", p)
	return len(p), nil
}

func (e *evidence) addFiles(dir string) {
	for path, data := range files(dir) {
		name, _ := filepath.Rel(dir, path)
		e.add("file "+name, data)
	}
}

// holding is the names of the places that hold a secret.
func (e *evidence) holding(secrets []secret.String) (names []string) {
	all := needles(secrets)
	for _, name := range slices.Sorted(maps.Keys(e.places)) {
		if slices.ContainsFunc(all, func(n []byte) bool { return bytes.Contains(e.places[name], n) }) {
			names = append(names, name)
		}
	}
	return names
}

func TestNeedles(t *testing.T) {
	s := secret.Generate()
	text := s.Reveal()
	for name, haystack := range map[string]string{
		"raw": text, "hex": hex.EncodeToString([]byte("x" + text)), "json": fmt.Sprintf("%q", "a"+text),
		"base64": base64.StdEncoding.EncodeToString([]byte(text)), "base64, 1": base64.StdEncoding.EncodeToString([]byte("a" + text + "bc")),
		"base64, 2": base64.URLEncoding.EncodeToString([]byte("ab" + text + "b")), "query": url.Values{"a": {text}}.Encode(),
	} {
		e := evidence{places: map[string][]byte{"here": []byte("--" + haystack + "--"), "not here": []byte(secret.Generate().Reveal())}}
		if got := e.holding([]secret.String{s}); !slices.Equal(got, []string{"here"}) {
			t.Errorf("%s: found in %v", name, got)
		}
	}
}

// TestCanaries searches everything that rotations show or leave behind for the secrets that were
// part of them: rotations that are killed, given up, met by faults, and a small fleet.
func TestCanaries(t *testing.T) {
	heavy.Only(t)
	for _, key := range []string{"", secret.Generate().Reveal()} {
		t.Run(fmt.Sprintf("key %v", key != ""), func(t *testing.T) {
			var e evidence
			var all []secret.String
			for _, tale := range stories {
				all = append(all, killedOften(t, tale, key, &e)...)
			}
			all = append(all, smallFleet(t, key, &e)...)
			if key != "" {
				all = append(all, secret.New(key))
			}
			var delivered, records int
			for _, name := range e.holding(all) {
				switch folder := filepath.Dir(strings.TrimPrefix(name, "file ")); {
				case !strings.HasPrefix(name, "file "):
					t.Errorf("a secret is in %s", name)
				case strings.HasPrefix(folder, "journal") && key != "":
					t.Errorf("a secret is in the journal, which has a key: %s", name)
				case strings.HasSuffix(name, ".lock"):
					t.Errorf("a secret is in %s", name)
				case strings.HasPrefix(folder, "journal"):
					records++
				default:
					delivered++
				}
			}
			t.Logf("%d secrets, %d places; in %d of them they belong", len(all), len(e.places), delivered+records)
			if delivered == 0 || records == 0 && key == "" {
				t.Error("not even found where they belong")
			}
		})
	}
}

// killedOften kills a process at some moments, looks at what there is while it still is, and lets
// another one finish.
func killedOften(t *testing.T, tale story, key string, e *evidence) []secret.String {
	s := tale.service(t, variants[0])
	s.Key = key
	for _, point := range []string{
		"disk of write starting: written #1", "disk of write started: synced #1", "deliver file: before #1",
		"disk of deliver file: written #2", "cancel: before #1", "complete: before #1", "release: before #1",
	} {
		o := s.order
		o.Pause = point
		p, err := s.start(o)
		if err != nil {
			t.Fatal(err)
		}
		if p.follow(point) {
			for _, name := range []string{"cmdline", "environ"} {
				data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.Process.Pid, name))
				if runtime.GOOS == "linux" && (err != nil || len(data) == 0) {
					t.Errorf("%s cannot be read: %v", name, err)
				}
				e.add(name, data)
			}
			e.addFiles(s.dir)
			_ = p.Process.Kill()
		}
		for _, entry := range p.told {
			e.add("chronicle", fmt.Appendf(nil, "%+v\n", entry))
		}
		s.end(p)
		e.addFiles(s.dir)
	}
	s.finish(tale)
	e.addFiles(s.dir)
	for _, text := range s.texts {
		e.add("output", text)
	}
	for _, text := range s.wrongs {
		t.Errorf("%s: %s", tale.name, text)
	}
	return append(s.secrets(), secret.New(s.Secret))
}

// smallFleet rotates five clients while calls fail, and logs all that can be logged.
func smallFleet(t *testing.T, key string, e *evidence) (all []secret.String) {
	var ids []string
	for i := range 5 {
		ids = append(ids, fmt.Sprintf("fleet-%d", i))
		all = append(all, secret.Generate())
	}
	s := newService(t, variants[0], emulator.WithM2MClients(len(ids), func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{ClientID: ids[i], Secret: all[i].Reveal(), Scopes: []string{"read"}}
	}), emulator.WithFaults(
		emulator.DropResponse("StartM2MClientSecretRotation").Times(2), emulator.HTML("CompleteM2MClientSecretRotation", 502).Times(1),
		emulator.CutBody("StartM2MClientSecretRotation").After(3).Times(1), emulator.Status("GetM2MClient", 403).After(9).Times(1),
		emulator.Status("IssueM2MToken", 401).After(6).Times(1),
	))
	s.Key = key
	folder := filepath.Join(s.dir, "fleet")
	places := deliver.Folder(folder)
	for i, id := range ids {
		if err := places.Deliver(t.Context(), rotate.Delivery{ClientID: id, Secret: all[i]}); err != nil {
			t.Fatal(err)
		}
	}
	journal, err := s.journal()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(e, nil))
	api := newClient(t, s.server, s.Address)
	r, err := rotate.New(api.M2M.Secrets, places, journal, rotate.WithObserver(func(_ context.Context, event rotate.Event) {
		log.Info("event", "event", event, "text", fmt.Sprintf("%+v %#v", event, event), "error", event.Err)
		e.addFiles(s.dir)
	}))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := audit.Open(t.Context(), filepath.Join(s.dir, "audit.ndjson"), journal)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lines.Close() }()
	many, err := fleet.New(r, fleet.WithAudit(lines), fleet.WithProgress(time.Second, func(p fleet.Progress) {
		log.Info("progress", "progress", p, "text", fmt.Sprintf("%+v", p))
	}))
	if err != nil {
		t.Fatal(err)
	}
	failures := 0
	for range 2 { // what fails in the first one succeeds in the second
		report, err := many.Run(t.Context(), sequence(ids))
		log.Info("report", "report", report, "text", fmt.Sprintf("%+v %#v", report, report), "error", err)
		failures = report.Failed
	}
	if failures > 0 {
		t.Errorf("%d failures when nothing failed any more", failures)
	}
	for _, id := range append(ids, "nobody") {
		status, err := r.Status(t.Context(), id)
		log.Info("status", "status", status, "text", fmt.Sprintf("%+v %#v", status, err))
		record, err := journal.Read(t.Context(), id)
		log.Info("record", "record", record, "text", fmt.Sprintf("%+v %#v %v", record, record, err))
	}
	log.Info("parts", "text", fmt.Sprintf("%+v %#v %+v %#v %+v %#v", r, r, journal, journal, places, many))
	e.addFiles(s.dir)
	return append(append(all, s.secrets()...), secret.New(s.Secret))
}

func sequence(ids []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}
}
