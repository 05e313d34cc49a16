package main

import (
	"bytes"
	"fmt"
	"html"
)

// bar is one of the chart.
type bar struct {
	name  string
	value float64 // of the floor
	own   bool
}

// barsOf takes from the results what the chart shows.
func barsOf(results map[string]result) (bars []bar) {
	bars = append(bars, bar{"floor: SHA-256 + crypto/rsa", 1, false})
	for _, name := range verifiers {
		bars = append(bars, bar{name, results[name].ratio, name == ours})
	}
	return append(bars, bar{ours + ", repeated token", results["few"].ratio, true})
}

// draw draws horizontal bars. The colors are legible on light and dark pages.
func draw(bars []bar) []byte {
	const labels, scale, step, top = 230, 380, 30, 52
	longest := 0.0
	for _, b := range bars {
		longest = max(longest, b.value)
	}
	height := top + step*len(bars) + 8
	var w bytes.Buffer
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="sans-serif" font-size="13">`+"\n",
		labels+scale+70, height)
	w.WriteString("<title>Time to verify a token, as a multiple of its hash and RSA signature check</title>\n")
	w.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	w.WriteString(`<text x="12" y="22" font-size="15" font-weight="bold" fill="#1f2328">Verifying an access token</text>` + "\n")
	w.WriteString(`<text x="12" y="40" fill="#59636e">time as a multiple of the floor, one thread, lower is better</text>` + "\n")
	for i, b := range bars {
		y, fill := top+step*i, "#9aa4af"
		if b.own {
			fill = "#0969da"
		}
		width := max(1, b.value/longest*scale)
		fmt.Fprintf(&w, `<text x="%d" y="%d" text-anchor="end" fill="#1f2328">%s</text>`, labels-10, y+18, html.EscapeString(b.name))
		fmt.Fprintf(&w, `<rect x="%d" y="%d" width="%.1f" height="20" rx="2" fill="%s"/>`, labels, y+3, width, fill)
		fmt.Fprintf(&w, `<text x="%.1f" y="%d" fill="#1f2328">%s</text>`+"\n", labels+width+6, y+18, ratio(b.value))
	}
	w.WriteString("</svg>\n")
	return w.Bytes()
}
