package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/jackc/pgx/v5/pgxpool"
)

// mistake is something in the settings that a person has to mend, and where.
type mistake struct {
	Where string // "queuetrack.yaml:3:5", or the name of a flag or variable
	Line  int    // 0: not in a file
	What  string // what is wrong and what to do; never a secret
}

// mistakes are all that were found in one go, in the order of the file.
type mistakes []mistake

func (m mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.Where + ": " + one.What
	}
	return "the configuration has mistakes:\n" + strings.Join(lines, "\n")
}

// fileConfig is the file's top level on the wire. A source is decoded for itself, so that each can report its mistakes.
type fileConfig struct {
	DatabaseURL    string     `yaml:"database_url"`
	DataDir        string     `yaml:"data_dir"`
	Listen         string     `yaml:"listen"`
	LogFormat      string     `yaml:"log_format"`
	AdminKeyFile   string     `yaml:"admin_key_file"`
	TrustedProxies []string   `yaml:"trusted_proxies"`
	RateLimit      string     `yaml:"rate_limit"`
	Sources        []ast.Node `yaml:"sources"`
}

// fileReader collects the mistakes of one file.
type fileReader struct {
	path  string
	vars  map[string]string // the environment, for env: secrets
	found mistakes
}

// readFile takes the file's settings into c and returns its mistakes.
func (c *config) readFile(path string, vars map[string]string) mistakes {
	r := &fileReader{path: path, vars: vars}
	if body := r.parse(); body != nil {
		var file fileConfig
		r.decode(body, &file)
		for _, s := range []struct {
			to         *setting
			key, value string
		}{
			{&c.DatabaseURL, "database_url", file.DatabaseURL},
			{&c.DataDir, "data_dir", file.DataDir},
			{&c.Listen, "listen", file.Listen},
			{&c.LogFormat, "log_format", file.LogFormat},
			{&c.Access.AdminKeyFile, "admin_key_file", r.besideIf(file.AdminKeyFile)},
			{&c.Access.TrustedProxies, "trusted_proxies", strings.Join(file.TrustedProxies, ",")},
			{&c.Access.RateLimit, "rate_limit", file.RateLimit},
		} {
			c.override(s.to, s.value, r.where(find(body, s.key)))
		}
		c.Sources = r.sources(file.Sources)
	}
	slices.SortStableFunc(r.found, func(a, b mistake) int { return a.Line - b.Line })
	return r.found
}

// parse returns the file's one document; nil when there is none, or nothing in it.
func (r *fileReader) parse() ast.Node {
	text, err := os.ReadFile(r.path)
	if err != nil {
		// The error names the path already.
		r.found = append(r.found, mistake{Where: r.path, What: fmt.Sprintf("can't be read: %v", errors.Unwrap(err))})
		return nil
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		r.yamlMistake(nil, err)
		return nil
	}
	if len(file.Docs) > 1 {
		r.add(file.Docs[1].Body, "a second YAML document; put everything into one")
	}
	if len(file.Docs) == 0 {
		return nil
	}
	return file.Docs[0].Body
}

// decode reads a node strictly. After a mistake it reads it once more, leniently: so that the rest is checked too.
func (r *fileReader) decode(node ast.Node, into any) {
	if err := yaml.NodeToValue(node, into, yaml.Strict()); err != nil {
		r.yamlMistake(node, err)
		_ = yaml.NodeToValue(node, into) // the mistake is known
	}
}

// yamlMistake reports the library's complaint without the excerpt that it would print: that may hold a secret.
func (r *fileReader) yamlMistake(node ast.Node, err error) {
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		r.add(node, "%v", err)
		return
	}
	at := located.GetToken().Position
	r.found = append(r.found, mistake{
		Where: fmt.Sprintf("%s:%d:%d", r.path, at.Line, at.Column), Line: at.Line, What: located.GetMessage(),
	})
}

// add reports a mistake at a node.
func (r *fileReader) add(node ast.Node, format string, args ...any) {
	line := 0
	if node != nil {
		line = position(node).line
	}
	r.found = append(r.found, mistake{Where: r.where(node), Line: line, What: fmt.Sprintf(format, args...)})
}

// where names a node's place as compilers do.
func (r *fileReader) where(node ast.Node) string {
	if node == nil {
		return r.path
	}
	p := position(node)
	return fmt.Sprintf("%s:%d:%d", r.path, p.line, p.column)
}

type place struct{ line, column int }

// position is where a node begins: for a mapping, its first key and not the colon behind that.
func position(node ast.Node) place {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		node = m.Values[0].Key
	}
	if v, ok := node.(*ast.MappingValueNode); ok {
		node = v.Key
	}
	at := node.GetToken().Position
	return place{at.Line, at.Column}
}

// find returns the value of a key in a mapping; the mapping itself when the key is absent.
func find(node ast.Node, key string) ast.Node {
	m, ok := node.(*ast.MappingNode)
	if !ok {
		return node
	}
	for _, v := range m.Values {
		if v.Key.GetToken().Value == key {
			return v.Value
		}
	}
	return node
}

// checkScalars checks what may also come from the environment or a flag; a mistake in a flag is wrong usage.
func (c *config) checkScalars() (found mistakes, usage error) {
	refuse := func(s setting, what string) {
		if strings.HasPrefix(s.Origin, "flag ") {
			usage = usageError{errors.New(what)}
		}
		found = append(found, mistake{Where: s.Origin, What: what})
	}
	if _, port, err := net.SplitHostPort(c.Listen.Value); err != nil || port == "" {
		refuse(c.Listen, fmt.Sprintf("listen address %q: write host:port, as %s", c.Listen.Value, defaultListen))
	}
	if f := c.LogFormat.Value; f != logText && f != logJSON {
		refuse(c.LogFormat, fmt.Sprintf("log format %q: text or json", f))
	}
	c.Access.check(refuse)
	if u := c.DatabaseURL; u.Value != "" {
		if _, err := pgxpool.ParseConfig(u.Value); err != nil {
			refuse(u, errDatabaseURL.Error()) // not the cause: it may show the password
		}
	}
	return found, usage
}
