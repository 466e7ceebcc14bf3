// Command queuetrack receives webhooks from queue and ticket systems, keeps them in an event log, folds them into
// ticket lifecycles, and answers over REST.
//
// This package only wires: one file per command, config.go for the settings, sources.go for the vendors. What a
// command does lives in the packages below.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones by name, also in a container that has no zone files
)

func main() {
	tuneMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on the defaults are back: a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes: what scripts may rely on.
const (
	exitDone  = 0
	exitNo    = 1 // the answer is no, or it could not be done
	exitUsage = 2 // the command line is wrong
)

// run is the whole program; tests call it. It returns the exit code when the command is done or ctx has ended.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{environ: environ, stdin: stdin, stdout: stdout, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	return a.exitCode(cmd, err)
}
