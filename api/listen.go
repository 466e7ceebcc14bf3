package api

import (
	"fmt"
	"net"
	"strings"
)

// Loopback reports whether only this machine reaches the address that is listened on.
func Loopback(addr string) (bool, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("listen on %q: give host:port, as 127.0.0.1:8080: %w", addr, err)
	}
	return loopback(host), nil
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
