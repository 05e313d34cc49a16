package verify_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
	"github.com/stytchkit/m2m/internal/vectors"
	"github.com/stytchkit/m2m/stytch/verify"
)

// layer runs a token through the signature check alone. A key set without a usable key refuses
// everything.
func layer(t *testing.T, keys json.RawMessage, token string) error {
	t.Helper()
	var set struct{ Keys []json.RawMessage }
	if json.Unmarshal(keys, &set); set.Keys == nil {
		keys = json.RawMessage(`{"keys":[` + string(keys) + `]}`)
	}
	v, err := verify.New(project, verify.WithKeys(keys), verify.WithOffline())
	if err != nil {
		return err
	}
	defer v.Close()
	_, err = v.Payload(token)
	if err != nil {
		if claims, err := v.Verify(context.Background(), token); err == nil || claims.Subject != "" {
			t.Error("Verify is less strict than its lower layer")
		}
	}
	return err
}

func TestWycheproofTokens(t *testing.T) {
	for name, want := range map[string]struct {
		cases  int
		accept []int
	}{
		"json_web_signature_test.json": {401, []int{33, 259, 260, 261, 262, 263, 345, 349}},
		// 7 and 46 are a key with the ROCA weakness, which no verifier can be expected to know. We
		// do not test for it.
		"json_web_key_test.json":    {26, []int{5, 7}},
		"json_web_crypto_test.json": {83, []int{33, 46}},
	} {
		var file struct {
			TestGroups []struct {
				Public, Private json.RawMessage
				Tests           []struct {
					TcID     int
					JWS, JWE any // a string in compact form
				}
			}
		}
		if err := json.Unmarshal(vectors.Public(t, "wycheproof/"+name), &file); err != nil {
			t.Fatal(err)
		}
		var accepted []int
		cases := 0
		for _, group := range file.TestGroups {
			keys := group.Public
			if keys == nil {
				keys = group.Private
			}
			for _, test := range group.Tests {
				cases++
				token, compact := test.JWS.(string)
				if !compact {
					token, compact = test.JWE.(string)
				}
				if !compact {
					object, _ := json.Marshal(test.JWS)
					token = string(object)
				}
				if layer(t, keys, token) == nil {
					accepted = append(accepted, test.TcID)
				}
			}
		}
		slices.Sort(accepted)
		if cases != want.cases || !slices.Equal(accepted, want.accept) {
			t.Errorf("%s: of %d cases accepted %v, want %d and %v", name, cases, accepted, want.cases, want.accept)
		}
	}
}

func TestWycheproofRSA(t *testing.T) {
	cases, accepted := 0, 0
	for _, bits := range []int{2048, 3072, 4096} {
		var file struct {
			TestGroups []struct {
				KeyJwk json.RawMessage
				Tests  []struct {
					TcID             int
					Msg, Sig, Result string
				}
			}
		}
		if err := json.Unmarshal(vectors.Public(t, fmt.Sprintf("wycheproof/rsa_signature_%d_sha256_test.json", bits)), &file); err != nil {
			t.Fatal(err)
		}
		for _, group := range file.TestGroups {
			set, err := jwks.Parse([]byte(`{"keys":[` + string(group.KeyJwk) + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			key := set.Key([]byte("none"))
			for _, test := range group.Tests {
				cases++
				good := key.Verify(digestOf(test.Msg), bytesOf(test.Sig)) == nil
				if good != (test.Result == "valid") {
					t.Errorf("%d bits, case %d: %v, want %s", bits, test.TcID, good, test.Result)
				}
				if good {
					accepted++
				}
			}
		}
	}
	if cases != 776 || accepted != 24 {
		t.Errorf("%d of %d cases accepted, want 24 of 776", accepted, cases)
	}
}

func bytesOf(text string) []byte {
	b, _ := hex.DecodeString(text)
	return b
}

func TestCookbook(t *testing.T) {
	files := vectors.PublicFiles(t, "jose-cookbook/*/*.json")
	files = append(files, vectors.PublicFiles(t, "jose-cookbook/6.nesting_signatures_and_encryption.json")...)
	public := vectors.Public(t, "jose-cookbook/jwk/3_3.rsa_public_key.json")
	var accepted []string
	outputs := 0
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if strings.Contains(path, "/jwk/") {
			_, err := jwks.Parse([]byte(`{"keys":[` + string(text) + `]}`))
			if (err == nil) != strings.HasPrefix(name, "3_3") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var file struct{ Output map[string]any }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for form, output := range file.Output {
			if form != "compact" && form != "json" && form != "json_flat" {
				continue
			}
			outputs++
			token, compact := output.(string)
			if !compact {
				object, _ := json.Marshal(output)
				token = string(object)
			}
			if layer(t, public, token) == nil {
				accepted = append(accepted, name+" "+form)
			}
		}
	}
	if !slices.Equal(accepted, []string{"4_1.rsa_v15_signature.json compact"}) || outputs < 20 {
		t.Errorf("of %d outputs accepted %v", outputs, accepted)
	}
}

// Every bit of a token counts.
func TestBitFlips(t *testing.T) {
	k := newSigner(t)
	now := time.Now()
	token := k.sign(t, claimsAt(now))
	v := newVerifier(t, verify.WithKeys(k.jwks("jwk-test-0")), verify.WithOffline())
	if _, err := v.Verify(context.Background(), token); err != nil {
		t.Fatal(err)
	}
	for i := range len(token) * 8 {
		bad := []byte(token)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := v.Verify(context.Background(), string(bad)); err == nil {
			t.Fatalf("accepted with bit %d of byte %d flipped", i%8, i/8)
		}
	}
}
