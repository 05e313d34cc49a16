package emulator_test

import (
	"errors"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

func TestHosts(t *testing.T) {
	w := start(t, emulator.WithHosts("stytch", "192.0.2.1", "Spelled.example.", "fd00:0::1"))
	for host, status := range map[string]int{
		"":                   200, // that of the URL
		"localhost":          200,
		"LOCALHOST.:8080":    200,
		"stytch.localhost:1": 200,
		"127.0.0.2:80":       200,
		"[::1]":              200,
		"[::1]:80":           200,
		"stytch:3000":        200,
		"Stytch":             200,
		"192.0.2.1:80":       200,
		"spelled.example:80": 200,
		"[fd00::1]:80":       200,
		"attacker.example":   421,
		"localhost.example":  421,
		"notlocalhost":       421,
		"192.0.2.2":          421,
		"stytch.example:80":  421,
		"127.0.0.1.example":  421,
	} {
		r := w.request("GET", "/health", "")
		if host != "" {
			r.Host = host
		}
		resp, err := w.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("%q: status %d, want %d", host, resp.StatusCode, status)
		}
	}
	for _, name := range []string{"", ".", "http://stytch", "stytch:80", "a b"} {
		if _, err := emulator.New(emulator.WithHosts(name)); !errors.Is(err, emulator.ErrInvalidArgument) {
			t.Errorf("WithHosts(%q): %v", name, err)
		}
	}
	if _, err := emulator.New(emulator.WithHosts("::1")); err != nil {
		t.Error(err)
	}
}
