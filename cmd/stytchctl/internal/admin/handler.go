package admin

import (
	_ "embed"
	"errors"
	"mime"
	"net/http"
	"sync/atomic"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
)

// Base is the path of the API.
const Base = "/_emulator/v1"

const (
	maxBody  = 1 << 20
	maxState = 256 << 20
)

// Contract is openapi.yaml.
//
//go:embed openapi.yaml
var Contract []byte

// A service carries out the operations of the contract. If the next line does not compile, the
// contract has gained or changed an operation.
type service struct {
	instance *instance.Instance
	streams  atomic.Int32
	ending   <-chan struct{}
}

var _ ServerInterface = (*service)(nil)

// New is the handler of the API, for the paths below [Base]. Streams end when ending is closed. Who
// may call it, its caller decides; see [Public].
func New(i *instance.Instance, ending <-chan struct{}) http.Handler {
	s := &service{instance: i, ending: ending}
	mux := http.NewServeMux()
	HandlerWithOptions(s, StdHTTPServerOptions{BaseURL: Base, BaseRouter: mux, ErrorHandlerFunc: refuseParameter})
	mux.HandleFunc(Base+"/", s.unknownRoute)
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "forbidden", "A page of another origin sent the request: call the API from a program. Nothing was changed.")
	}))
	return protection.Handler(checkBody(mux))
}

// Public reports whether a path is open to callers without the admin token: probes have none.
func Public(path string) bool { return path == Base+"/health" || path == Base+"/ready" }

// checkBody wants JSON for everything that has a body: a page of another origin cannot send that
// without asking first. It bounds the body.
func checkBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		limit := int64(maxBody)
		switch r.Method {
		case http.MethodPost, http.MethodPut, http.MethodPatch:
			if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
				refuse(w, http.StatusUnsupportedMediaType, "unsupported_media_type", "The Content-Type must be application/json. Nothing was changed.")
				return
			}
			if r.URL.Path == Base+"/state" {
				limit = maxState
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// unknownRoute names the nearest thing: another method of the same path.
func (s *service) unknownRoute(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, "not_found", "There is no such route: "+Base+"/openapi.yaml lists them. Nothing was changed.")
}

func refuseParameter(w http.ResponseWriter, _ *http.Request, err error) {
	name := "parameter"
	var format *InvalidParamFormatError
	var many *TooManyValuesForParamError
	switch {
	case errors.As(err, &format):
		name = format.ParamName
	case errors.As(err, &many):
		name = many.ParamName
	}
	refuse(w, http.StatusBadRequest, "invalid_request", name+": the value is not what the contract says: see "+Base+"/openapi.yaml. Nothing was changed.")
}

// refuse responds with an error.
func refuse(w http.ResponseWriter, status int, kind, message string) {
	respond(w, status, Error{StatusCode: status, ErrorType: kind, ErrorMessage: message})
}

// refuseError responds with an error of the instance.
func refuseError(w http.ResponseWriter, err error) {
	status, kind := http.StatusInternalServerError, "internal_error"
	switch {
	case errors.Is(err, instance.ErrInvalid):
		status, kind = http.StatusBadRequest, "invalid_request"
	case errors.Is(err, instance.ErrNotFound):
		status, kind = http.StatusNotFound, "not_found"
	case errors.Is(err, instance.ErrConflict):
		status, kind = http.StatusConflict, "conflict"
	}
	refuse(w, status, kind, instance.Message(err))
}
