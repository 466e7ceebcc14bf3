package main

import (
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
func (c config) openSources() (map[string]source.Source, error) {
	opened := make(map[string]source.Source, len(c.Sources))
	for _, s := range c.Sources {
		one, err := s.open()
		if err != nil {
			return nil, err
		}
		opened[s.Name] = one
	}
	return opened, nil
}
