package dbtest

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Main runs a package's tests on one server, stops it, and fails the run if goroutines are left. It does not return:
//
//	func TestMain(m *testing.M) { dbtest.Main(m) }
//
// The options say which goroutines are none of the package's fault.
func Main(m *testing.M, options ...goleak.Option) {
	os.Exit(run(m.Run, options...))
}

func run(tests func() int, options ...goleak.Option) int {
	shared.keep()
	code := tests()
	if err := shared.stop(); err != nil {
		fmt.Fprintf(os.Stderr, "stop the test server: %v\n", err)
		code = max(code, 1)
	}
	if code != 0 {
		return code // a failed test may well leave something behind
	}
	if os.Getenv(serverVar) == "" { // then Docker was asked
		options = append(options, dockerGoroutines()...)
	}
	if err := goleak.Find(options...); err != nil {
		fmt.Fprintf(os.Stderr, "the tests left goroutines behind: %v\n", err)
		return 1
	}
	return 0
}
