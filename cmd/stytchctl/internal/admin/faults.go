package admin

import (
	"net/http"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/emulator"
)

// ListFaults serves GET /faults.
func (s *service) ListFaults(w http.ResponseWriter, _ *http.Request) {
	list := Faults{Faults: []ActiveFault{}}
	for _, f := range s.instance.Emulator().Faults() {
		list.Faults = append(list.Faults, active(f))
	}
	respond(w, http.StatusOK, list)
}

// AddFault serves POST /faults.
func (s *service) AddFault(w http.ResponseWriter, r *http.Request) {
	fault, ok := decode[Fault](w, r)
	if !ok {
		return
	}
	added, err := s.instance.AddFault(fault)
	if err != nil {
		refuseError(w, err)
		return
	}
	respond(w, http.StatusOK, active(added))
}

// RemoveFaults serves DELETE /faults.
func (s *service) RemoveFaults(w http.ResponseWriter, _ *http.Request) {
	e := s.instance.Emulator()
	for _, f := range e.Faults() {
		e.RemoveFault(f.ID)
	}
	w.WriteHeader(http.StatusNoContent)
}

// RemoveFault serves DELETE /faults/{id}.
func (s *service) RemoveFault(w http.ResponseWriter, _ *http.Request, id string) {
	if !s.instance.Emulator().RemoveFault(id) {
		refuse(w, http.StatusNotFound, "not_found", "There is no fault with this id. Nothing was changed.")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// ListOperations serves GET /operations.
func (s *service) ListOperations(w http.ResponseWriter, _ *http.Request) {
	list := Operations{Operations: []Operation{}, FaultKinds: []FaultKind{}}
	for _, op := range operation.All {
		list.Operations = append(list.Operations, Operation{ID: op.ID, Method: op.Method, Path: op.Path, Safety: safety[op.Safety]})
	}
	for _, k := range emulator.FaultKinds() {
		list.FaultKinds = append(list.FaultKinds, FaultKind{Name: k.Name, Description: k.Description, Needs: k.Needs, Takes: k.Takes})
	}
	respond(w, http.StatusOK, list)
}

func active(f emulator.ActiveFault) ActiveFault {
	a := ActiveFault{ID: f.ID, Fault: f.Fault, Seen: f.Seen, Struck: f.Struck}
	if f.Left >= 0 {
		a.Left = &f.Left
	}
	return a
}

// safety are the names of the contract's x-safety.
var safety = map[operation.Safety]string{
	operation.Read: "read", operation.Idempotent: "idempotent", operation.ShownOnce: "shown-once", operation.Billed: "billed",
}
