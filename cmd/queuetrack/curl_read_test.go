package main

import "testing"

// The test of the tests: a command that a shell would break, or that asks for what there is not, is refused.
func TestCommandsAreReadAsAShellReadsThem(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`curl -s http://127.0.0.1:8080/v1/queues`:                                   "GET http://127.0.0.1:8080/v1/queues",
		`curl -s 'http://127.0.0.1:8080/v1/queues?source=city&location=x' > q.json`: "GET http://127.0.0.1:8080/v1/queues?source=city&location=x",
		"curl -s -X POST \\\n  http://127.0.0.1:8080/v1/projections/rebuild":        "POST http://127.0.0.1:8080/v1/projections/rebuild",
		`curl -s http://127.0.0.1:8080/v1/queues?source=city&location=x`:            "",
		`curl -s 'http://127.0.0.1:8080/v1/queues`:                                  "",
		`curl -s --retry 3 http://127.0.0.1:8080/v1/queues`:                         "",
		`wget http://127.0.0.1:8080/v1/queues`:                                      "",
		`curl -s http://127.0.0.1:8080/v1/projections/rebuild -d '{"action":"x"}'`:  "POST http://127.0.0.1:8080/v1/projections/rebuild",
	} {
		c, err := parseCurl(line)
		if got := c.method + " " + c.url; want == "" && err == nil || want != "" && (err != nil || got != want) {
			t.Errorf("%s is read as %q, %v", line, got, err)
		}
	}
}

func TestUnknownRequestsAreSeen(t *testing.T) {
	t.Parallel()
	s := &story{t: t, page: 500}
	s.open(examplesConfig)
	doc := servedDocument(t, s)
	for line, known := range map[string]bool{
		`curl -s 'http://127.0.0.1:8080/v1/queues?source=city'`:           true,
		`curl -s http://127.0.0.1:8080/v1/tickets/city/1001/history`:      true,
		`curl -s 'http://127.0.0.1:8080/v1/queues?queue=1'`:               false,
		`curl -s http://127.0.0.1:8080/v1/queue`:                          false,
		`curl -s -X POST http://127.0.0.1:8080/v1/queues`:                 false,
		`curl -s http://127.0.0.1:8080/v1/tickets/city/1001/history/more`: false,
	} {
		c, err := parseCurl(line)
		s.must(err)
		if err := doc.asks(c); (err == nil) != known {
			t.Errorf("%s: %v", line, err)
		}
	}
}
