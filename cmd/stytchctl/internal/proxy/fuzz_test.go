package proxy

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

// Whatever the path of a request is, it stays below the path of its upstream, with the query
// unchanged, and a server that resolves it finds it there.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/", "/a", "/a/b?c=d", "/a/%2e%2e/b", "/a/..%2fb", "/a%2f..%2fb", "/a/b/../../..", "/a/%5c..", "/a//b", "/ab", "/a/x;y", "/a?", "*", "/a/\x00"} {
		f.Add(seed)
	}
	routes, err := newRoutes([]Route{{"/a", "https://one.test/base"}, {"/a/b", "https://two.test"}, {"/c", "https://three.test/x/y"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.ParseRequestURI(text)
		if err != nil || !strings.HasPrefix(u.Path, "/") || leavesRoute(u) {
			return
		}
		rt := match(routes, u.EscapedPath())
		if rt == nil {
			return
		}
		target := rt.target(u)
		if target.Host != rt.upstream.Host || target.Scheme != "https" || target.User != nil || target.RawQuery != u.RawQuery {
			t.Fatalf("%q leads to %q", text, target)
		}
		base := rt.upstream.Path + "/"
		resolved := path.Clean(strings.ReplaceAll(target.Path, `\`, "/")) + "/"
		if !strings.HasPrefix(resolved, base) || !strings.HasPrefix(target.Path+"/", base) {
			t.Fatalf("%q leads to %q", text, target)
		}
		again, err := url.ParseRequestURI(target.RequestURI())
		if err != nil || again.Path != target.Path {
			t.Fatalf("%q leads to %q, which is read as %v, %v", text, target, again, err)
		}
	})
}

// A text from an upstream never carries a piece of the token or of the request into the log.
func FuzzCleaned(f *testing.F) {
	f.Add(`malformed HTTP response "GET /x?q=1 HTTP/1.1"`)
	f.Add(`malformed HTTP response "\"Bearer eyJhbGciOiJSUzI1NiJ9`)
	f.Add("eyJhbGci\nOiJSUzI1NiJ9")
	f.Fuzz(func(t *testing.T, text string) {
		const secret = "eyJhbGciOiJSUzI1NiJ9.claims.signature"
		got := cleanText(text+secret+text, "/path?query", secret)
		if strings.Contains(got, secret[:16]) || strings.ContainsAny(got, "\r\n") || len(got) > maxErrorText {
			t.Errorf("%q", got)
		}
	})
}
