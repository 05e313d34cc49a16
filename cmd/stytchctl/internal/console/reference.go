package console

import (
	"net/http"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/console/reference"
)

func (c *Console) reference(w http.ResponseWriter, r *http.Request) {
	contract, err := reference.Load()
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	c.render(w, r, http.StatusOK, "reference", page{Title: "API reference", Section: "reference", Data: contract})
}
