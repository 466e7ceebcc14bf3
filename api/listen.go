package api

import (
	"fmt"
	"net"
	"strings"
)

// CheckListen refuses to serve an address that other machines reach while nobody has to show a key: authNone is the
// operator saying aloud that this is meant.
func CheckListen(addr string, authNone bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen on %q: give host:port, as 127.0.0.1:8080: %w", addr, err)
	}
	if authNone || loopback(host) {
		return nil
	}
	return fmt.Errorf("listen on %s: other machines reach this address, and reading needs no key: "+
		"listen on 127.0.0.1 behind a proxy that checks who asks, or say --auth=none to let everyone read", addr)
}

// loopback reports whether only this machine reaches the host. An empty one is all interfaces; a name other than
// localhost may be anything.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
