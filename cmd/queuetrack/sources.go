package main

import (
	"net/http"
	"sync/atomic"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/eventstore/source/superoffice"
)

// vendors are the systems that can be a source. A new one is its folder and its line here.
func vendors() map[kind]func(source.Config) (source.Source, error) {
	return map[kind]func(source.Config) (source.Source, error){
		kindQminder:     qminder.New,
		kindOmbori:      ombori.New,
		kindSuperOffice: superoffice.New,
	}
}

// open makes the source that the entry describes.
func (s sourceConfig) open() (source.Source, error) { return vendors()[s.Kind](s.Config) }

// openSources makes all of them, by name.
func (c config) openSources() (liveSources, error) {
	opened := make(liveSources, len(c.Sources))
	for _, s := range c.Sources {
		one, err := s.openWith(s.Secrets)
		if err != nil {
			return nil, err
		}
		live := &liveSource{Source: one.Source}
		live.signed.Store(one)
		opened[s.Name] = live
	}
	return opened, nil
}

// liveSources are the sources of a process, by name.
type liveSources map[string]*liveSource

// sources are what the door and the projectors are given.
func (l liveSources) sources() map[string]source.Source {
	all := make(map[string]source.Source, len(l))
	for name, one := range l {
		all[name] = one
	}
	return all
}

// liveSource is a source whose secrets may be replaced at any time. What names and decodes a delivery stays the adapter
// that the process started with: only who may sign changes. So a delivery is judged by one set of secrets, the one that
// its Verify found, and nothing that comes after Verify can disagree with it. Safe for concurrent use.
type liveSource struct {
	source.Source // as started
	signed        atomic.Pointer[withSecrets]
}

// withSecrets is an adapter, and the names of the secrets that it was opened with.
type withSecrets struct {
	source.Source
	names []string
}

// openWith makes the source that the entry describes, with these secrets instead of its own.
func (s sourceConfig) openWith(secrets []source.Secret) (*withSecrets, error) {
	s.Secrets = secrets
	opened, err := s.open()
	if err != nil {
		return nil, err
	}
	return &withSecrets{opened, s.secretNames()}, nil
}

// Verify implements [source.Source] by the secrets that are live when it is called.
func (l *liveSource) Verify(h http.Header, body []byte) (string, error) {
	return l.signed.Load().Verify(h, body)
}

// Sign implements [source.Source] by the first secret that is live when it is called.
func (l *liveSource) Sign(body []byte) http.Header { return l.signed.Load().Sign(body) }
