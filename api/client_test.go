package api

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientOf(t *testing.T) {
	t.Parallel()
	trusted, err := ParseProxies([]string{"10.0.0.0/8", " 127.0.0.1", "2001:db8::/32", "::ffff:192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		peer  string
		list  []string
		proto []string
		tls   bool
		want  string
		over  bool
	}{
		"nobody in front":                        {peer: "198.51.100.7:5000", want: "198.51.100.7"},
		"over TLS":                               {peer: "198.51.100.7:5000", tls: true, want: "198.51.100.7", over: true},
		"a stranger who says that he is another": {peer: "198.51.100.7:5000", list: []string{"203.0.113.1"}, proto: []string{"https"}, want: "198.51.100.7"},
		"a proxy":                                {peer: "10.1.2.3:5000", list: []string{"203.0.113.1"}, proto: []string{"https"}, want: "203.0.113.1", over: true},
		"a proxy that TLS ends at only before it":   {peer: "10.1.2.3:5000", list: []string{"203.0.113.1"}, proto: []string{"https, http"}, want: "203.0.113.1"},
		"a stranger's invention before the proxy's": {peer: "10.1.2.3:5000", list: []string{"127.0.0.1, 10.9.9.9, 203.0.113.1"}, want: "203.0.113.1"},
		"in two lines":               {peer: "10.1.2.3:5000", list: []string{"1.1.1.1", "203.0.113.1"}, want: "203.0.113.1"},
		"two proxies":                {peer: "127.0.0.1:5000", list: []string{"203.0.113.1, 10.1.2.3"}, want: "203.0.113.1"},
		"proxies only":               {peer: "127.0.0.1:5000", list: []string{"10.7.7.7, 10.1.2.3"}, want: "10.7.7.7"},
		"a proxy that says nothing":  {peer: "10.1.2.3:5000", want: "10.1.2.3"},
		"a proxy that says nonsense": {peer: "10.1.2.3:5000", list: []string{"203.0.113.1, unknown"}, want: "10.1.2.3"},
		"a port behind the address":  {peer: "10.1.2.3:5000", list: []string{"203.0.113.1:4711"}, want: "203.0.113.1"},
		"IPv6":                       {peer: "[2001:db8::1]:5000", list: []string{"2600::1"}, want: "2600::1"},
		"IPv6 with a port":           {peer: "[2001:db8::1]:5000", list: []string{"[2600::1]:4711"}, want: "2600::1"},
		"IPv4 in IPv6":               {peer: "[::ffff:10.1.2.3]:5000", list: []string{"::ffff:203.0.113.1"}, want: "203.0.113.1"},
		"a single address in IPv6":   {peer: "192.0.2.7:5000", list: []string{"203.0.113.1"}, want: "203.0.113.1"},
		"a zone":                     {peer: "[fe80::1%eth0]:5000", want: "fe80::1"},
		"no address":                 {peer: "@", list: []string{"203.0.113.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = c.list, c.proto
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			want := Client{TLS: c.over}
			if c.want != "" {
				want.Addr = netip.MustParseAddr(c.want)
			}
			if got := trusted.ClientOf(r); got != want {
				t.Errorf("client %v, want %v", got, want)
			}
			if none := Proxies(nil).ClientOf(r); none.TLS != c.tls {
				t.Errorf("with nobody trusted: %v", none)
			}
		})
	}
}

func TestParseProxiesRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "10.0.0.0/33", "localhost", "10.0.0.0-10.0.0.9", "10.0.0.1:80"} {
		if got, err := ParseProxies([]string{s}); err == nil {
			t.Errorf("ParseProxies(%q) = %v", s, got)
		}
	}
}

func TestTheLogLineNamesTheClient(t *testing.T) {
	t.Parallel()
	trusted, err := ParseProxies([]string{"192.0.2.0/24"}) // httptest's peer
	if err != nil {
		t.Fatal(err)
	}
	var seen Client
	_, logged := ask(t, http.MethodGet, "/", func(mux *http.ServeMux) {
		mux.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("X-Forwarded-For", "203.0.113.1")
			Clients(trusted)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = ClientOf(r.Context()) })).ServeHTTP(w, r)
		}))
	})
	if seen.Addr.String() != "203.0.113.1" || logged[0]["client"] != "203.0.113.1" {
		t.Errorf("client %v, logged %v", seen, logged[0]["client"])
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{"203.0.113.1": "203.0.113.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64"} {
		if got := (Client{Addr: netip.MustParseAddr(addr)}).Network(); got != want {
			t.Errorf("the network of %s is %s, want %s", addr, got, want)
		}
	}
}
