package dashboard

import (
	"fmt"
	"net/http"
	"sync"

	"queuetrack/api"
)

// places are for those who watch pages at a time. Safe for concurrent use.
type places struct {
	most, ofOne int // in all, and of one network

	mu    sync.Mutex
	taken int
	by    map[string]int // by network
}

func newPlaces(most, ofOne int) *places {
	return &places{most: most, ofOne: max(1, ofOne), by: map[string]int{}}
}

// take takes a place for who sent the request, and returns how to give it back.
func (p *places) take(r *http.Request) (leave func(), err error) {
	from := api.ClientOf(r.Context()).Network()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.most {
		return nil, full(fmt.Sprintf("%d live pages are open, which is the most.", p.most))
	}
	if p.by[from] >= p.ofOne {
		return nil, full(fmt.Sprintf("%d live pages are open from your network, which is the most.", p.ofOne))
	}
	p.taken++
	p.by[from]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.taken--
		if p.by[from]--; p.by[from] == 0 {
			delete(p.by, from)
		}
	}, nil
}

func full(what string) error {
	return api.NewProblem(api.KindBusy, what+" Load the page to see it as it is now.").With("Retry-After", "10")
}
