package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// assetVersion changes with every asset, so that browsers can keep them.
var assetVersion = sync.OnceValue(func() string {
	sum := sha256.New()
	for _, name := range assetNames {
		data, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		sum.Write(data)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
})

// assetTypes are fixed: what a machine's own table says may differ, and browsers do not guess.
var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

var assetNames = []string{"console.css", "console.js", "favicon.svg"}

// asset is the address of an embedded file.
func asset(name string) string { return Root + "assets/" + name + "?v=" + assetVersion() }

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	data, err := assetFiles.ReadFile("assets/" + name)
	if err != nil {
		http.Error(w, "The console has no such file.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(name)])
	if r.URL.Query().Get("v") == assetVersion() {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(data)
}
