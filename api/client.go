package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Client is where a request comes from.
type Client struct {
	Addr netip.Addr // invalid: that can't be told
	TLS  bool       // it came to us, or to a trusted proxy in front of us, encrypted
}

// Network is what counts as one client: its address, and of IPv6 the 64 bits that one subscriber gets at the least.
func (c Client) Network() string {
	if c.Addr.Is6() {
		if prefix, err := c.Addr.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return c.Addr.String()
}

// Proxies are the addresses whose X-Forwarded-For and X-Forwarded-Proto are believed. None: nobody's, as anybody can
// write such a header.
type Proxies []netip.Prefix

// ParseProxies reads ranges in CIDR form, or single addresses.
func ParseProxies(list []string) (Proxies, error) {
	var all Proxies
	for _, s := range list {
		s = strings.TrimSpace(s)
		if addr, err := netip.ParseAddr(s); err == nil {
			all = append(all, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("trusted proxy %q: write an address or a range, as 10.0.0.7 or 10.0.0.0/8", s)
		}
		all = append(all, prefix)
	}
	return all, nil
}

func (p Proxies) trust(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(one netip.Prefix) bool { return one.Contains(addr) })
}

// ClientOf tells where a request comes from. The proxies append, each the address that it was asked from: so the list is
// read from its end, as far as those are trusted. What stands before that may be anybody's invention.
func (p Proxies) ClientOf(r *http.Request) Client {
	peer, _ := parseAddr(r.RemoteAddr)
	c := Client{Addr: peer, TLS: r.TLS != nil}
	if !p.trust(peer) {
		return c
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, ok := parseAddr(strings.TrimSpace(hop))
		if !ok {
			break
		}
		if c.Addr = addr; !p.trust(addr) {
			break
		}
	}
	protocols := r.Header.Values("X-Forwarded-Proto")
	if len(protocols) > 0 {
		all := strings.Split(protocols[len(protocols)-1], ",")
		c.TLS = strings.EqualFold(strings.TrimSpace(all[len(all)-1]), "https")
	}
	return c
}

// parseAddr reads an address with or without a port, in the one form that it is compared in.
func parseAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		var with netip.AddrPort
		with, err = netip.ParseAddrPort(s)
		addr = with.Addr()
	}
	return addr.Unmap().WithZone(""), err == nil
}

// Clients notes where each request comes from, for [ClientOf] and for the request's log line. It belongs directly within
// [Wrap].
func Clients(trusted Proxies) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rec, ok := r.Context().Value(recordKey{}).(*record); ok {
				rec.client = trusted.ClientOf(r)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// ClientOf returns where the request of ctx comes from; the zero Client where nobody has looked.
func ClientOf(ctx context.Context) Client {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		return rec.client
	}
	return Client{}
}
