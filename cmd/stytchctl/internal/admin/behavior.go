package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// GetBehavior serves GET /behavior.
func (s *service) GetBehavior(w http.ResponseWriter, _ *http.Request) {
	list, err := behaviorList(s.instance.Emulator().Behavior())
	if err != nil {
		refuseError(w, err)
		return
	}
	respond(w, http.StatusOK, list)
}

func behaviorList(b emulator.Behavior) (BehaviorList, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return BehaviorList{}, err
	}
	values := map[string]any{}
	if err := json.Unmarshal(text, &values); err != nil {
		return BehaviorList{}, err
	}
	list := BehaviorList{Fields: []BehaviorField{}}
	for _, f := range emulator.Behaviors() {
		list.Fields = append(list.Fields, BehaviorField{
			Name: f.Name, Value: values[f.Name], Type: f.Type, Values: f.Values, Minimum: f.Minimum, Maximum: f.Maximum,
			Default: f.Default, Certainty: f.Certainty, Description: f.Description,
		})
	}
	return list, nil
}

// SetBehavior serves PATCH /behavior.
func (s *service) SetBehavior(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The body has more than %d bytes. Nothing was changed.", maxBody))
		return
	}
	if err := s.instance.PatchBehavior(func(b *emulator.Behavior) error { return unmarshal(text, b) }); err != nil {
		refuseError(w, err)
		return
	}
	s.GetBehavior(w, r)
}
