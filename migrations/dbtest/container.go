package dbtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
	"github.com/testcontainers/testcontainers-go/wait"
	"go.uber.org/goleak"
)

const (
	image     = "postgres:17-alpine"
	reaperVar = "TESTCONTAINERS_RYUK_DISABLED"
	// dockerPatience is how long a daemon may take to answer at all.
	dockerPatience = 5 * time.Second
	// containerPatience bounds pulling the image and starting the server.
	containerPatience = 3 * time.Minute
	// connectPatience bounds one try to connect, where nothing may be answering.
	connectPatience = 2 * time.Second
	// containerPoll is how often a container that should answer, or be gone, is looked for.
	containerPoll = 50 * time.Millisecond
)

// lifeline runs the server for as long as somebody holds the container's standard input. This process does, from
// before the start; so however it ends, the container ends too, and removes itself. No reaper is needed.
const lifeline = `docker-entrypoint.sh postgres "$@" & cat >/dev/null`

// dockerGoroutines are of the Docker library's idle connections, which it gives no way to close for certain.
func dockerGoroutines() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	}
}

// startContainer starts a server in a container, if a Docker daemon answers.
func startContainer(ctx context.Context) (*server, error) {
	log.SetDefault(log.NewNoopLogger())
	if err := withoutReaper(); err != nil {
		return nil, err
	}
	docker, err := answeringDocker(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, containerPatience)
	defer cancel()
	var line client.ContainerAttachResult
	pg, err := postgres.Run(ctx, image,
		postgres.WithPassword(rand.Text()), // the port is published on every address
		testcontainers.WithEntrypoint("sh", "-c", lifeline, "postgres"),
		testcontainers.WithCmd(serverArguments()...),
		testcontainers.WithConfigModifier(func(c *container.Config) { c.OpenStdin, c.StdinOnce = true, true }),
		testcontainers.WithHostConfigModifier(func(c *container.HostConfig) { c.AutoRemove = true }),
		testcontainers.WithAdditionalLifecycleHooks(testcontainers.ContainerLifecycleHooks{
			PreStarts: []testcontainers.ContainerHook{func(ctx context.Context, c testcontainers.Container) (err error) {
				line, err = docker.ContainerAttach(ctx, c.GetContainerID(), client.ContainerAttachOptions{Stream: true, Stdin: true})
				return err
			}},
		}),
		// Twice: once while it initializes itself.
		testcontainers.WithWaitStrategy(wait.ForLog("database system is ready to accept connections").WithOccurrence(2)),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", image, err), testcontainers.TerminateContainer(pg))
	}
	address, err := reachableURL(ctx, pg)
	if err != nil {
		return nil, errors.Join(err, testcontainers.TerminateContainer(pg))
	}
	return &server{url: address, stop: func(ctx context.Context) error {
		line.Close()
		return errors.Join(waitGone(ctx, docker, pg.GetContainerID()), docker.Close())
	}}, nil
}

// reachableURL waits until the published port takes connections: at the address that the library names, or at
// loopback, since inside of a container the library names the gateway, even where the port is next door.
func reachableURL(ctx context.Context, pg *postgres.PostgresContainer) (string, error) {
	named, err := pg.ConnectionString(ctx, "sslmode=disable")
	if err != nil {
		return "", err
	}
	loopback, err := url.Parse(named)
	if err != nil {
		return "", err
	}
	loopback.Host = net.JoinHostPort("127.0.0.1", loopback.Port())
	for {
		for _, candidate := range []string{named, loopback.String()} {
			if answersAt(ctx, candidate) {
				return candidate, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("connect to the container: %w", ctx.Err())
		case <-time.After(containerPoll):
		}
	}
}

func answersAt(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

// withoutReaper spares pulling and running the library's reaper, unless the environment has an opinion.
func withoutReaper() error {
	if _, ok := os.LookupEnv(reaperVar); ok {
		return nil
	}
	return os.Setenv(reaperVar, "true")
}

func answeringDocker(ctx context.Context) (*testcontainers.DockerClient, error) {
	ctx, cancel := context.WithTimeout(ctx, dockerPatience)
	defer cancel()
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := docker.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, errors.Join(err, docker.Close())
	}
	return docker, nil
}

func serverArguments() []string {
	args := []string{"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"}
	for name, value := range serverSettings {
		args = append(args, "-c", name+"="+value)
	}
	return args
}

// waitGone waits until the container has removed itself, so that a run ends with nothing left.
func waitGone(ctx context.Context, docker *testcontainers.DockerClient, id string) error {
	for {
		_, err := docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("wait for the container's end: %w", err)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the container's end: %w", ctx.Err())
		case <-time.After(containerPoll):
		}
	}
}
