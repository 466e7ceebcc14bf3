package main

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"queuetrack/eventstore/source"
)

// kind is a vendor, as the configuration calls it.
type kind string

// The kinds that have settings of their own.
const (
	kindQminder     kind = "qminder"
	kindOmbori      kind = "ombori"
	kindSuperOffice kind = "superoffice"
)

// The defaults of a source.
const (
	defaultReplayWindow    = 24 * time.Hour
	defaultExpireAfter     = 24 * time.Hour // 0 for SuperOffice: its requests may rest for weeks
	defaultUnassignedOwner = 1              // SuperOffice's system user
)

const maxPublicURL = 512 // Qminder accepts no longer one

// sourceConfig is one checked entry of `sources`.
type sourceConfig struct {
	source.Config
	Kind         kind
	Line         int // in the file; 0: not from a file
	Location     *time.Location
	ReplayWindow time.Duration
	ExpireAfter  time.Duration // 0: never
	SilentAfter  time.Duration // 0: not watched
	Queues       map[string]queueConfig
}

// queueConfig names a queue.
type queueConfig struct {
	Name     string `yaml:"name,omitempty"`
	Location string `yaml:"location,omitempty"`
}

// fileSource is an entry on the wire. A nil pointer is an absent key.
type fileSource struct {
	Name            string                 `yaml:"name"`
	Kind            string                 `yaml:"kind"`
	PublicURL       *string                `yaml:"public_url"`
	Header          *string                `yaml:"header"`
	Secrets         []ast.Node             `yaml:"secrets"`
	Timezone        *string                `yaml:"timezone"`
	ReplayWindow    *string                `yaml:"replay_window"`
	ExpireAfter     *string                `yaml:"expire_after"`
	SilentAfter     *string                `yaml:"silent_after"`
	ServingTab      *bool                  `yaml:"serving_tab"`
	UnassignedOwner *int64                 `yaml:"unassigned_owner"`
	Context         *string                `yaml:"context"`
	Queues          map[string]queueConfig `yaml:"queues"`
}

// sources checks every entry, and that their names differ.
func (r *fileReader) sources(nodes []ast.Node) []sourceConfig {
	var list []sourceConfig
	lines := map[string]string{}
	for _, node := range nodes {
		if _, ok := node.(*ast.MappingNode); !ok {
			r.add(node, "a source is a mapping: name, kind, secrets …")
			continue
		}
		s := r.source(node)
		at := find(node, "name")
		if before, ok := lines[s.Name]; ok && s.Name != "" {
			r.add(at, "duplicate name %q, already at %s; each source needs its own", s.Name, before)
		}
		lines[s.Name] = r.where(at)
		list = append(list, s)
	}
	return list
}

var sourceName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func (r *fileReader) source(node ast.Node) sourceConfig {
	var file fileSource
	r.decode(node, &file)
	s := sourceConfig{Kind: kind(file.Kind), Line: position(node).line, Queues: file.Queues}
	s.Name = file.Name
	if !sourceName.MatchString(s.Name) {
		r.add(find(node, "name"), "source name %q: 1 to 40 of a-z, 0-9 and '-'; its webhook's address is /webhooks/NAME", s.Name)
	}
	r.checkKind(node, s.Kind, file)
	s.PublicURL = r.publicURL(node, s.Kind, file.PublicURL)
	s.Header = r.header(node, s.Kind, file.Header)
	s.Secrets = r.secrets(node, s.Kind, file.Secrets)
	s.Zone = r.zone(node, file.Timezone)
	s.Location = time.UTC
	if s.Zone != nil {
		s.Location = s.Zone
	}
	expire := defaultExpireAfter
	if s.Kind == kindSuperOffice {
		expire = 0
	}
	s.ReplayWindow = r.duration(node, "replay_window", file.ReplayWindow, defaultReplayWindow)
	if file.ReplayWindow != nil && s.ReplayWindow == 0 {
		r.add(find(node, "replay_window"), "replay_window must be more than 0, as 24h")
	}
	s.ExpireAfter = r.duration(node, "expire_after", file.ExpireAfter, expire)
	s.SilentAfter = r.duration(node, "silent_after", file.SilentAfter, 0)
	s.ServingTab = or(file.ServingTab, true)
	s.UnassignedOwner = or(file.UnassignedOwner, defaultUnassignedOwner)
	s.Context = or(file.Context, "")
	return s
}

// checkKind refuses settings that the kind does not have: they would do nothing, against what their author believes.
func (r *fileReader) checkKind(node ast.Node, k kind, file fileSource) {
	if known := vendors(); known[k] == nil {
		r.add(find(node, "kind"), "kind %q: one of %v", k, slices.Sorted(maps.Keys(known)))
		return
	}
	for _, only := range []struct {
		key   string
		kind  kind
		given bool
	}{
		{"header", kindOmbori, file.Header != nil},
		{"serving_tab", kindOmbori, file.ServingTab != nil},
		{"unassigned_owner", kindSuperOffice, file.UnassignedOwner != nil},
		{"context", kindSuperOffice, file.Context != nil},
	} {
		if only.given && k != only.kind {
			r.add(find(node, only.key), "%s is a setting of kind %s, this source is %s; take it out", only.key, only.kind, k)
		}
	}
}

func (r *fileReader) publicURL(node ast.Node, k kind, given *string) string {
	if given == nil {
		if k == kindQminder {
			r.add(node, "public_url is missing: Qminder signs it, so write the webhook's URL exactly as registered there")
		}
		return ""
	}
	u, err := url.Parse(*given)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		r.add(find(node, "public_url"), "public_url must be absolute, http:// or https://, exactly as registered at the vendor")
	case len(*given) > maxPublicURL:
		r.add(find(node, "public_url"), "public_url has %d characters; at most %d", len(*given), maxPublicURL)
	}
	return *given
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// reservedHeaders are set by every HTTP client, or change how the body is read: none can carry a secret.
var reservedHeaders = []string{"host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection"}

func (r *fileReader) header(node ast.Node, k kind, given *string) string {
	if k != kindOmbori {
		return ""
	}
	if given == nil {
		r.add(node, "header is missing: the name of the static header that Ombori is configured to send, as Authorization")
		return ""
	}
	if !headerName.MatchString(*given) || slices.Contains(reservedHeaders, strings.ToLower(*given)) {
		r.add(find(node, "header"), "header %q can't carry a secret; use Authorization or one of your own", *given)
	}
	return *given
}

// zone returns nil when none is configured.
func (r *fileReader) zone(node ast.Node, given *string) *time.Location {
	if given == nil {
		return nil
	}
	zone, err := time.LoadLocation(*given)
	if err != nil || *given == "" || *given == "Local" {
		r.add(find(node, "timezone"), "unknown zone %q; use an IANA name, as Europe/Tallinn", *given)
		return nil
	}
	return zone
}

func (r *fileReader) duration(node ast.Node, key string, given *string, otherwise time.Duration) time.Duration {
	if given == nil {
		return otherwise
	}
	d, err := time.ParseDuration(*given)
	if err != nil || d < 0 {
		r.add(find(node, key), "%s %q is no duration; write it as 30m or 24h", key, *given)
		return otherwise
	}
	return d
}

func or[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}
