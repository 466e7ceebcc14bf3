package dashboard

import (
	"context"
	"net/url"
)

// key is the same for all who ask for the same page, however they write its address.
func (in input) key(pattern string) string {
	parts := url.Values{}
	for name, value := range in.path {
		parts.Set(name, value)
	}
	return pattern + "?" + parts.Encode() + "?" + in.query.Encode()
}

// see loads a page for whoever asks. A public one is shared: nobody needs a key for it, so a crowd must not cost more than
// one of them does.
func (d *Dashboard) see(ctx context.Context, p page, in input) (view, error) {
	if p.public {
		return d.seeShared(p, in.only(p.query))
	}
	return p.load(ctx, in, d.asker())
}

// seeShared loads a page once for all who ask for it at a time, by nothing of any of them.
func (d *Dashboard) seeShared(p page, in input) (view, error) {
	seen, err, _ := d.looks.Do(in.key(p.pattern), func() (any, error) {
		look, cancel := context.WithTimeout(d.life, lookTimeout)
		defer cancel()
		return p.load(look, in, d.asker())
	})
	v, _ := seen.(view)
	return v, err
}

// asker asks the API and keeps no answers.
func (d *Dashboard) asker() *rest { return &rest{handler: d.cfg.REST, now: d.cfg.Now} }
