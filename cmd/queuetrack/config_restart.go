package main

import (
	"maps"
	"time"
)

// same is a setting, and whether it is as it was.
type same struct {
	key  string
	same bool
}

// restartFor names the settings of next that a process running with c has not, and can't take over: everything but
// secrets. The order of the sources means nothing.
func (c config) restartFor(next config) []string {
	keys := changed("", []same{
		{"database_url", c.DatabaseURL.Value == next.DatabaseURL.Value},
		{"data_dir", c.DataDir.Value == next.DataDir.Value},
		{"listen", c.Listen.Value == next.Listen.Value},
		{"log_format", c.LogFormat.Value == next.LogFormat.Value},
		{"admin_key_file", c.Access.AdminKeyFile.Value == next.Access.AdminKeyFile.Value},
		{"trusted_proxies", c.Access.TrustedProxies.Value == next.Access.TrustedProxies.Value},
		{"rate_limit", c.Access.RateLimit.Value == next.Access.RateLimit.Value},
	})
	for _, s := range c.Sources {
		if entry, err := next.source(s.Name); err == nil {
			keys = append(keys, s.restartFor(entry)...)
		} else {
			keys = append(keys, "sources["+s.Name+"] (removed)")
		}
	}
	for _, s := range next.Sources {
		if _, err := c.source(s.Name); err != nil {
			keys = append(keys, "sources["+s.Name+"] (added)")
		}
	}
	return keys
}

// restartFor is the same of one source.
func (s sourceConfig) restartFor(next sourceConfig) []string {
	return changed("sources["+s.Name+"].", []same{
		{"kind", s.Kind == next.Kind},
		{"public_url", s.PublicURL == next.PublicURL},
		{"header", s.Header == next.Header},
		{"timezone", zoneName(s.Zone) == zoneName(next.Zone)},
		{"replay_window", s.ReplayWindow == next.ReplayWindow},
		{"expire_after", s.ExpireAfter == next.ExpireAfter},
		{"silent_after", s.SilentAfter == next.SilentAfter},
		{"serving_tab", s.ServingTab == next.ServingTab},
		{"unassigned_owner", s.UnassignedOwner == next.UnassignedOwner},
		{"context", s.Context == next.Context},
		{"queues", maps.Equal(s.Queues, next.Queues)},
	})
}

func changed(prefix string, settings []same) []string {
	var keys []string
	for _, one := range settings {
		if !one.same {
			keys = append(keys, prefix+one.key)
		}
	}
	return keys
}

// zoneName tells a zone that was not configured from UTC that was.
func zoneName(z *time.Location) string {
	if z == nil {
		return ""
	}
	return z.String()
}
