package journaltest

import (
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

var states = []rotate.State{
	rotate.Planned, rotate.Starting, rotate.Started, rotate.Delivered, rotate.Verified, rotate.Grace, rotate.Completing,
	rotate.Completed, rotate.Canceled, rotate.Gone, rotate.NeedsHuman,
}

// ids are client ids that a storage may confuse with each other, or with a path.
func ids() []string {
	longest := make([]byte, 256)
	for i := range longest {
		longest[i] = 'x'
	}
	return []string{
		"m2m-client-test-1", "M2M-client-test-1", "m2m-client-test-1.json", "a", "A", "_a", "-a", "a_b", ".", "..",
		"../a", "a/b", `a\b`, "a%2fb", "*", "é", "e\u0301", "';--", "\"<&>", "\U0001F511", string(longest[1:]), string(longest),
	}
}

// full returns a record with every field set.
func full(clientID string, state rotate.State) rotate.Record {
	now := time.Now().Truncate(time.Microsecond)
	r := rotate.Record{
		RotationID: "rotation-of-" + clientID, ClientID: clientID, State: state,
		Current: secret.New("current secret \"of\" " + clientID), Next: secret.New("next secret <of> " + clientID),
		Delivered: []string{"", "file", "vault"}, Abort: true, Restarts: 3, Stopped: rotate.Started, Reason: "because <of> \"this\"\n\u2028",
		PlannedAt: now.Add(-time.Hour), UpdatedAt: now, GraceUntil: now.Add(time.Hour),
	}
	return r
}

// least returns a record with only the fields that its state needs.
func least(clientID string, state rotate.State) rotate.Record {
	r := rotate.Record{RotationID: "r", ClientID: clientID, State: state}
	if state != rotate.Planned && state != rotate.Starting && state != rotate.NeedsHuman {
		r.Next = secret.New("next secret of " + clientID)
	}
	if state == rotate.NeedsHuman {
		r.Stopped = rotate.Starting
	}
	return r
}

// kept returns r as a journal stores it.
func kept(r rotate.Record) rotate.Record {
	if r.State.Final() {
		r.Current, r.Next = secret.String{}, secret.String{}
	}
	return r
}

// differences returns the names of the fields in which two records differ.
func differences(a, b rotate.Record) (fields []string) {
	for name, same := range map[string]bool{
		"RotationID": a.RotationID == b.RotationID,
		"ClientID":   a.ClientID == b.ClientID,
		"State":      a.State == b.State,
		"Current":    a.Current.Equal(b.Current),
		"Next":       a.Next.Equal(b.Next),
		"Delivered":  slices.Equal(a.Delivered, b.Delivered),
		"Abort":      a.Abort == b.Abort,
		"Restarts":   a.Restarts == b.Restarts,
		"Stopped":    a.Stopped == b.Stopped,
		"Reason":     a.Reason == b.Reason,
		"PlannedAt":  a.PlannedAt.Equal(b.PlannedAt),
		"UpdatedAt":  a.UpdatedAt.Equal(b.UpdatedAt),
		"GraceUntil": a.GraceUntil.Equal(b.GraceUntil),
	} {
		if !same {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return fields
}
