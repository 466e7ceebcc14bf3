package api

import (
	"net/url"
	"strings"
)

// SignInPath is where a browser goes that has to show a key. Its parameter "next" is where it comes from.
const SignInPath = "/login"

// maxNext bounds the address that a sign-in leads back to.
const maxNext = 2000

// SignInURL is the sign-in page that leads back to the local address next.
func SignInURL(next string) string {
	if next = LocalPath(next); next == "/" {
		return SignInPath
	}
	return SignInPath + "?next=" + url.QueryEscape(next)
}

// LocalPath returns next if it is an address on this very server, path and query, and "/" otherwise: what a link says must
// never send somebody who has just signed in to another site.
func LocalPath(next string) string {
	// Browsers take a backslash for a slash, and drop tabs and line ends before they look.
	odd := func(c rune) bool { return c <= ' ' || c == '\\' || c == 0x7f }
	if len(next) > maxNext || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, odd) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.Path == SignInPath {
		return "/"
	}
	return next
}
