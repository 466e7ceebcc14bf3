package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/eventstore/source"
)

// sendTimeout bounds one delivery, its retries apart.
const sendTimeout = 30 * time.Second

// sender posts deliveries to one source as its vendor would.
type sender struct {
	client *http.Client
	source source.Source
	url    string // of the webhook
}

func newSend(a *app) *cobra.Command {
	var name, server string
	var count int
	var rate float64
	cmd := &cobra.Command{
		Use:   "send --source NAME FILE…",
		Short: "Sign deliveries as the vendor would, and post them",
		Long: `Signs each file's bytes with the source's first secret, as its vendor would, posts them in order and prints each
answer. FILE '-' is standard input. The body is sent byte for byte. Exit code 1 when an answer was not 200.

The source comes from the configuration, so that the signature is the one that the running server expects.`,
		Example: `  queuetrack send --config queuetrack.yaml --source city ticket_created.json ticket_called.json`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				return usageError{fmt.Errorf("nothing to send: name the FILE that holds a delivery's body, or '-' for standard input")}
			}
			if name == "" {
				return usageError{fmt.Errorf("--source is missing: name the configured source that the delivery is for")}
			}
			if count < 1 || rate < 0 {
				return usageError{fmt.Errorf("--count must be at least 1 and --rate not negative")}
			}
			c, err := a.loadConfig()
			if err != nil {
				return err
			}
			s, err := c.newSender(name, first(server, "http://"+reachable(c.Listen.Value)))
			if err != nil {
				return err
			}
			return a.sendFiles(cmd.Context(), s, files, count, rate)
		},
	}
	cmd.Flags().StringVar(&name, "source", "", "the `NAME` of the source in the configuration")
	cmd.Flags().StringVar(&server, "url", "", "the server's `URL` (default: the configured listen address)")
	cmd.Flags().IntVar(&count, "count", 1, "go through the files `N` times")
	cmd.Flags().Float64Var(&rate, "rate", 0, "at most `N` deliveries a second; 0: as fast as they are answered")
	return cmd
}

func (c config) newSender(name, server string) (*sender, error) {
	configured, err := c.source(name)
	if err != nil {
		return nil, err
	}
	opened, err := configured.open()
	if err != nil {
		return nil, err
	}
	return &sender{
		client: &http.Client{Timeout: sendTimeout},
		source: opened,
		url:    strings.TrimSuffix(server, "/") + "/webhooks/" + name,
	}, nil
}

func (a *app) sendFiles(ctx context.Context, s *sender, files []string, count int, rate float64) error {
	bodies, err := a.readBodies(files)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "posting to %s\n", s.url)
	var tick <-chan time.Time
	if rate > 0 {
		t := time.NewTicker(time.Duration(float64(time.Second) / rate))
		defer t.Stop()
		tick = t.C
	}
	refused := false
	for n := range count * len(files) {
		if tick != nil && n > 0 {
			select {
			case <-tick:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		i := n % len(files)
		status, answer, err := s.post(ctx, bodies[i])
		if err != nil {
			return fmt.Errorf("send %s: %w", files[i], err)
		}
		refused = refused || status != http.StatusOK
		fmt.Fprintf(a.stdout, "%s: %d %s\n", files[i], status, answer)
	}
	if refused {
		return errNo
	}
	return nil
}

// readBodies reads all files before the first is sent: a wrong name sends nothing.
func (a *app) readBodies(files []string) ([][]byte, error) {
	bodies := make([][]byte, len(files))
	for i, file := range files {
		var err error
		if file == "-" {
			bodies[i], err = io.ReadAll(a.stdin)
		} else {
			bodies[i], err = os.ReadFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("read what to send: %w", err)
		}
	}
	return bodies, nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// post signs one body, sends it, and returns the answer on one line.
func (s *sender) post(ctx context.Context, body []byte) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header = s.source.Sign(body).Clone()
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, "", whereIsServe(err, "--url")
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, strings.TrimSpace(string(text)), err
}
