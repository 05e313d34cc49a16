package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands for scripts that use the console as a browser does, with cookies and redirects:
//
//	visit PATH                   prints a page of the console
//	post PATH FIELD=VALUE...     sends a form and prints the page that follows
//	extract VARIABLE REGEXP      puts the first group of a match in stdout into a variable
//	canary VALUE                 lets canaries and ctl look for a secret, too
func init() {
	scriptCommands["visit"] = visitPage
	scriptCommands["post"] = postForm
	scriptCommands["extract"] = extractVariable
	scriptCommands["canary"] = addCanary
}

// browse sends a request to the console with the cookies of the script, and prints the page.
func browse(ts *testscript.TestScript, method, path string, form url.Values) {
	w := of(ts)
	if w.browser == nil {
		jar, err := cookiejar.New(nil)
		ts.Check(err)
		w.browser = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	}
	base := ts.Getenv("STYTCH_EMULATOR_URL")
	request, err := http.NewRequest(method, base+path, strings.NewReader(form.Encode()))
	ts.Check(err)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		request.Header.Set("Origin", base)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := w.browser.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("%s %s: status %d", method, path, response.StatusCode)
	}
	_, err = ts.Stdout().Write(page)
	ts.Check(err)
}

func visitPage(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: visit PATH")
	}
	browse(ts, http.MethodGet, args[0], nil)
}

func postForm(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: post PATH FIELD=VALUE...")
	}
	form := url.Values{}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("post: %q is no FIELD=VALUE", arg)
		}
		form.Add(name, value)
	}
	browse(ts, http.MethodPost, args[0], form)
}

func extractVariable(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: extract VARIABLE REGEXP")
	}
	match := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(match) != 2 {
		ts.Fatalf("extract: no match, or no group, of %s", args[1])
	}
	ts.Setenv(args[0], match[1])
}

func addCanary(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 || args[0] == "" {
		ts.Fatalf("usage: canary VALUE")
	}
	of(ts).canaries = append(of(ts).canaries, args[0])
}
