package rotate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// version1 is how version 1 stored a record: one object, in which the order of the members counts.
//
//	{"version":1,<fields>,"secrets":{…},"checksum":"…"}
//	{"version":1,<fields>,"sealed":"…","checksum":"…"}
//
// checksum covers all bytes before its comma. The associated data of sealed is all bytes before its
// comma.
type version1 struct {
	Version int `json:"version"`
	fields
	Secrets  json.RawMessage `json:"secrets,omitempty"`
	Sealed   string          `json:"sealed,omitempty"`
	Checksum string          `json:"checksum"`
}

var version1Names = slices.Concat([]string{"version"}, fieldNames, []string{"secrets", "sealed", "checksum"})

// unmarshalVersion1 returns the envelope that the current version would have made of the same
// record.
func unmarshalVersion1(data []byte, members []strictjson.Member) (*envelope, error) {
	var v version1
	if !only(members, version1Names) || json.Unmarshal(data, &v) != nil {
		return nil, wrong(ErrCorrupt, "unknown members, or values of the wrong type")
	}
	text, ok := bytes.CutSuffix(data, []byte(`,"checksum":"`+v.Checksum+"\"}\n"))
	if sum := sha256.Sum256(text); !ok || v.Checksum != hex.EncodeToString(sum[:]) {
		return nil, wrong(ErrCorrupt, "the checksum does not match")
	}
	if (v.Secrets == nil) == (v.Sealed == "") {
		return nil, wrong(ErrCorrupt, "either secrets or sealed is required")
	}
	clear, ok := bytes.CutSuffix(text, []byte(`,"sealed":"`+v.Sealed+`"`))
	if !ok && v.Sealed != "" {
		return nil, wrong(ErrCorrupt, "the members are in the wrong order")
	}
	if v.State == "cancelled" {
		v.State = Canceled
	}
	record, err := json.Marshal(v.fields)
	if err != nil {
		return nil, wrong(ErrCorrupt, "a time that JSON cannot hold")
	}
	return &envelope{Version: 1, Record: record, Secrets: v.Secrets, Sealed: v.Sealed, clear: clear}, nil
}
