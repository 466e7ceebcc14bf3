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

// see loads a page. Those who ask for the same public one at a time share one look, which goes by nothing of any of them:
// nobody needs a key for it, so a crowd must not cost more than one of them does.
func (d *Dashboard) see(ctx context.Context, p page, in input) (view, error) {
	ask := &rest{handler: d.cfg.REST, now: d.cfg.Now}
	if !p.public {
		return p.load(ctx, in, ask)
	}
	in = in.only(p.query)
	seen, err, _ := d.looks.Do(in.key(p.pattern), func() (any, error) {
		look, cancel := context.WithTimeout(d.life, lookTimeout)
		defer cancel()
		return p.load(look, in, ask)
	})
	v, _ := seen.(view)
	return v, err
}
