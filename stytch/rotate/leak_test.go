package rotate_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestPrints prints everything of this package that has a part in secrets, in every way that people
// print things.
func TestPrints(t *testing.T) {
	current, next, key := "canary-current-6a1f", "canary-next-93bd", strings.Repeat("canary-key-", 4)
	journal, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), "project-test-1", secret.New(key))
	if err != nil {
		t.Fatal(err)
	}
	codec, err := rotate.NewCodec("project-test-1", secret.New(key))
	if err != nil {
		t.Fatal(err)
	}
	record := rotate.Record{RotationID: "r", ClientID: "c", State: rotate.Started, Current: secret.New(current), Next: secret.New(next)}
	claim, err := journal.Claim(t.Context(), "c", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = claim.Release(t.Context()) }()
	if err := claim.Write(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	rotator, err := rotate.New(newWorld("a"), rotate.DelivererFunc(nil), journal, rotate.WithProber(newWorld("a")))
	if err != nil {
		t.Fatal(err)
	}
	many, err := fleet.New(rotator)
	if err != nil {
		t.Fatal(err)
	}
	delivery := rotate.Delivery{ClientID: "c", Secret: secret.New(next), Previous: secret.New(current)}
	for _, value := range []any{
		record, &record, []rotate.Record{record}, delivery, &delivery, map[string]rotate.Delivery{"a": delivery}, claim, journal, codec,
		rotator, many, claim.Record(),
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb, value)
		}
		if text, err := json.Marshal(value); err == nil {
			out.Write(text)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", value)
		for _, text := range []string{current, next, key} {
			if strings.Contains(out.String(), text) || strings.Contains(out.String(), hex.EncodeToString([]byte(text))) {
				t.Errorf("%T shows a secret", value)
			}
		}
	}
}
