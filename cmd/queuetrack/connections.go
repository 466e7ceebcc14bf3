package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many clients are connected: each holds memory and a file, whether it asks for anything or
// not. Beyond the bound, the one that has been silent for longest is hung up on: a client whose connection was closed
// between two requests connects anew. With all of them in the middle of a request, the newest one is.
type connections struct {
	most int

	mu     sync.Mutex
	open   map[net.Conn]*list.Element // of silent; nil: in the middle of a request
	silent list.List                  // of net.Conn, the longest silent first
}

// changed is http.Server.ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.open[conn]; e != nil {
		c.silent.Remove(e)
	}
	switch state {
	case http.StateNew:
		if c.open == nil {
			c.open = map[net.Conn]*list.Element{}
		}
		c.open[conn] = c.silent.PushBack(conn)
		c.shed()
	case http.StateIdle:
		if _, ours := c.open[conn]; ours {
			c.open[conn] = c.silent.PushBack(conn)
		}
	case http.StateActive:
		if _, ours := c.open[conn]; ours {
			c.open[conn] = nil
		}
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	}
}

// shed hangs up on the longest silent one of too many. The newest is silent, so there is one.
func (c *connections) shed() {
	if len(c.open) <= c.most {
		return
	}
	conn := c.silent.Remove(c.silent.Front()).(net.Conn) // nothing else is in it
	delete(c.open, conn)
	_ = conn.Close() // the server finds it closed, and forgets it
}
