package main

import (
	"net"
	"net/http"
	"testing"
)

// TestTheLongestSilentConnectionGivesWay walks connections through their states.
func TestTheLongestSilentConnectionGivesWay(t *testing.T) {
	t.Parallel()
	c := &connections{most: 3}
	conns := make([]*closing, 6)
	for i := range conns {
		conns[i] = &closing{}
	}
	for _, step := range []struct {
		conn   int
		state  http.ConnState
		closed int // the connection that this closes; -1: none
	}{
		{0, http.StateNew, -1},
		{1, http.StateNew, -1},
		{2, http.StateNew, -1},
		{0, http.StateActive, -1},
		{0, http.StateIdle, -1}, // silent since just now
		{3, http.StateNew, 1},
		{1, http.StateActive, -1}, // it had a request on its way
		{1, http.StateIdle, -1},
		{1, http.StateClosed, -1},
		{2, http.StateActive, -1},
		{3, http.StateActive, -1},
		{4, http.StateNew, 0},
		{4, http.StateActive, -1},
		{5, http.StateNew, 5}, // all others are in the middle of a request
		{2, http.StateClosed, -1},
	} {
		c.changed(conns[step.conn], step.state)
		for i, conn := range conns {
			if conn.closed != (i == step.closed) {
				t.Errorf("%d %v: connection %d closed: %v", step.conn, step.state, i, conn.closed)
			}
			conn.closed = false
		}
	}
	if len(c.open) != 2 || c.silent.Len() != 0 {
		t.Errorf("%d open, %d silent, want 2 and 0", len(c.open), c.silent.Len())
	}
}

// closing is a connection that notes that it is closed.
type closing struct {
	net.Conn

	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}
