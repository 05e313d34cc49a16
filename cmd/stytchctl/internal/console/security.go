package console

import "net/http"

// policy lets a page load what this server embeds, and nothing else: no inline style or script, no
// frame around it, no form that leads elsewhere.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// maxForm is how much a form may send, an imported state aside.
const maxForm = 1 << 20

// protect sets the headers of every response, bounds what is read, and refuses requests that change
// something if the page of another origin sent them.
func protect(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "The request came from the page of another origin. Nothing was changed. Use the console's own forms.", http.StatusForbidden)
	}))
	guarded := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		limit := int64(maxForm)
		if r.URL.Path == Root+"data/import" {
			limit = maxImport
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		guarded.ServeHTTP(w, r)
	})
}
