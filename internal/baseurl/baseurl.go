// Package baseurl checks the addresses that a caller sends requests, and with them secrets, to.
package baseurl

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// Parse reads a base URL: https, or http to a loopback address, without user info, query or fragment, and with a path that
// means the same to everybody on the way. The result has no trailing slash. Errors name the rule and quote nothing, because
// an address may carry credentials.
func Parse(address string) (*url.URL, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("base URL must be a URL")
	}
	switch {
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("base URL must begin with https://")
	case base.Hostname() == "" || base.Opaque != "":
		return nil, errors.New("base URL must have a host")
	case base.User != nil:
		return nil, errors.New("base URL must not carry user info")
	case base.RawQuery != "" || base.ForceQuery:
		return nil, errors.New("base URL must not have a query")
	case base.Fragment != "" || strings.HasSuffix(address, "#"):
		return nil, errors.New("base URL must not have a fragment")
	case base.Scheme == "http" && !IsLoopback(base.Hostname()):
		return nil, errors.New("base URL must be https; plain http is for loopback addresses only")
	}
	prefix := strings.TrimRight(base.EscapedPath(), "/")
	for _, segment := range strings.Split(prefix, "/")[1:] {
		segment, err := url.PathUnescape(segment)
		if err != nil || segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, `/\`) {
			return nil, errors.New("the path of the base URL must not have empty or dot segments, or slashes inside of segments")
		}
	}
	if base.Path, err = url.PathUnescape(prefix); err != nil {
		return nil, errors.New("base URL must be a URL")
	}
	base.RawPath = prefix
	base.Host = strings.TrimSuffix(base.Host, ":") // as http.NewRequest does
	return base, nil
}

// IsLoopback reports whether a host is this machine, so that what is sent to it in the clear is seen by nobody else.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
