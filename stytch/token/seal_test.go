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

func newTestSealer(t testing.TB, w wanted, keys ...secret.String) *sealer {
	t.Helper()
	if len(keys) == 0 {
		keys = w.secrets
	}
	s, err := newSealer(w.key, w.project, w.client, keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSeal(t testing.TB, s *sealer, data issuedToken) []byte {
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
			s := newTestSealer(t, want())
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
	key := cacheKey("https://test.stytch.com", "project-test-1", "m2m-client-test-1", []string{"read:users"}, map[string]string{"tenant": "a"})
	if key != stored.CacheKey || storeName(key) != stored.Name {
		t.Errorf("cache key %s, name %s", key, storeName(key))
	}
	w := wanted{key: key, project: "project-test-1", client: "m2m-client-test-1"}
	sealer := newTestSealer(t, w, secret.New("fixture-key-0123456789-0123456789-abcdef"))
	issued := time.UnixMilli(946684800000)
	got, err := sealer.open(stored.Value, issued)
	if err != nil || got.Value.Reveal() != "fixture-token" || !got.issuedAt.Equal(issued) || !got.Expiry.Equal(issued.Add(time.Hour)) || strings.Join(got.Scopes, " ") != "read:users" {
		t.Errorf("version 1 is not read: %v", err)
	}
}

// TestSealKeepsEverythingApart opens a value with a sealer that differs in one thing.
func TestSealKeepsEverythingApart(t *testing.T) {
	given := secret.Generate()
	now := time.Now()
	for name, change := range map[string]func(*wanted){
		"cache key":     func(w *wanted) { w.key += " write:users" },
		"project":       func(w *wanted) { w.project = "project-live-1" },
		"client":        func(w *wanted) { w.client = "m2m-client-test-2" },
		"project moved": func(w *wanted) { w.project, w.client = w.project+w.client[:1], w.client[1:] },
		"client secret": func(w *wanted) { w.secrets = []secret.String{secret.Generate()} },
	} {
		t.Run(name, func(t *testing.T) {
			other := want()
			change(&other)
			sealed := mustSeal(t, newTestSealer(t, want()), newToken("ey.token"))
			if _, err := newTestSealer(t, other).open(sealed, now); !errors.Is(err, ErrStoreValue) {
				t.Errorf("error %v, want ErrStoreValue", err)
			}
			sealed = mustSeal(t, newTestSealer(t, want(), given), newToken("ey.token"))
			_, err := newTestSealer(t, other, given).open(sealed, now)
			if name == "client secret" {
				if err != nil {
					t.Errorf("with a given key: %v, want the client's secret to play no part", err)
				}
			} else if !errors.Is(err, ErrStoreValue) {
				t.Errorf("with a given key: error %v, want ErrStoreValue", err)
			}
		})
	}
}

func TestSealEveryBitCounts(t *testing.T) {
	s := newTestSealer(t, want())
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
	one, two, now := secret.Generate(), secret.Generate(), time.Now()
	for name, with := range map[string]func(keys ...secret.String) *sealer{
		"given": func(keys ...secret.String) *sealer { return newTestSealer(t, want(), keys...) },
		"client secrets": func(keys ...secret.String) *sealer {
			w := want()
			w.secrets = keys
			return newTestSealer(t, w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, during, after := with(one), with(one, two), with(two, secret.String{})
			for _, test := range []struct {
				from, to *sealer
				readable bool
			}{
				{before, during, true}, {during, before, true}, {after, during, true},
				{during, after, false}, {before, after, false}, {after, before, false},
			} {
				_, err := test.to.open(mustSeal(t, test.from, newToken("ey.token")), now)
				if (err == nil) != test.readable || err != nil && !errors.Is(err, ErrStoreValue) {
					t.Errorf("error %v, want readable: %t", err, test.readable)
				}
			}
		})
	}
}

func TestSealNonceIsNew(t *testing.T) {
	s, data := newTestSealer(t, want()), newToken("ey.token")
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
			s := newTestSealer(t, want())
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
	s := newTestSealer(t, want())
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
	synctest.Test(t, func(t *testing.T) {
		for _, secrets := range [][]secret.String{nil, {{}}, {secret.New("Correct-Horse-9")}, {secret.Generate(), secret.New("Correct-Horse-9")}} {
			f := newFleet(t, 1)
			w := want()
			w.secrets = secrets
			if _, _, err := f.processes[0].token(t.Context(), w, f.mint); err != nil {
				t.Error(err)
			}
			if f.mints() != 1 || f.store.count("") != 0 || f.reports(ErrStoreKey) != 1 {
				t.Errorf("%d tokens minted, %d calls of the store, reported %v: want 1, none, ErrStoreKey",
					f.mints(), f.store.count(""), f.reported)
			}

			f.processes[0].keys = []secret.String{secret.Generate()}
			if _, _, err := f.processes[0].token(t.Context(), w, f.mint); err != nil || len(f.store.entries) != 1 {
				t.Errorf("error %v, %d entries stored, want the given key to be enough", err, len(f.store.entries))
			}
		}
	})
}

// TestSharedUnreadableIsAMiss puts rubbish, and the token of another client, where the token is
// looked for.
func TestSharedUnreadableIsAMiss(t *testing.T) {
	other := want()
	other.client = "m2m-client-test-2"
	for name, value := range map[string][]byte{
		"empty":          {},
		"rubbish":        []byte("rubbish"),
		"other client's": mustSeal(t, newTestSealer(t, other), newToken("not.for.us")),
		"huge":           make([]byte, 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 8)
				if err := f.store.Put(t.Context(), storeName(want().key), value, time.Hour); err != nil {
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
	s := newTestSealer(f, want())
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
	mint := func(context.Context) (issuedToken, error) { return newToken(strings.Repeat("x", 1000)), nil }
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.token(b.Context(), want(), mint); err != nil {
			b.Fatal(err)
		}
	}
}
