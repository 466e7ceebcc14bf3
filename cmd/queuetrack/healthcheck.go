package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

const healthcheckTimeout = 5 * time.Second

func newHealthcheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server on the configured address whether it is ready",
		Long: `Asks GET /readyz on the listen address (on loopback, when that means every address). Exit code 0 when the
server is ready, else 1: for a container's health check.`,
		Example: `  queuetrack healthcheck --listen 127.0.0.1:8080`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := a.merge() // the file's sources don't matter here, nor that their secrets are at hand
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), healthcheckTimeout)
			defer cancel()
			return a.healthcheck(ctx, "http://"+reachable(c.Listen.Value)+"/readyz")
		},
	}
}

func (a *app) healthcheck(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", whereIsServe(err, "--listen"))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s answers %s", url, resp.Status)
	}
	fmt.Fprintln(a.stdout, "ready")
	return nil
}

// whereIsServe says what to do when nothing listens at the address.
func whereIsServe(err error, flag string) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w; is serve running there? Name it with %s", err, flag)
	}
	return err
}

// reachable turns a listen address into one to call: what listens on every address answers on loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	// [::] as well: it takes in both families, and is how a listener on 0.0.0.0 calls itself.
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
