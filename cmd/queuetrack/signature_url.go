package main

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// maxHosts bounds the hosts that a capture can make us try.
const maxHosts = 8

// urlVariants are the ways in which the webhook's URL may have been registered, the configured one first: both schemes;
// the hosts that the configuration and the capture name, in either case; with their ports, the default ones written out,
// and none; their paths with and without a slash at the end, with and without a query. What a request says of itself
// only makes a candidate: the signature decides.
func urlVariants(configured string, from captured) []string {
	list := []string{configured}
	u, err := url.Parse(configured)
	if err != nil {
		return list
	}
	hosts, ports := hostsAndPorts(u, from)
	seen := map[string]bool{configured: true}
	for _, host := range hosts {
		for _, path := range paths(u, from) {
			for _, query := range distinct("", mark("?", u.RawQuery), mark("?", from.target.RawQuery)) {
				for _, port := range ports {
					for _, scheme := range []string{"https", "http"} {
						v := scheme + "://" + host + mark(":", port) + path + query
						if !seen[v] && len(v) <= maxPublicURL {
							seen[v] = true
							list = append(list, v)
						}
					}
				}
			}
		}
	}
	return list
}

var portNumber = regexp.MustCompile(`^[0-9]{1,5}$`)

// hostsAndPorts are those of the configured URL and of the capture, each for itself: a proxy may tell the one and not
// the other.
func hostsAndPorts(configured *url.URL, from captured) (hosts, ports []string) {
	given := []string{configured.Host, from.target.Host}
	for _, name := range []string{"X-Forwarded-Host", "Host"} {
		for _, value := range from.header.Values(name) {
			for one := range strings.SplitSeq(value, ",") {
				given = append(given, strings.TrimSpace(one))
			}
		}
	}
	ports = []string{"", "443", "80"}
	for _, host := range distinct(given...) {
		at, err := url.Parse("//" + host)
		if err != nil || at.Hostname() == "" || at.Host != host {
			continue
		}
		ports = append(ports, at.Port())
		name := strings.TrimSuffix(host, mark(":", at.Port()))
		hosts = append(hosts, name, strings.ToLower(name), strings.ToUpper(name))
		if len(hosts) >= 3*maxHosts {
			break
		}
	}
	if p := strings.TrimSpace(from.header.Get("X-Forwarded-Port")); portNumber.MatchString(p) {
		ports = append(ports, p)
	}
	return distinct(hosts...), distinct(ports...)
}

func paths(configured *url.URL, from captured) []string {
	var list []string
	received := from.target.EscapedPath()
	prefix := strings.TrimSuffix(from.header.Get("X-Forwarded-Prefix"), "/")
	for _, p := range []string{configured.EscapedPath(), received, prefix + received} {
		bare := strings.TrimSuffix(p, "/")
		list = append(list, p, bare, bare+"/")
	}
	return distinct(list...)
}

// mark is the text behind its mark, or nothing when there is no text.
func mark(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// distinct keeps each text's first.
func distinct(texts ...string) []string {
	var list []string
	for _, t := range texts {
		if !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}
