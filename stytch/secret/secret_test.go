package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch/secret"
)

func TestUnmarshalJSON(t *testing.T) {
	anyError := errors.New("any")
	for _, tt := range []struct {
		name, json, want string
		err              error
	}{
		{"string", `"abc-DEF_123"`, "abc-DEF_123", nil},
		{"spaces around", " \n\"abc\"\t", "abc", nil},
		{"escapes", `"a\"b\\c\u003cd\n"`, "a\"b\\c<d\n", nil},
		{"beyond ASCII", `"pässwörd-\ud83d\ude00"`, "pässwörd-😀", nil},
		{"empty", `""`, "", nil},
		{"null", `null`, "", nil},
		{"placeholder", `"[REDACTED]"`, "", secret.ErrRedacted},
		{"placeholder escaped", `"\u005bREDACTED]"`, "", secret.ErrRedacted},
		{"placeholder inside", `"user:[REDACTED]@host"`, "", secret.ErrRedacted},
		{"number", `73311447`, "", anyError},
		{"boolean", `true`, "", anyError},
		{"array", `["73311447"]`, "", anyError},
		{"object", `{"73311447":"73311447"}`, "", anyError},
		{"cut off", `"73311447`, "", anyError},
		{"nothing", ``, "", anyError},
		{"invalid UTF-8", "\"73311447\xff\"", "", anyError},
		{"lone surrogate", `"73311447\ud800"`, "", anyError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := secret.New("before")
			s, i := before, secret.Outgoing(before)
			err, importErr := s.UnmarshalJSON([]byte(tt.json)), i.UnmarshalJSON([]byte(tt.json))
			if importErr != err || !s.Equal(secret.String(i)) {
				t.Errorf("an Outgoing reads it in another way: %v, String: %v", importErr, err)
			}
			if tt.err == nil {
				if err != nil || s.Reveal() != tt.want || s.IsZero() != (tt.want == "") {
					t.Errorf("err = %v, or the text is not the one that was sent", err)
				}
				return
			}
			if err == nil || (tt.err != anyError && !errors.Is(err, tt.err)) {
				t.Fatalf("err = %v, want %v", err, tt.err)
			}
			if !s.Equal(before) {
				t.Error("a failed read changed the value")
			}
			if strings.Contains(err.Error(), "73311447") {
				t.Error("the error quotes the input")
			}
		})
	}
}

// An answer of the server goes through encoding/json, not by a direct call.
func TestUnmarshalAnswer(t *testing.T) {
	var answer struct {
		Secret secret.String  `json:"client_secret"`
		Next   *secret.String `json:"next_client_secret"`
	}
	if err := json.Unmarshal([]byte(`{"client_secret":"abc","next_client_secret":null}`), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Secret.Reveal() != "abc" || answer.Next != nil {
		t.Error("the answer was not read as sent")
	}
	err := json.Unmarshal([]byte(`{"client_secret":"[REDACTED]"}`), &answer)
	if !errors.Is(err, secret.ErrRedacted) {
		t.Errorf("placeholder: err = %v, want ErrRedacted", err)
	}
	err = json.Unmarshal([]byte(`{"client_secret":73311447}`), &answer)
	if err == nil || strings.Contains(err.Error(), "73311447") {
		t.Error("a number must be refused by an error that does not quote it")
	}
}

func TestUnmarshalText(t *testing.T) {
	var s secret.String
	if err := s.UnmarshalText([]byte("abc")); err != nil || s.Reveal() != "abc" {
		t.Errorf("err = %v, or the text is not the one that was given", err)
	}
	for _, bad := range []string{secret.Placeholder, "abc\xff"} {
		if err := s.UnmarshalText([]byte(bad)); err == nil || s.Reveal() != "abc" {
			t.Errorf("%q: err = %v, or the value changed", bad, err)
		}
	}
	type doc struct{ Secret secret.String }
	out, err := xml.Marshal(doc{s})
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(out, new(doc)); !errors.Is(err, secret.ErrRedacted) {
		t.Errorf("what xml wrote was read back: %v, want ErrRedacted", err)
	}
	var i secret.Outgoing
	if err := i.UnmarshalText([]byte("abc")); err != nil || i.Reveal() != "abc" {
		t.Errorf("Outgoing: err = %v, or the text is not the one that was given", err)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, text := range []string{"", "abc", `"quoted" <&> \ ` + "\n\u2028", "pässwörd😀", secret.Generate().Reveal()} {
		out, err := json.Marshal(secret.Outgoing(secret.New(text)))
		if err != nil {
			t.Fatalf("marshal: %v", err)
		}
		var i secret.Outgoing
		if err := json.Unmarshal(out, &i); err != nil || i.Reveal() != text {
			t.Errorf("an Outgoing of %d bytes does not survive JSON: %v", len(text), err)
		}
	}
	for _, bad := range []string{secret.Placeholder, "a" + secret.Placeholder} {
		if _, err := json.Marshal(secret.Outgoing(secret.New(bad))); !errors.Is(err, secret.ErrRedacted) {
			t.Errorf("marshal of the placeholder: err = %v, want ErrRedacted", err)
		}
	}
	if _, err := json.Marshal(secret.Outgoing(secret.New("abc\xff"))); err == nil {
		t.Error("invalid UTF-8 was marshalled: Stytch would store another secret")
	}
	out, err := json.Marshal(secret.New("abc"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, new(secret.String)); !errors.Is(err, secret.ErrRedacted) {
		t.Errorf("a String came back from JSON: err = %v, want ErrRedacted", err)
	}
}

func TestGobIsRefused(t *testing.T) {
	type kept struct{ S secret.String }
	type imported struct{ I secret.Outgoing }
	for _, v := range []any{kept{secret.New("abc")}, imported{secret.Outgoing(secret.New("abc"))}} {
		if err := gob.NewEncoder(new(bytes.Buffer)).Encode(v); err == nil {
			t.Errorf("%T was encoded, the secret in it is lost", v)
		}
	}
	for _, v := range []gob.GobDecoder{new(secret.String), new(secret.Outgoing)} {
		if err := v.GobDecode([]byte("abc")); err == nil {
			t.Errorf("%T was decoded", v)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"abc", "abc", true}, {"abc", "abd", false},
		{"abc", "ab", false}, {"abc", "", false}, {"", "abc", false},
	} {
		a, b := secret.New(tt.a), secret.New(tt.b)
		if a.Equal(b) != tt.want || secret.Outgoing(a).Equal(secret.Outgoing(b)) != tt.want {
			t.Errorf("%q equal to %q: want %t", tt.a, tt.b, tt.want)
		}
	}
}

func TestZero(t *testing.T) {
	var s secret.String
	var i secret.Outgoing
	if !s.IsZero() || !i.IsZero() || !secret.New("").IsZero() || secret.New("x").IsZero() || s.Reveal() != "" || i.Reveal() != "" {
		t.Error("the zero value is not an absent secret")
	}
	out, err := json.Marshal(struct {
		S secret.String   `json:"s,omitzero"`
		I secret.Outgoing `json:"i,omitzero"`
		X secret.Outgoing `json:"x,omitzero"`
	}{X: secret.Outgoing(secret.New("set"))})
	if err != nil || string(out) != `{"x":"set"}` {
		t.Errorf("omitzero = %s, %v", out, err)
	}
}

func TestGenerate(t *testing.T) {
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{48}$`)
	seen := map[string]bool{}
	for range 1000 {
		text := secret.Generate().Reveal()
		if !form.MatchString(text) {
			t.Fatal("not 48 characters of the URL-safe base64 alphabet")
		}
		seen[text] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different secrets of 1000", len(seen))
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	s := secret.New("abc")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				if s.Reveal() != "abc" || !s.Equal(secret.New("abc")) || s.String() != secret.Placeholder {
					t.Error("a shared value changed")
				}
			}
		})
	}
	group.Wait()
}

func FuzzUnmarshalJSON(f *testing.F) {
	for _, seed := range []string{`"abc"`, `null`, `""`, `"[REDACTED]"`, `"\u005bREDACTED]"`, `1e9`, `{"a":1}`, `["a"]`, `"\ud800"`, "\"\xff\"", `"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want string
		refused := json.Unmarshal(data, &want) != nil ||
			strings.Contains(want, secret.Placeholder) || strings.ContainsRune(want, utf8.RuneError)
		var s secret.String
		err := s.UnmarshalJSON(data)
		switch {
		case refused != (err != nil):
			t.Errorf("refused = %t, want %t", err != nil, refused)
		case refused && !s.IsZero():
			t.Error("a refused text was stored")
		case !refused && s.Reveal() != want:
			t.Error("another text was stored than encoding/json reads")
		}
	})
}
