package main

import (
	"strconv"
	"strings"

	"queuetrack/api"
	"queuetrack/api/access"
)

// accessConfig is who may read, as far as it is configured. The keys are in the database.
type accessConfig struct {
	AuthNone       bool    // --auth=none
	AdminKeyFile   setting // empty: none
	TrustedProxies setting // separated by commas
	RateLimit      setting // requests a second of each key; 0: no limit
}

func defaultAccess() accessConfig {
	return accessConfig{
		AdminKeyFile: setting{"", "default: none"}, TrustedProxies: setting{"", "default: none"},
		RateLimit: setting{strconv.Itoa(access.DefaultRate), originDefault},
	}
}

// check refuses what can't be read.
func (c accessConfig) check(refuse func(setting, string)) {
	if _, err := c.proxies(); err != nil {
		refuse(c.TrustedProxies, err.Error())
	}
	if n, err := strconv.Atoi(c.RateLimit.Value); err != nil || n < 0 || n > 1e6 {
		refuse(c.RateLimit, "rate limit "+strconv.Quote(c.RateLimit.Value)+": requests a second of each key, as 50; 0 for no limit")
	}
}

// proxyList is the setting as a list, never nil.
func (c accessConfig) proxyList() []string {
	if c.TrustedProxies.Value == "" {
		return []string{}
	}
	return strings.Split(c.TrustedProxies.Value, ",")
}

func (c accessConfig) proxies() (api.Proxies, error) { return api.ParseProxies(c.proxyList()) }

func (c accessConfig) perSecond() int {
	n, _ := strconv.Atoi(c.RateLimit.Value) // checked when it was read
	return n
}

// guard is what the guard goes by.
func (c config) guard() access.Config {
	local, _ := api.Loopback(c.Listen.Value) // no address: nobody's, so everybody is asked for a key
	rate := c.Access.perSecond()
	if rate == 0 {
		rate = -1
	}
	return access.Config{Local: local, AuthNone: c.Access.AuthNone, Rate: rate}
}
