package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// shownBase is the address that documentation shows.
const shownBase = "http://127.0.0.1:8080"

// curl is a command as documentation shows it, read.
type curl struct {
	method string
	url    string // with shownBase
	header http.Header
	body   string
	grep   string // of "| grep ^PREFIX"
}

// parseCurl reads a command line. It knows the options that our documentation uses, and no other.
func parseCurl(line string) (c curl, err error) {
	words, err := shellWords(strings.ReplaceAll(line, "\\\n", " "))
	if err != nil || len(words) == 0 || words[0] != "curl" {
		return c, fmt.Errorf("%q is no curl command: %w", line, err)
	}
	c.header = http.Header{}
	next := func(i int) string {
		if i+1 < len(words) {
			return words[i+1]
		}
		return ""
	}
	for i := 1; i < len(words); i++ {
		switch w := words[i]; w {
		case "-s", "-i", "-N", "-sS", "-f":
		case "-X":
			c.method = next(i)
			i++
		case "-H":
			name, value, _ := strings.Cut(next(i), ": ")
			c.header.Add(name, value)
			i++
		case "-d":
			c.body = next(i)
			i++
		case ">", "-o":
			i++ // into a file
		case "|":
			if next(i) != "grep" {
				return c, fmt.Errorf("%q: unknown filter %s", line, next(i))
			}
			c.grep = strings.TrimPrefix(next(i+1), "^")
			i += 2
		default:
			if strings.HasPrefix(w, "-") || c.url != "" {
				return c, fmt.Errorf("%q: unknown word %s", line, w)
			}
			c.url = w
		}
	}
	return c.complete(), nil
}

// complete adds what curl adds.
func (c curl) complete() curl {
	if c.body != "" && c.header.Get("Content-Type") == "" {
		c.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	switch {
	case c.method != "":
	case c.body != "":
		c.method = http.MethodPost
	default:
		c.method = http.MethodGet
	}
	return c
}

// request is the command's request to a server.
func (c curl) request(ctx context.Context, base string) (*http.Request, error) {
	target := base + strings.TrimPrefix(c.url, shownBase)
	r, err := http.NewRequestWithContext(ctx, c.method, target, strings.NewReader(c.body))
	if err == nil {
		r.Header = c.header.Clone()
	}
	return r, err
}

// shellWords splits a line as a shell does, as far as quotes and pipes go. What an unquoted & would do to the
// address is an error here: a person's shell would do it.
func shellWords(line string) (words []string, err error) {
	var word strings.Builder
	began, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, began = r, true
		case r == ' ' || r == '\n' || r == '\t':
			if began {
				words = append(words, word.String())
			}
			word.Reset()
			began = false
		case strings.ContainsRune("&*;()`$#", r):
			return nil, fmt.Errorf("%c outside of quotes", r)
		default:
			began = true
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("an open %c", quote)
	}
	if began {
		words = append(words, word.String())
	}
	return words, nil
}
