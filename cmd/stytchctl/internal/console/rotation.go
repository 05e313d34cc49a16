package console

import (
	"errors"
	"net/http"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// rotate takes one step of a rotation: start, complete or cancel.
func (c *Console) rotate(k *kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		found, ok := c.find(w, r, k)
		if !ok {
			return
		}
		secrets := k.secrets(c.api)
		one := notice{}
		var next secret.String
		var err error
		switch step := r.PostFormValue("step"); step {
		case "start":
			next, err = secrets.Start(r.Context(), found.ID)
			one = notice{Text: "The rotation has started. Both secrets are accepted until it is completed or canceled.", Secret: next, Meaning: "The next secret, shown only now"}
		case "complete":
			err = secrets.Complete(r.Context(), found.ID)
			one.Text = "The rotation is complete. The next secret is now the current one, and the previous one is refused."
		case "cancel":
			err = secrets.Cancel(r.Context(), found.ID)
			one.Text = "The rotation was canceled. The next secret is refused, and the current one is unchanged."
		default:
			f := k.filled(found)
			f.fail("rotation", "There is no step "+cell(step)+": start, complete or cancel. Nothing was changed.")
			c.renderDetail(w, r, k, http.StatusUnprocessableEntity, found, f)
			return
		}
		var response *stytch.Error
		switch {
		case errors.As(err, &response) && response.StatusCode < http.StatusInternalServerError:
			f := k.filled(found)
			f.fail("rotation", response.Message+" ("+response.Type+")")
			c.renderDetail(w, r, k, http.StatusUnprocessableEntity, found, f)
		case err != nil:
			c.failed(w, r, k.section, err)
		default:
			c.done(w, r, k.Link(found.ID), one)
		}
	}
}
