package api

import (
	"net"
	"net/http"
	"strings"
)

// SameSite guards what a browser can be made to ask for: answers that nobody has to show a key for, and whatever its
// cookie opens. A browser is let through every firewall, and sends what the page in it tells it to, whoever's page that
// is; so the server looks at where a request comes from.
//
//   - A POST that a page of another origin sent is refused, by Sec-Fetch-Site, else by Origin. Clients that are no
//     browsers send neither, and pass.
//   - Behind a loopback address, a request for any other host than this machine is refused, a GET too: a page can give
//     its own name the address 127.0.0.1 (DNS rebinding), and is then of the same origin as what it reads.
//
// listen is the address that is served. A proxy in front of a loopback address has to ask for localhost.
func SameSite(listen string) func(http.Handler) http.Handler {
	own, origins := OwnName(listen), http.NewCrossOriginProtection()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !own(r) {
				Fail(w, r, NewProblem(KindForeignHost, "This server listens on "+listen+" and answers there only as localhost or a loopback address. "+
					"Ask for http://"+listen+", or let the proxy in front of it set the Host header to localhost."))
				return
			}
			if origins.Check(r) != nil {
				Fail(w, r, CrossOrigin())
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// OwnName reports whether a request is for a name that this server has where it listens: behind a loopback address those of
// this machine, elsewhere any.
func OwnName(listen string) func(*http.Request) bool {
	host, _, err := net.SplitHostPort(listen)
	local := err == nil && loopback(host)
	return func(r *http.Request) bool { return !local || loopback(hostOf(r.Host)) }
}

// CrossOrigin returns the problem of a request that a page of another site had a browser send.
func CrossOrigin() *Problem {
	return NewProblem(KindCrossOrigin, "Only pages of this very server may send this from a browser. "+
		"Send it from a page under the address that the browser shows, or without a browser: with curl, or the queuetrack command.")
}

// hostOf is the Host header without its port.
func hostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(header, "["), "]")
}
