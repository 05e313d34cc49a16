package main

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Beside the commands of the other files:
//
//	page CODE PATH FILE [NAME=VALUE...]  gets a page of the console, or sends it a form, and keeps it in FILE
//
// It is a browser without scripts: it follows redirects and has cookies. Pages show some secrets
// once, so the script says itself which must not be in them.
func init() { scriptCommands["page"] = getPage }

var browser = func() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	// Certificates are the subject of other scripts.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // a server of this test
	return &http.Client{Jar: jar, Transport: transport, Timeout: 30 * time.Second}
}()

func getPage(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: page CODE PATH FILE [NAME=VALUE...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	method, form := http.MethodGet, url.Values{}
	for _, pair := range args[3:] {
		method = http.MethodPost
		name, value, _ := strings.Cut(pair, "=")
		form.Add(name, value)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, ts.Getenv("STYTCH_EMULATOR_URL")+"/_emulator/"+args[1], strings.NewReader(form.Encode()))
	ts.Check(err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := browser.Do(r)
	ts.Check(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode != want {
		ts.Fatalf("page: %s: status %d, want %d", args[1], response.StatusCode, want)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), text, 0o600))
}
