package project

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

const (
	liveURL = "https://api.stytch.com"
	testURL = "https://test.stytch.com"
)

// BaseURL is the address of Stytch's API for a project, by its id: the live or the test host.
func BaseURL(id string) *url.URL {
	address := testURL
	if Environment(id) == "live" {
		address = liveURL
	}
	base, err := url.Parse(address)
	if err != nil {
		panic(err) // a constant
	}
	return base
}

// ParseBaseURL reads an address that paths are appended to: https, or http to a loopback address,
// without user info, query or fragment, and with a path that means the same to every proxy. The
// result has no trailing slash.
func ParseBaseURL(address string) (*url.URL, error) {
	base, err := ParseInsecureBaseURL(address)
	if err == nil && base.Scheme == "http" && !IsLoopback(base.Hostname()) {
		return nil, errors.New("base URL " + mustBeHTTPS)
	}
	return base, err
}

// ParseInsecureBaseURL is [ParseBaseURL], but takes http to any host.
func ParseInsecureBaseURL(address string) (*url.URL, error) {
	base, err := parse("base URL", address)
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimRight(base.EscapedPath(), "/")
	if err := checkPath("base URL", prefix); err != nil {
		return nil, err
	}
	if base.Path, err = url.PathUnescape(prefix); err != nil {
		return nil, errors.New("base URL must be a URL")
	}
	base.RawPath = prefix
	return base, nil
}

// ParseDomain reads the domain of a project, such as example.customers.stytch.com, and returns its
// https address.
func ParseDomain(domain string) (*url.URL, error) {
	name := strings.ToLower(domain)
	valid := len(name) <= 253 && strings.Contains(name, ".")
	for label := range strings.SplitSeq(name, ".") {
		valid = valid && label != "" && len(label) <= 63 && !strings.HasPrefix(label, "-") && !strings.HasSuffix(label, "-") &&
			!strings.ContainsFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' })
	}
	if _, err := netip.ParseAddr(name); err == nil || !valid {
		return nil, errors.New("project domain must be a host name such as example.customers.stytch.com, without https:// and without a port or path")
	}
	return &url.URL{Scheme: "https", Host: name}, nil
}

// ParseURL reads an address that requests are sent to, or that names a server, as it stands: with
// the same rules as [ParseBaseURL], but a single trailing slash belongs to it.
func ParseURL(address string) (*url.URL, error) {
	u, err := parse("URL", address)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		return nil, errors.New("URL " + mustBeHTTPS)
	}
	if err := checkPath("URL", strings.TrimSuffix(u.EscapedPath(), "/")); err != nil {
		return nil, err
	}
	return u, nil
}

const mustBeHTTPS = "must be https; plain http is for loopback addresses only"

func parse(what, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New(what + " must be a URL")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New(what + " must begin with https://")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New(what + " must have a host")
	case u.User != nil:
		return nil, errors.New(what + " must not have user info")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New(what + " must not have a query")
	case strings.Contains(address, "#"):
		return nil, errors.New(what + " must not have a fragment")
	}
	u.Host = strings.TrimSuffix(u.Host, ":") // as http.NewRequest does
	return u, nil
}

// checkPath refuses an escaped path that proxies and servers tidy up, each in its own way.
func checkPath(what, path string) error {
	if path == "" {
		return nil
	}
	for _, segment := range strings.Split(path, "/")[1:] {
		segment, err := url.PathUnescape(segment)
		if err != nil || segment == "" || segment == "." || segment == ".." ||
			strings.ContainsAny(segment, `/\`) || strings.ContainsFunc(segment, unicode.IsControl) {
			return errors.New(what + " must not have empty or dot segments in its path, nor slashes, backslashes or control characters inside a segment")
		}
	}
	return nil
}

// IsLoopback reports whether a host is this machine, so that no one else sees what is sent to it in
// the clear.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
