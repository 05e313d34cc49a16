package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/secret"
)

const source = "fixture-key-0123456789-0123456789-abcdef"

func newKey(t *testing.T, source, label, context string) Key {
	t.Helper()
	k, err := NewKey(secret.New(source), label, context)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRoundTrip(t *testing.T) {
	first, second := newKey(t, source, "label", "context"), newKey(t, "another-"+source, "label", "context")
	for _, plain := range []string{"", "x", strings.Repeat("long ", 1000)} {
		box := first.Seal([]byte(plain), []byte("associated"))
		got, err := Open([]Key{second, first}, box, []byte("associated"))
		if err != nil || string(got) != plain {
			t.Errorf("%d bytes do not come back: %v", len(plain), err)
		}
		if again := first.Seal([]byte(plain), []byte("associated")); bytes.Equal(again, box) {
			t.Error("two boxes of the same text are equal")
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	k := newKey(t, source, "label", "context")
	box := k.Seal([]byte("plain"), []byte("associated"))
	for i := range box {
		changed := bytes.Clone(box)
		changed[i] ^= 1
		want := ErrCorrupt
		if i < idLength {
			want = ErrUnknownKey
		}
		if _, err := Open([]Key{k}, changed, []byte("associated")); !errors.Is(err, want) {
			t.Errorf("byte %d changed: %v, want %v", i, err, want)
		}
	}
	for n := range box {
		if _, err := Open([]Key{k}, box[:n], []byte("associated")); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := Open([]Key{k}, box, []byte("other")); !errors.Is(err, ErrCorrupt) {
		t.Errorf("other associated data: %v", err)
	}
	for _, other := range []Key{newKey(t, source, "label 2", "context"), newKey(t, source, "label", "context 2"), newKey(t, source+".", "label", "context")} {
		if _, err := Open([]Key{other}, box, []byte("associated")); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("another key: %v", err)
		}
	}
	if _, err := Open(nil, box, []byte("associated")); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("no key: %v", err)
	}
}

func TestShortKey(t *testing.T) {
	for _, n := range []int{0, 1, 31} {
		if _, err := NewKey(secret.New(strings.Repeat("k", n)), "label", ""); !errors.Is(err, ErrShortKey) || !strings.Contains(err.Error(), "32") {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	newKey(t, strings.Repeat("k", 32), "label", "")
}

// The formats that earlier versions wrote.
func TestFixtures(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.TrimSpace(data)
	}
	decode := func(text string) []byte {
		box, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return box
	}

	stored := decode(string(read("token-store-v1.txt"))) // the first byte is the version of the store's format
	k := newKey(t, source, "stytch m2m token store v1", "project-test-1\x00m2m-client-test-1")
	plain, err := Open([]Key{k}, stored[1:], []byte("cache key of the fixture"))
	if err != nil || stored[0] != 1 || !bytes.Contains(plain, []byte(`"token":"token-of-the-fixture"`)) {
		t.Errorf("token store: %v", err)
	}

	line := read("journal-v1.json")
	var record struct{ Sealed string }
	if err := json.Unmarshal(line, &record); err != nil {
		t.Fatal(err)
	}
	clear, _, _ := bytes.Cut(line, []byte(`,"sealed"`))
	k = newKey(t, source, "stytch m2m rotation journal v1", "project-test-1")
	plain, err = Open([]Key{k}, decode(record.Sealed), clear)
	if want := `{"current":"current-secret-of-the-fixture","next":"next-secret-of-the-fixture"}`; err != nil || string(plain) != want {
		t.Errorf("journal: %v", err)
	}
}

func TestKeyDoesNotPrint(t *testing.T) {
	k := newKey(t, source, "label", "context")
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(format, k); strings.Contains(text, "fixture") || strings.Contains(text, "aes") {
			t.Errorf("%s shows what is behind the key", format)
		}
	}
}
