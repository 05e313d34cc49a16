package rotate_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

var (
	keyA = secret.New(strings.Repeat("a key of 32 ", 3))
	keyB = secret.New(strings.Repeat("another key ", 3))
)

func newCodec(t testing.TB, project string, keys ...secret.String) *rotate.Codec {
	t.Helper()
	c, err := rotate.NewCodec(project, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func codecRecord() rotate.Record {
	at := time.Date(2026, 7, 1, 12, 0, 0, 123456789, time.FixedZone("east", 3600))
	return rotate.Record{
		RotationID: "rotation-1", ClientID: "client-1", State: rotate.Verified,
		Current: secret.New("current <secret> é"), Next: secret.New("next \"secret\"\u2028"),
		Delivered: []string{"", "file"}, Abort: true, Restarts: 2, Stopped: rotate.Started, Reason: "<reason>\b",
		PlannedAt: at, UpdatedAt: at.Add(time.Second), GraceUntil: at.Add(time.Hour),
	}
}

func encode(t testing.TB, c *rotate.Codec, r rotate.Record) []byte {
	t.Helper()
	data, err := c.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// equal compares every field, so that a new one cannot be forgotten: secrets and times by their
// meaning.
func equal(a, b rotate.Record) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		var same bool
		switch v := x.Field(i).Interface().(type) {
		case secret.String:
			same = v.Equal(y.Field(i).Interface().(secret.String))
		case time.Time:
			same = v.Equal(y.Field(i).Interface().(time.Time))
		case []string:
			same = slices.Equal(v, y.Field(i).Interface().([]string))
		default:
			same = v == y.Field(i).Interface()
		}
		if !same {
			return false
		}
	}
	return true
}

func TestCodecRoundTrip(t *testing.T) {
	var zero []string
	for v, i := reflect.ValueOf(codecRecord()), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			zero = append(zero, v.Type().Field(i).Name)
		}
	}
	if zero != nil {
		t.Fatalf("codecRecord does not set %q", zero)
	}
	for name, keys := range map[string][]secret.String{"clear": nil, "sealed": {keyA}} {
		c := newCodec(t, "project-test-1", keys...)
		for _, r := range []rotate.Record{codecRecord(), {ClientID: "client-1", State: rotate.Planned}, {ClientID: "client-1", State: rotate.Completed}} {
			data := encode(t, c, r)
			got, err := c.Decode("client-1", data)
			if err != nil || !equal(got, r) {
				t.Errorf("%s, %s: Decode returns another record, %v", name, r.State, err)
			}
			if !json.Valid(data) || bytes.Count(data, []byte("\n")) != 1 || !bytes.HasSuffix(data, []byte("\n")) {
				t.Errorf("%s, %s: not a line of JSON", name, r.State)
			}
			if readable := bytes.Contains(data, []byte("secret\\")); readable != (name == "clear" && !r.Next.IsZero()) {
				t.Errorf("%s, %s: the secrets are readable: %t", name, r.State, readable)
			}
		}
	}
}

// The format must not change: a program that is updated has rotations in progress.
func TestCodecFormat(t *testing.T) {
	const want = `{"version":2,"record":{"project":"project-test-1","client_id":"client-1","rotation_id":"rotation-1","state":"verified",` +
		`"delivered":["","file"],"abort":true,"restarts":2,"stopped":"started","reason":"why",` +
		`"planned_at":"2026-07-01T11:00:00.123456789Z","updated_at":"2026-07-01T11:00:01.123456789Z","grace_until":"2026-07-01T12:00:00.123456789Z"},` +
		`"secrets":{"current":"one","next":"two"}`
	r := codecRecord()
	r.Reason, r.Current, r.Next = "why", secret.New("one"), secret.New("two")
	c := newCodec(t, "project-test-1")
	if got := encode(t, c, r); string(got) != withChecksum(want) {
		t.Errorf("%s\nwant\n%s", got, withChecksum(want))
	}

	const sealed = `{"version":2,"record":{"project":"project-test-1","client_id":"client-1","rotation_id":"rotation-1","state":"started"},"sealed":"BkZLPMM3L2TA6IpWu2Ns0Z3OYCt12z8NGZeD01EtbOXEcpf_WrEUe8YbX_EklvShLT_EVdfYSAkHlGNi4ghiM3xw"`
	got, err := newCodec(t, "project-test-1", keyA).Decode("client-1", []byte(withChecksum(sealed)))
	if err != nil || got.Current.Reveal() != "one" || got.Next.Reveal() != "two" {
		t.Errorf("an encrypted record cannot be read: %v", err)
	}
}

// withChecksum completes a record that lacks its checksum.
func withChecksum(text string) string {
	_, covered, _ := strings.Cut(text, `"record":`)
	covered = strings.Replace(covered, `,"secrets":`, "", 1)
	covered = strings.Replace(strings.TrimSuffix(covered, `"`), `,"sealed":"`, "", 1)
	sum := sha256.Sum256([]byte(covered))
	return text + `,"checksum":"` + hex.EncodeToString(sum[:]) + "\"}\n"
}

// withChecksum1 completes a record of version 1 that lacks its checksum.
func withChecksum1(text string) string {
	sum := sha256.Sum256([]byte(text))
	return text + `,"checksum":"` + hex.EncodeToString(sum[:]) + "\"}\n"
}

// A record in which a bit is changed, or bytes are missing, is refused.
func TestCodecDamage(t *testing.T) {
	for name, keys := range map[string][]secret.String{"clear": nil, "sealed": {keyA}} {
		t.Run(name, func(t *testing.T) {
			c := newCodec(t, "project-test-1", keys...)
			good := encode(t, c, codecRecord())
			for n := range good {
				if _, err := c.Decode("client-1", good[:n]); !errors.Is(err, rotate.ErrCorrupt) {
					t.Errorf("cut after %d of %d bytes: %v", n, len(good), err)
				}
			}
			for bit := range 8 * len(good) {
				bad := bytes.Clone(good)
				bad[bit/8] ^= 1 << (bit % 8)
				_, err := c.Decode("client-1", bad)
				if !errors.Is(err, rotate.ErrCorrupt) && !errors.Is(err, rotate.ErrNewerVersion) {
					t.Errorf("bit %d of byte %d: %v", bit%8, bit/8, err)
				}
			}
			if _, err := c.Decode("client-1", append(bytes.Clone(good), ' ')); !errors.Is(err, rotate.ErrCorrupt) {
				t.Errorf("with a space at the end: %v", err)
			}
		})
	}
}

func TestCodecDecodeRefuses(t *testing.T) {
	clear := newCodec(t, "project-test-1")
	good := strings.Split(string(encode(t, clear, codecRecord())), `,"checksum"`)[0]
	edit := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("no %q in a record", from)
		}
		return withChecksum(strings.Replace(good, from, to, 1))
	}
	for name, test := range map[string]struct {
		data string
		want error
	}{
		"empty":                 {"", rotate.ErrCorrupt},
		"zeros":                 {strings.Repeat("\x00", 500), rotate.ErrCorrupt},
		"another kind":          {"[]\n", rotate.ErrCorrupt},
		"not UTF-8":             {edit(`\u003creason\u003e`, "\xff"), rotate.ErrCorrupt},
		"unknown state":         {edit(`"state":"verified"`, `"state":"done"`), rotate.ErrCorrupt},
		"no state":              {edit(`"state":"verified",`, ``), rotate.ErrCorrupt},
		"unknown stopped state": {edit(`"stopped":"started"`, `"stopped":"done"`), rotate.ErrCorrupt},
		"unknown member":        {edit(`"abort"`, `"About"`), rotate.ErrCorrupt},
		"other case":            {edit(`"abort"`, `"Abort"`), rotate.ErrCorrupt},
		"other case inside":     {edit(`"current"`, `"Current"`), rotate.ErrCorrupt},
		"duplicate":             {edit(`"abort":true`, `"abort":true,"abort":false`), rotate.ErrCorrupt},
		"duplicate inside":      {edit(`"current":`, `"next":"other","current":`), rotate.ErrCorrupt},
		"another kind inside":   {edit(`"restarts":2`, `"restarts":"2"`), rotate.ErrCorrupt},
		"bad time":              {edit(`"planned_at":"2026`, `"planned_at":"20262`), rotate.ErrCorrupt},
		"negative":              {edit(`"restarts":2`, `"restarts":-2`), rotate.ErrCorrupt},
		"next is missing":       {edit(`"next":`, `"other":`), rotate.ErrCorrupt},
		"next is empty":         {withChecksum(good[:strings.Index(good, `"next":`)] + `"next":""}`), rotate.ErrCorrupt},
		"final with secrets":    {edit(`"state":"verified"`, `"state":"completed"`), rotate.ErrCorrupt},
		"no secrets at all":     {withChecksum(good[:strings.Index(good, `,"secrets":`)]), rotate.ErrCorrupt},
		"secrets and sealed":    {withChecksum(good + `,"sealed":"AAAA"`), rotate.ErrCorrupt},
		"sealed in the record":  {edit(`"abort":true`, `"sealed":"AAAA","abort":true`), rotate.ErrCorrupt},
		"no record":             {withChecksum(`{"version":2,"secrets":{}`), rotate.ErrCorrupt},
		"record is null":        {withChecksum(`{"version":2,"record":null,"secrets":{}`), rotate.ErrCorrupt},
		"secrets are null":      {withChecksum(good[:strings.Index(good, `,"secrets":`)] + `,"secrets":null`), rotate.ErrCorrupt},
		"sealed is no base64":   {withChecksum(good[:strings.Index(good, `,"secrets":`)] + `,"sealed":"!!!!"`), rotate.ErrCorrupt},
		"sealed is short":       {withChecksum(good[:strings.Index(good, `,"secrets":`)] + `,"sealed":"AAAA"`), rotate.ErrCorrupt},
		"no checksum":           {good + "}\n", rotate.ErrCorrupt},
		"checksum of capitals":  {strings.ToUpper(withChecksum("{")), rotate.ErrCorrupt},
		"two lines":             {withChecksum(good) + "\n", rotate.ErrCorrupt},
		"too large":             {edit(`\u003creason\u003e`, strings.Repeat("x", 64<<10)), rotate.ErrCorrupt},
		"too deep":              {strings.Repeat(`{"version":`, 1000), rotate.ErrCorrupt},
		"version 2 as 1":        {edit(`"version":2`, `"version":1`), rotate.ErrCorrupt},
		"version 1 as 2":        {withChecksum1(`{"version":2,"project":"project-test-1","client_id":"client-1","rotation_id":"","state":"planned","secrets":{}`), rotate.ErrCorrupt},
		"version 0":             {edit(`"version":2`, `"version":0`), rotate.ErrCorrupt},
		"version 1.5":           {edit(`"version":2`, `"version":1.5`), rotate.ErrCorrupt},
		"version as text":       {edit(`"version":2`, `"version":"2"`), rotate.ErrCorrupt},
		"no version":            {edit(`"version":2,`, ``), rotate.ErrCorrupt},
		"newer version":         {`{"version":3,"of":"which","nothing":"is known"}`, rotate.ErrNewerVersion},
		"newer, other project":  {`{"version":20,"project":"project-test-2"}`, rotate.ErrNewerVersion},
		"other project":         {edit("project-test-1", "project-test-2"), rotate.ErrOtherProject},
		"other client":          {edit(`"client-1"`, `"client-2"`), rotate.ErrOtherProject},
		"wrong key":             {string(encode(t, newCodec(t, "project-test-1", keyA), codecRecord())), rotate.ErrWrongKey},
		"all right":             {withChecksum(good), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := clear.Decode("client-1", []byte(test.data))
			if !errors.Is(err, test.want) || err != nil && !equal(r, rotate.Record{}) {
				t.Errorf("%v, want %v and no record", err, test.want)
			}
			for _, quoted := range []string{"reason", "secret\"", "project-", "client-", "done"} {
				if err != nil && strings.Contains(err.Error(), quoted) {
					t.Errorf("the error quotes the record: %q", quoted)
				}
			}
		})
	}
}

func TestCodecKeys(t *testing.T) {
	r := codecRecord()
	sealed := encode(t, newCodec(t, "project-test-1", keyA, keyB), r)
	for name, test := range map[string]struct {
		codec *rotate.Codec
		data  []byte
		want  error
	}{
		"the first key writes":    {newCodec(t, "project-test-1", keyA), sealed, nil},
		"the others do not":       {newCodec(t, "project-test-1", keyB), sealed, rotate.ErrWrongKey},
		"every key reads":         {newCodec(t, "project-test-1", keyB, keyA), sealed, nil},
		"no key":                  {newCodec(t, "project-test-1"), sealed, rotate.ErrWrongKey},
		"before keys were given":  {newCodec(t, "project-test-1", keyA), encode(t, newCodec(t, "project-test-1"), r), nil},
		"of another project":      {newCodec(t, "project-test-2", keyA), sealed, rotate.ErrOtherProject},
		"moved by a forger":       {newCodec(t, "project-test-2", keyA), forge(t, sealed, "project-test-1", "project-test-2"), rotate.ErrWrongKey},
		"state set by a forger":   {newCodec(t, "project-test-1", keyA), forge(t, sealed, `"verified"`, `"completing"`), rotate.ErrCorrupt},
		"version set by a forger": {newCodec(t, "project-test-1", keyA), forge(t, sealed, `"version":2`, `"version":1`), rotate.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.codec.Decode("client-1", test.data)
			if !errors.Is(err, test.want) || err == nil && !equal(got, r) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	moved := forge(t, sealed, `"client-1"`, `"client-2"`)
	if _, err := newCodec(t, "project-test-1", keyA).Decode("client-2", moved); !errors.Is(err, rotate.ErrCorrupt) {
		t.Errorf("moved to another client by a forger: %v, want %v", err, rotate.ErrCorrupt)
	}
	again := encode(t, newCodec(t, "project-test-1", keyA), r)
	if bytes.Equal(again, sealed) {
		t.Error("two encryptions of the same record are equal")
	}
}

// A record of a rotation that is over holds no secret, so the key that it was encrypted with may be
// gone.
func TestCodecFinalNeedsNoKey(t *testing.T) {
	const retired = `{"version":2,"record":{"project":"project-test-1","client_id":"client-1","rotation_id":"rotation-1","state":"completed",` +
		`"updated_at":"2026-07-01T11:00:01Z"},"sealed":"BkZLPMM3L2S1-9DMeALPqYFi-vPzLGT8XW81iwnujiB6uyfblUI"`
	const retired1 = `{"version":1,"project":"project-test-1","client_id":"client-1","rotation_id":"rotation-1","state":"cancelled",` +
		`"sealed":"BkZLPMM3L2SJD4-zp_NK44XS7B_w_UIP20UuK6b1jU9i5VTSQcw"`
	written := codecRecord()
	written.State, written.Current, written.Next = rotate.Completed, secret.String{}, secret.String{}
	for name, data := range map[string][]byte{
		"encrypted": []byte(withChecksum(retired)), "version 1": []byte(withChecksum1(retired1)),
		"written": encode(t, newCodec(t, "project-test-1", keyA), written),
	} {
		for keys, c := range map[string]*rotate.Codec{
			"its key": newCodec(t, "project-test-1", keyA), "another key": newCodec(t, "project-test-1", keyB), "no key": newCodec(t, "project-test-1"),
		} {
			r, err := c.Decode("client-1", data)
			if err != nil || !r.State.Final() || r.RotationID != "rotation-1" {
				t.Errorf("%s with %s: state %q, %v", name, keys, r.State, err)
			}
		}
	}
}

// Someone without the key cannot make a record that holds secrets look as if it held none.
func TestCodecActiveNeedsItsKey(t *testing.T) {
	for _, r := range []rotate.Record{codecRecord(), {ClientID: "client-1", State: rotate.Started, Next: secret.New("n")}} {
		sealed := encode(t, newCodec(t, "project-test-1", keyA), r)
		for _, final := range []string{"completed", "canceled"} {
			over := forge(t, sealed, `"`+string(r.State)+`"`, `"`+final+`"`)
			for keys, test := range map[string]struct {
				codec *rotate.Codec
				want  error
			}{
				"its key":     {newCodec(t, "project-test-1", keyA), rotate.ErrCorrupt},
				"another key": {newCodec(t, "project-test-1", keyB), rotate.ErrWrongKey},
				"no key":      {newCodec(t, "project-test-1"), rotate.ErrWrongKey},
			} {
				if _, err := test.codec.Decode("client-1", over); !errors.Is(err, test.want) {
					t.Errorf("%s set to %s, with %s: %v, want %v", r.State, final, keys, err, test.want)
				}
			}
		}
	}
}

// forge changes a record as someone without the key could.
func forge(t *testing.T, data []byte, from, to string) []byte {
	t.Helper()
	text, _, _ := strings.Cut(string(data), `,"checksum"`)
	if !strings.Contains(text, from) {
		t.Fatalf("no %q in a record", from)
	}
	return []byte(withChecksum(strings.Replace(text, from, to, 1)))
}

func TestCodecEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*rotate.Record){
		"no client":           func(r *rotate.Record) { r.ClientID = "" },
		"long client":         func(r *rotate.Record) { r.ClientID = strings.Repeat("x", 257) },
		"client with NUL":     func(r *rotate.Record) { r.ClientID = "a\x00b" },
		"client with space":   func(r *rotate.Record) { r.ClientID = "a b" },
		"client is a project": func(r *rotate.Record) { r.ClientID = "project-test-1" },
		"client not UTF-8":    func(r *rotate.Record) { r.ClientID = "a\xffb" },
		"no state":            func(r *rotate.Record) { r.State = "" },
		"unknown state":       func(r *rotate.Record) { r.State = "done" },
		"unknown stopped":     func(r *rotate.Record) { r.Stopped = "done" },
		"stopped nowhere":     func(r *rotate.Record) { r.State, r.Stopped = rotate.NeedsHuman, "" },
		"stopped at the end":  func(r *rotate.Record) { r.State, r.Stopped = rotate.NeedsHuman, rotate.Completed },
		"stopped without it":  func(r *rotate.Record) { r.State, r.Stopped, r.Next = rotate.NeedsHuman, rotate.Grace, secret.String{} },
		"no next":             func(r *rotate.Record) { r.Next = secret.String{} },
		"negative":            func(r *rotate.Record) { r.Restarts = -1 },
		"secret not UTF-8":    func(r *rotate.Record) { r.Next = secret.New("\xff") },
		"rotation not UTF-8":  func(r *rotate.Record) { r.RotationID = "\xff" },
		"deliverer not UTF-8": func(r *rotate.Record) { r.Delivered = []string{"\xff"} },
		"far future":          func(r *rotate.Record) { r.GraceUntil = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"too large":           func(r *rotate.Record) { r.Delivered = []string{strings.Repeat("x", 64<<10)} },
	} {
		for _, c := range []*rotate.Codec{newCodec(t, "project-test-1"), newCodec(t, "project-test-1", keyA)} {
			r := codecRecord()
			change(&r)
			if data, err := c.Encode(r); !errors.Is(err, rotate.ErrInvalidArgument) || data != nil || strings.Contains(err.Error(), "done") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A reason may be any text, and must not make Encode fail.
func TestCodecReason(t *testing.T) {
	r := codecRecord()
	r.Reason = "a\xff" + strings.Repeat("é", 1000)
	c := newCodec(t, "project-test-1")
	got, err := c.Decode("client-1", encode(t, c, r))
	if err != nil || len(got.Reason) > 1<<10 || !strings.HasPrefix(got.Reason, "aéé") {
		t.Errorf("%d bytes, %v", len(got.Reason), err)
	}
}

func TestNewCodecRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		project string
		keys    []secret.String
	}{
		"no project":      {"", nil},
		"other id":        {"client-1", nil},
		"long project":    {"project-test-" + strings.Repeat("x", 257), nil},
		"NUL in project":  {"project-test-a\x00b", nil},
		"secret":          {"secret-test-1", nil},
		"empty key":       {"project-test-1", []secret.String{{}}},
		"short key":       {"project-test-1", []secret.String{secret.New(strings.Repeat("k", 31))}},
		"short other key": {"project-test-1", []secret.String{keyA, secret.New("k")}},
	} {
		if _, err := rotate.NewCodec(test.project, test.keys...); !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecode checks that whatever Decode accepts is a record of this client that can be encoded
// again and means the same, and that no error quotes content.
func FuzzDecode(f *testing.F) {
	clear, sealed := newCodec(f, "project-test-1"), newCodec(f, "project-test-1", keyA)
	for _, c := range []*rotate.Codec{clear, sealed} {
		data := encode(f, c, codecRecord())
		text, _, _ := strings.Cut(string(data), `,"checksum"`)
		f.Add(data)
		f.Add(data[:len(data)/2])
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"version":3}`))
	f.Add([]byte(`{"version":2,"record":{"project":"project-test-1","client_id":"client-1","rotation_id":"","state":"planned"},"secrets":{}`))
	f.Add([]byte(`{"version":1,"project":"project-test-1","client_id":"client-1","rotation_id":"","state":"planned","secrets":{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, stored := range [][]byte{data, []byte(withChecksum(string(data))), []byte(withChecksum1(string(data)))} {
			for _, c := range []*rotate.Codec{clear, sealed} {
				r, err := c.Decode("client-1", stored)
				if err != nil {
					if len(err.Error()) > 120 || !equal(r, rotate.Record{}) {
						t.Errorf("a record beside the error, or a text that is not fixed: %v", err)
					}
					continue
				}
				if r.ClientID != "client-1" || r.State == "" || r.State.Final() && !r.Next.IsZero() {
					t.Error("accepted a record that no journal may store")
				}
				again, err := c.Encode(r)
				if err != nil {
					if errors.Is(err, rotate.ErrInvalidArgument) && len(data) > 40<<10 {
						continue // it was stored with fewer escapes than this encoder uses
					}
					t.Fatalf("a decoded record cannot be encoded: %v", err)
				}
				back, err := c.Decode("client-1", again)
				if back.Reason != r.Reason && strings.HasPrefix(r.Reason, back.Reason) {
					r.Reason = back.Reason // it was cut
				}
				if err != nil || !equal(back, r) {
					t.Errorf("a decoded record changes when it is encoded: %v", err)
				}
			}
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	for _, keys := range [][]secret.String{nil, {keyA}} {
		c, r := newCodec(b, "project-test-1", keys...), codecRecord()
		data := encode(b, c, r)
		b.Run(fmt.Sprintf("encode/keys=%d", len(keys)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				encode(b, c, r)
			}
		})
		b.Run(fmt.Sprintf("decode/keys=%d", len(keys)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Decode("client-1", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
