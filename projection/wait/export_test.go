package wait

// For tests: with a limit, and a number of items at a time, of their own.
var (
	RunUpTo  = run
	StreamBy = stream
)
