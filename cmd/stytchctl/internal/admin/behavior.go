package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"

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
	if err := s.instance.PatchBehavior(func(b *emulator.Behavior) error { return patchBehavior(text, b) }); err != nil {
		refuseError(w, renamed{err})
		return
	}
	s.GetBehavior(w, r)
}

// patchBehavior changes the switches that text names. null returns one to its default, for which
// the zero value stands.
func patchBehavior(text []byte, b *emulator.Behavior) error {
	if err := unmarshal(text, b); err != nil {
		return err
	}
	var named map[string]json.RawMessage
	if err := json.Unmarshal(text, &named); err != nil {
		return err
	}
	switches := reflect.ValueOf(b).Elem()
	for i := range switches.NumField() {
		if string(named[switchName(i)]) == "null" {
			switches.Field(i).SetZero()
		}
	}
	return nil
}

// switchName is what JSON calls a field of emulator.Behavior.
func switchName(i int) string {
	name, _, _ := strings.Cut(reflect.TypeFor[emulator.Behavior]().Field(i).Tag.Get("json"), ",")
	return name
}

// renamed is an error about the behavior that calls each switch what JSON calls it.
type renamed struct{ error }

func (r renamed) Error() string { return switchNames().Replace(r.error.Error()) }

func (r renamed) Unwrap() error { return r.error }

var switchNames = sync.OnceValue(func() *strings.Replacer {
	var pairs []string
	t := reflect.TypeFor[emulator.Behavior]()
	for i := range t.NumField() {
		pairs = append(pairs, "Behavior."+t.Field(i).Name+" ", switchName(i)+" ")
	}
	return strings.NewReplacer(pairs...)
})
