// Package release shows that the modules of this repository can be published: without the replace
// lines that make a plain clone build, from a module proxy, as their users get them.
package release
