package token

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/stytch/secret"
)

func mustSeal(t testing.TB, s *entry, data issuedToken) []byte {
	t.Helper()
	sealed, err := s.seal(data)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealRoundTrip(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond)
	for name, data := range map[string]issuedToken{
		"usual":     {Token{secret.New("ey.token"), now.Add(time.Hour), []string{"read:users", "write:users"}}, now},
		"no scopes": {Token{secret.New("ey.token"), now.Add(time.Hour), nil}, now},
		"a day":     {Token{secret.New("ey.token"), now.Add(24 * time.Hour), nil}, now},
		"large":     {Token{secret.New(strings.Repeat("x", 64<<10)), now.Add(time.Hour), nil}, now},
	} {
		t.Run(name, func(t *testing.T) {
			s := testEntry(t, want())
			got, err := s.open(mustSeal(t, s, data), now)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Value.Equal(data.Value) || !got.issuedAt.Equal(data.issuedAt) || !got.Expiry.Equal(data.Expiry) ||
				strings.Join(got.Scopes, " ") != strings.Join(data.Scopes, " ") {
				t.Error("another token came back")
			}
		})
	}
}

// TestStoredFormat reads a value of version 1, so that processes with different versions of this
// package share a store.
func TestStoredFormat(t *testing.T) {
	data, err := os.ReadFile("testdata/stored_v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var stored struct {
		CacheKey string `json:"cache_key"`
		Name     string `json:"name"`
		Value    []byte `json:"value"`
	}
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	w := wanted{
		baseURL: "https://test.stytch.com", project: "project-test-1",
		request: request{scopes: []string{"read:users"}, parameters: map[string]string{"tenant": "a"}},
		logins:  []login{{"m2m-client-test-1", secret.New("fixture-key-0123456789-0123456789-abcdef")}},
	}
	e := testEntry(t, w)
	if e.cacheKey != stored.CacheKey || e.name != stored.Name {
		t.Errorf("cache key %s, name %s", e.cacheKey, e.name)
	}
	issued := time.UnixMilli(946684800000)
	got, err := e.open(stored.Value, issued)
	if err != nil || got.Value.Reveal() != "fixture-token" || !got.issuedAt.Equal(issued) || !got.Expiry.Equal(issued.Add(time.Hour)) || strings.Join(got.Scopes, " ") != "read:users" {
		t.Errorf("version 1 is not read: %v", err)
	}
}

// TestSealKeepsEverythingApart opens a value with an entry that differs in one thing. Its name
// differs too, so no process is served, or disturbed, by what it cannot read.
func TestSealKeepsEverythingApart(t *testing.T) {
	given := secret.Generate()
	now := time.Now()
	for name, change := range map[string]func(*wanted){
		"address":       func(w *wanted) { w.baseURL += "/x" },
		"scopes":        func(w *wanted) { w.request.scopes = []string{"read:users", "write:users"} },
		"project":       func(w *wanted) { w.project = "project-live-1" },
		"client":        func(w *wanted) { w.logins = []login{{"m2m-client-test-2", clientSecret}} },
		"client secret": func(w *wanted) { w.logins = []login{{testLogin.id, secret.Generate()}} },
		"project moved": func(w *wanted) {
			w.project, w.logins = w.project+testLogin.id[:1], []login{{testLogin.id[1:], clientSecret}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			other := want()
			change(&other)
			one, two := testEntry(t, want()), testEntry(t, other)
			if _, err := two.open(mustSeal(t, one, newToken("ey.token")), now); !errors.Is(err, ErrStoreValue) || one.name == two.name {
				t.Errorf("error %v, want ErrStoreValue; same name: %t", err, one.name == two.name)
			}
			one, two = testEntry(t, want(), given), testEntry(t, other, given)
			_, err := two.open(mustSeal(t, one, newToken("ey.token")), now)
			if name == "client secret" {
				if err != nil || one.name != two.name {
					t.Errorf("with a given key: %v, want the client's secret to play no part", err)
				}
			} else if !errors.Is(err, ErrStoreValue) || one.name == two.name {
				t.Errorf("with a given key: error %v, want ErrStoreValue; same name: %t", err, one.name == two.name)
			}
		})
	}
}

func TestSealEveryBitCounts(t *testing.T) {
	s := testEntry(t, want())
	now := time.Now()
	sealed := mustSeal(t, s, newToken("ey.token"))
	for i := range len(sealed) * 8 {
		sealed[i/8] ^= 1 << (i % 8)
		if _, err := s.open(sealed, now); !errors.Is(err, ErrStoreValue) {
			t.Fatalf("bit %d flipped: error %v, want ErrStoreValue", i, err)
		}
		sealed[i/8] ^= 1 << (i % 8)
	}
	for n := range sealed {
		if _, err := s.open(sealed[:n], now); !errors.Is(err, ErrStoreValue) {
			t.Fatalf("cut to %d bytes: error %v, want ErrStoreValue", n, err)
		}
	}
	if _, err := s.open(sealed, now); err != nil {
		t.Errorf("untouched: %v", err)
	}
	if _, err := s.open(append(sealed, make([]byte, maxSealed)...), now); !errors.Is(err, ErrStoreValue) {
		t.Errorf("oversize: error %v, want ErrStoreValue", err)
	}
}

// TestSealRollOver reads with every key and writes with the first, for given keys and for the two
// secrets of a rotation.
func TestSealRollOver(t *testing.T) {
	one, two := secret.Generate(), secret.Generate()
	for name, ask := range map[string]func(*testing.T, *fleet, ...secret.String) bool{
		"given": func(t *testing.T, f *fleet, keys ...secret.String) bool {
			f.processes[0].keys = keys
			_, stored, err := f.processes[0].token(t.Context(), want(), f.mint)
			return stored && err == nil
		},
		"client secrets": func(t *testing.T, f *fleet, keys ...secret.String) bool {
			w := want()
			w.logins = nil
			for _, k := range keys {
				w.logins = append(w.logins, login{testLogin.id, k})
			}
			_, stored, err := f.processes[0].token(t.Context(), w, func(ctx context.Context, stored storedFunc) (minted, error) {
				m, err := f.mint(ctx, stored)
				m.by = w.logins[0]
				return m, err
			})
			return stored && err == nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, test := range []struct {
				from, to []secret.String
				readable bool
			}{
				{[]secret.String{one}, []secret.String{one, two}, true},
				{[]secret.String{one, two}, []secret.String{one}, true},
				{[]secret.String{two}, []secret.String{one, two}, true},
				{[]secret.String{one, two}, []secret.String{two}, false},
				{[]secret.String{one}, []secret.String{two}, false},
			} {
				synctest.Test(t, func(t *testing.T) {
					f := newFleet(t, 1)
					ask(t, f, test.from...)
					if got := ask(t, f, test.to...); got != test.readable {
						t.Errorf("readable: %t, want %t", got, test.readable)
					}
					if len(f.reported) != 0 {
						t.Errorf("reported %v: a value of another key is none of ours", f.reported)
					}
				})
			}
		})
	}
}

func TestSealNonceIsNew(t *testing.T) {
	s, data := testEntry(t, want()), newToken("ey.token")
	if bytes.Equal(mustSeal(t, s, data), mustSeal(t, s, data)) {
		t.Error("the same ciphertext twice: so is the nonce")
	}
}

func TestSealRefusesLies(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).UnixMilli() }
	for name, plain := range map[string]storedToken{
		"no token":           {"", at(0), at(time.Hour), nil},
		"dies before birth":  {"ey.token", at(time.Hour), at(0), nil},
		"lives for ever":     {"ey.token", at(0), 1 << 62, nil},
		"more than a day":    {"ey.token", at(0), at(25 * time.Hour), nil},
		"the least of times": {"ey.token", at(0), -1 << 63, nil},
		"huge":               {strings.Repeat("x", maxSealed), at(0), at(time.Hour), nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := testEntry(t, want())
			data := issuedToken{Token{secret.New(plain.Value), time.UnixMilli(plain.Expires), nil}, time.UnixMilli(plain.Issued)}
			if _, err := s.open(mustSeal(t, s, data), now); !errors.Is(err, ErrStoreValue) {
				t.Errorf("error %v, want ErrStoreValue", err)
			}
		})
	}
	for _, plain := range []string{"", "null", "{}", "[]", `{"token":1}`, `{"token":"ey"`, "\xff"} {
		if _, err := parseStored([]byte(plain), now); !errors.Is(err, ErrStoreValue) {
			t.Errorf("%q: error %v, want ErrStoreValue", plain, err)
		}
	}
}

func TestSealLengthSaysLittle(t *testing.T) {
	s := testEntry(t, want())
	short, long := newToken("ey."), newToken("ey."+strings.Repeat("x", 500))
	if a, b := len(mustSeal(t, s, short)), len(mustSeal(t, s, long)); a != b {
		t.Errorf("values of %d and %d bytes tell a short token from a long one", a, b)
	}
}

func TestSharedKeys(t *testing.T) {
	for name, keys := range map[string][]secret.String{
		"empty":               {{}},
		"short":               {secret.New(strings.Repeat("k", seal.MinKeyLength-1))},
		"one of two is short": {secret.Generate(), secret.New("short")},
		"redacted on its way": {secret.New(secret.Placeholder)},
	} {
		if _, err := newSharedStore(newMemStore(), keys, func(context.Context, error) {}); err == nil || strings.Contains(err.Error(), "kkk") {
			t.Errorf("%s: error %v, want one without the key", name, err)
		}
	}
}

// TestSharedWeakSecret has a client with a chosen secret: what it encrypts could be used to guess
// it.
func TestSharedWeakSecret(t *testing.T) {
	weak := secret.New("Correct-Horse-9")
	for name, secrets := range map[string][]secret.String{"none": nil, "zero": {{}}, "weak": {weak}, "both weak": {weak, secret.New("x")}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, 1)
			w := want()
			w.logins = nil
			for _, s := range secrets {
				w.logins = append(w.logins, login{testLogin.id, s})
			}
			mint := func(ctx context.Context, stored storedFunc) (minted, error) {
				m, err := f.mint(ctx, stored)
				m.by = login{testLogin.id, weak}
				return m, err
			}
			if _, _, err := f.processes[0].token(t.Context(), w, mint); err != nil {
				t.Error(err)
			}
			if f.mints() != 1 || f.store.count("") != 0 || f.reports(ErrStoreKey) == 0 {
				t.Errorf("%s: %d tokens minted, %d calls of the store, reported %v: want 1, none, ErrStoreKey",
					name, f.mints(), f.store.count(""), f.reported)
			}
			f.processes[0].keys = []secret.String{secret.Generate()}
			if _, _, err := f.processes[0].token(t.Context(), w, mint); err != nil || len(f.store.entries) != 1 {
				t.Errorf("%s: error %v, %d entries stored, want the given key to be enough", name, err, len(f.store.entries))
			}
		})
	}
}

// TestSharedOneWeakSecret replaces a strong secret by a weak one: the strong one still reads, and
// the weak one never encrypts.
func TestSharedOneWeakSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		w := want()
		w.logins = append(w.logins, login{testLogin.id, secret.New("Correct-Horse-9")})
		mint := func(ctx context.Context, stored storedFunc) (minted, error) {
			m, err := f.mint(ctx, stored)
			m.by = w.logins[1]
			return m, err
		}
		if _, _, err := f.processes[0].token(t.Context(), w, mint); err != nil || len(f.store.entries) != 0 {
			t.Errorf("error %v, %d entries stored, want none", err, len(f.store.entries))
		}
		f.all(t, want())
		if _, stored, err := f.processes[0].token(t.Context(), w, mint); err != nil || !stored {
			t.Errorf("error %v, from the store: %t", err, stored)
		}
	})
}

// TestSharedUnreadableIsAMiss puts rubbish, and the token of another client, where the token is
// looked for.
func TestSharedUnreadableIsAMiss(t *testing.T) {
	other := want()
	other.logins = []login{{"m2m-client-test-2", clientSecret}}
	for name, value := range map[string][]byte{
		"empty":          {},
		"rubbish":        []byte("rubbish"),
		"other client's": mustSeal(t, testEntry(t, other), newToken("not.for.us")),
		"huge":           make([]byte, 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 8)
				if err := f.store.Put(t.Context(), testEntry(t, want()).name, value, time.Hour); err != nil {
					t.Fatal(err)
				}
				f.all(t, want())
				if f.mints() != 1 {
					t.Errorf("%d tokens minted, want 1", f.mints())
				}
				if n := f.reports(ErrStoreValue); n < 1 || n > 8 {
					t.Errorf("reported %d times, want at most once by each of 8 processes", n)
				}
			})
		})
	}
}

// TestStoreLearnsNothing looks for everything that is worth knowing in everything that the store is
// given.
func TestStoreLearnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3)
		var seen bytes.Buffer
		for range 2 {
			f.all(t, want())
			for key, e := range f.store.entries {
				seen.WriteString(key + "\n")
				seen.Write(e.value)
			}
			time.Sleep(2 * time.Hour)
		}
		for name, canary := range map[string]string{
			"token": "token-1", "project": "project-test-1", "client": "m2m-client-test-1", "scope": "read:users",
			"secret": clientSecret.Reveal(), "field": `"expires"`,
		} {
			for _, form := range []string{canary, hex.EncodeToString([]byte(canary)), base64.RawURLEncoding.EncodeToString([]byte(canary))} {
				if bytes.Contains(seen.Bytes(), []byte(form)) {
					t.Errorf("the store was shown the %s", name)
				}
			}
		}
		if seen.Len() == 0 {
			t.Error("nothing was stored")
		}
	})
}

func FuzzSealed(f *testing.F) {
	s := testEntry(f, want())
	good := mustSeal(f, s, newToken("ey.token"))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte{sealVersion})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		got, err := s.open(sealed, time.Now())
		if err == nil && !bytes.Equal(sealed, good) {
			t.Error("a forged value was accepted")
		}
		if err != nil && (!errors.Is(err, ErrStoreValue) || !got.Value.IsZero()) {
			t.Errorf("error %v with a token", err)
		}
		if p, err := parseStored(sealed, time.Now()); err == nil && (p.Value.IsZero() || time.Until(p.Expiry) > maxLife) {
			t.Error("a plaintext that lies was accepted")
		}
	})
}

// BenchmarkSharedHit is what a token from the store costs beside the store itself.
func BenchmarkSharedHit(b *testing.B) {
	s, err := newSharedStore(newMemStore(), nil, func(_ context.Context, err error) { b.Error(err) })
	if err != nil {
		b.Fatal(err)
	}
	mint := func(context.Context, storedFunc) (minted, error) {
		return minted{issuedToken: newToken(strings.Repeat("x", 1000)), by: testLogin}, nil
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.token(b.Context(), want(), mint); err != nil {
			b.Fatal(err)
		}
	}
}
