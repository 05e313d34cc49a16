package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// service is a machine on which processes rotate the secret of one client, and the oracle that
// looks at its disk and at the server. It collects what is wrong.
type service struct {
	*server
	order
	dir    string
	wrongs []string // guarded by mu
	texts  [][]byte // what its processes wrote
}

func newService(tb testing.TB, v variant, more ...emulator.Option) *service {
	tb.Helper()
	s := newServer(tb, v, more...)
	dir := tb.TempDir()
	projectID, projectSecret := s.Credentials()
	svc := &service{server: s, dir: dir, order: order{
		Project: projectID, Secret: projectSecret, Address: s.outside(tb), Client: clientID,
		Journal: filepath.Join(dir, "journal"), File: filepath.Join(dir, "credentials.json"),
	}}
	first := rotate.Delivery{ClientID: clientID, Secret: s.initial}
	if err := deliver.File(svc.File).Deliver(tb.Context(), first); err != nil {
		tb.Fatal(err)
	}
	return svc
}

func (s *service) wrong(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrongs = append(s.wrongs, fmt.Sprintf(format, args...))
}

// process is a child and what it reported.
type process struct {
	*exec.Cmd
	entries   chan entry // closed when it is dead
	text      *bytes.Buffer
	chronicle *os.File
	told      []entry
}

func (s *service) start(o order) (*process, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	input, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	p := &process{Cmd: exec.Command(os.Args[0]), entries: make(chan entry, 1024), text: new(bytes.Buffer), chronicle: read}
	p.Env = append(os.Environ(), childVariable+"=1", "GOMAXPROCS=2", "GORACE=atexit_sleep_ms=0")
	p.Stdin, p.Stdout, p.Stderr, p.ExtraFiles = bytes.NewReader(input), p.text, p.text, []*os.File{write}
	if err := p.Start(); err != nil {
		read.Close()
		return nil, err
	}
	go func() {
		defer close(p.entries)
		for d := json.NewDecoder(read); ; {
			var e entry
			if d.Decode(&e) != nil {
				return
			}
			p.entries <- e
		}
	}()
	return p, nil
}

// follow records what the process reports until it is dead, or has reported a moment of that name.
func (p *process) follow(until string) (reached bool) {
	for e := range p.entries {
		p.told = append(p.told, e)
		if until != "" && e.String() == until {
			return true
		}
	}
	return false
}

// end waits for the process, and returns its exit code, -1 if it was killed.
func (s *service) end(p *process) (code int) {
	p.follow("")
	_ = p.Wait()
	p.chronicle.Close()
	var r rules
	for _, e := range p.told {
		r.see(e.moment)
	}
	for _, text := range r.broken {
		s.wrong("%s", text)
	}
	s.texts = append(s.texts, p.text.Bytes())
	return p.ProcessState.ExitCode()
}

// run is a process from its beginning to its end.
func (s *service) run(o order) (p *process, code int) {
	p, err := s.start(o)
	if err != nil {
		s.wrong("no process: %v", err)
		return &process{}, -2
	}
	return p, s.end(p)
}

// stored reads every secret that is on the disk: by itself, not by the engine.
func (s *service) stored() ([]secret.String, rotate.Record, error) {
	journal, err := s.journal()
	if err != nil {
		return nil, rotate.Record{}, err
	}
	record, err := journal.Read(context.Background(), s.Client)
	if err != nil && !errors.Is(err, rotate.ErrNoRotation) {
		return nil, record, err
	}
	held, err := deliver.File(s.File).Read(context.Background(), s.Client)
	return []secret.String{record.Current, record.Next, held.Secret, held.Previous}, record, err
}

// checkAlive is I1. While processes are at work it is only a breach if what is stored did not
// change meanwhile.
func (s *service) checkAlive(where string) {
	for {
		before, _, err := s.stored()
		if err != nil {
			s.wrong("%s: what is stored cannot be read: %v", where, err)
			return
		}
		if slices.ContainsFunc(before, func(v secret.String) bool { return s.accepts(s.Client, v) }) {
			return
		}
		if after, _, err := s.stored(); err == nil && slices.EqualFunc(before, after, secret.String.Equal) {
			s.wrong("I1: %s: no stored secret works", where)
			return
		}
	}
}

// watch looks at I1 all the time.
func (s *service) watch() (stop func()) {
	ended, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ended.Err() == nil {
			s.checkAlive("meanwhile")
			select {
			case <-ended.Done():
			case <-time.After(3 * time.Millisecond):
			}
		}
	}()
	return func() {
		end()
		<-done
	}
}

// checkEnd is what must be so when a rotation is over.
func (s *service) checkEnd(want rotate.State) {
	stored, record, err := s.stored()
	switch {
	case err != nil:
		s.wrong("the end: %v", err)
		return
	case record.State != want:
		s.wrong("the end: the journal has %q", record.State)
	case !stored[0].IsZero() || !stored[1].IsZero():
		s.wrong("the end: the journal holds secrets")
	case !stored[3].IsZero():
		s.wrong("the end: a previous secret is in the file")
	case s.pending(s.Client).Rotating():
		s.wrong("the end: the server has a next secret")
	case want == rotate.Canceled && !stored[2].Equal(s.initial):
		s.wrong("the end: the file does not hold the current secret")
	}
	for _, value := range s.secrets() {
		if works := s.accepts(s.Client, value); works != value.Equal(stored[2]) {
			s.wrong("the end: a secret that is in the file %v works %v", value.Equal(stored[2]), works)
		}
	}
	for path, data := range files(s.dir) {
		name := filepath.Base(path)
		ofJournal := filepath.Dir(path) == s.Journal && (strings.HasSuffix(name, ".json") || name == "project")
		if name != "credentials.json" && !ofJournal {
			s.wrong("the end: %s was left", name)
		}
		for _, value := range s.secrets() {
			if name != "credentials.json" && bytes.Contains(data, []byte(value.Reveal())) {
				s.wrong("the end: a secret is in %s", name)
			}
		}
	}
}

// files is every file below a folder, as far as they stay long enough to be read.
func files(dir string) map[string][]byte {
	all := map[string][]byte{}
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if data, err := os.ReadFile(path); err == nil {
				all[path] = data
			}
		}
		return nil
	})
	return all
}

// checkTexts searches what the processes wrote for secrets.
func (s *service) checkTexts() {
	for _, text := range s.texts {
		for _, needle := range needles(append(s.secrets(), secret.New(s.Secret))) {
			if bytes.Contains(text, needle) {
				s.wrong("a secret is in the output of a process")
			}
		}
	}
}
