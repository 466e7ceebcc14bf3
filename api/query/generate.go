package query

// The examples first, by a real server's answers; then the document, which shows them.
//
//go:generate go test queuetrack/cmd/queuetrack -run ^TestExamples$ -update
//go:generate go test . -run ^TestOpenAPIFile$ -update
