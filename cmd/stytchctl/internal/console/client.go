package console

import (
	"errors"
	"net/http"

	"github.com/stytchkit/m2m/stytch"
)

type clientPage struct {
	Kind   *kind
	Client client
	Form   form
}

func (c *Console) newForm(k *kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.renderNew(w, r, k, http.StatusOK, k.blank())
	}
}

func (c *Console) renderNew(w http.ResponseWriter, r *http.Request, k *kind, status int, f form) {
	c.render(w, r, status, k.path+"-new", page{Title: "Create " + k.one, Section: k.section, Data: clientPage{Kind: k, Form: f}})
}

func (c *Console) create(k *kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, ok := c.posted(w, r)
		if !ok {
			return
		}
		id, once, err := k.create(r.Context(), c.api, &f)
		if refused(&f, err) {
			c.renderNew(w, r, k, http.StatusUnprocessableEntity, f)
			return
		}
		if err != nil {
			c.failed(w, r, k.section, err)
			return
		}
		c.done(w, r, k.Link(id), notice{Text: "The " + k.one + " was created.", Secret: once, Meaning: "Its secret, shown only now"})
	}
}

func (c *Console) detail(k *kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if found, ok := c.find(w, r, k); ok {
			c.renderDetail(w, r, k, http.StatusOK, found, k.filled(found))
		}
	}
}

func (c *Console) renderDetail(w http.ResponseWriter, r *http.Request, k *kind, status int, found client, f form) {
	title := found.Name
	if title == "" {
		title = found.ID
	}
	c.render(w, r, status, k.path+"-detail", page{Title: cell(title), Section: k.section, Data: clientPage{Kind: k, Client: found, Form: f}})
}

func (c *Console) update(k *kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		found, ok := c.find(w, r, k)
		if !ok {
			return
		}
		f, ok := c.posted(w, r)
		if !ok {
			return
		}
		err := k.update(r.Context(), c.api, found, &f)
		if refused(&f, err) {
			c.renderDetail(w, r, k, http.StatusUnprocessableEntity, found, f)
			return
		}
		if err != nil {
			c.failed(w, r, k.section, err)
			return
		}
		c.done(w, r, k.Link(found.ID), notice{Text: "The changes were saved."})
	}
}

func (c *Console) remove(k *kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if err := k.remove(r.Context(), c.api, id); err != nil && !errors.Is(err, stytch.ErrNotFound) {
			c.failed(w, r, k.section, err)
			return
		}
		c.done(w, r, k.Path(), notice{Text: "The " + k.one + " " + cell(id) + " was deleted. Tokens that it holds stay valid until they expire."})
	}
}

// find reads the client of a page, and shows why if it cannot.
func (c *Console) find(w http.ResponseWriter, r *http.Request, k *kind) (client, bool) {
	found, err := k.get(r.Context(), c.api, r.PathValue("id"))
	switch {
	case errors.Is(err, stytch.ErrNotFound), errors.Is(err, stytch.ErrInvalidArgument):
		c.render(w, r, http.StatusNotFound, "problem", page{Title: "Not found", Section: k.section, Data: problem{
			Title: "There is no such " + k.one, Text: "The project has no " + k.one + " with the id " + cell(r.PathValue("id")) + ". It may have been deleted.",
			Link: k.Path(), LinkText: "Show all " + k.many,
		}})
	case err != nil:
		c.failed(w, r, k.section, err)
	default:
		return found, true
	}
	return client{}, false
}

// posted reads a form.
func (c *Console) posted(w http.ResponseWriter, r *http.Request) (form, bool) {
	if err := r.ParseForm(); err != nil {
		c.render(w, r, http.StatusBadRequest, "problem", page{Title: "This did not work", Data: problem{
			Title: "The form could not be read", Text: "It is malformed or larger than 1 MiB. Nothing was changed.", Link: Root, LinkText: "Go to the overview",
		}})
		return form{}, false
	}
	return form{Values: r.PostForm}, true
}
