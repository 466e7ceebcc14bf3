package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"queuetrack/eventstore/source"
)

// secretNames are what may be printed of the secrets.
func (s sourceConfig) secretNames() []string {
	names := make([]string, len(s.Secrets))
	for i, secret := range s.Secrets {
		names[i] = secret.Name
	}
	return names
}

// secrets reads every secret of a source. It fails closed: a source without a usable secret is a mistake.
func (r *fileReader) secrets(node ast.Node, k kind, nodes []ast.Node) []source.Secret {
	if len(nodes) == 0 {
		r.add(find(node, "secrets"), "no secret: without one anybody could write to the log; add secrets: [env:NAME] (or file:PATH)")
		return nil
	}
	var list []source.Secret
	for i, n := range nodes {
		text, ok := n.(*ast.StringNode)
		if !ok {
			r.add(n, "a secret is a text: put it in quotes")
			continue
		}
		secret, err := r.secret(text.Value, i+1)
		if err == nil {
			err = checkSecret(secret, k)
		}
		if err != nil {
			r.add(n, "%v", err)
			continue
		}
		list = append(list, secret)
	}
	return list
}

// secret reads what the text refers to. nth counts from 1 and names a literal.
func (r *fileReader) secret(text string, nth int) (source.Secret, error) {
	if name, ok := strings.CutPrefix(text, "env:"); ok {
		value, ok := r.vars[name]
		if !ok {
			return source.Secret{}, fmt.Errorf("secret %s: the environment has no %s; set it before the start", text, name)
		}
		return source.Secret{Name: text, Value: []byte(value)}, nil
	}
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		value, err := os.ReadFile(r.beside(path))
		if err != nil {
			return source.Secret{}, fmt.Errorf("secret %s: %w", text, err)
		}
		return source.Secret{Name: text, Value: []byte(trimNewline(string(value)))}, nil
	}
	return source.Secret{Name: fmt.Sprintf("literal-%d", nth), Value: []byte(text)}, nil
}

// beside makes a relative path relative to the configuration file, wherever the program was started.
func (r *fileReader) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(r.path), path)
}

// besideIf is beside for a path that may be absent.
func (r *fileReader) besideIf(path string) string {
	if path == "" {
		return ""
	}
	return r.beside(path)
}

// trimNewline takes off the one line end that editors and `echo` add.
func trimNewline(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
}

func checkSecret(s source.Secret, k kind) error {
	value := string(s.Value)
	switch {
	case value == "":
		return fmt.Errorf("secret %s is empty", s.Name)
	case strings.TrimSpace(value) == "":
		return fmt.Errorf("secret %s is blank", s.Name)
	case len(strings.TrimSpace(value)) < source.MinSecret:
		return fmt.Errorf("secret %s is short: at least %d bytes", s.Name, source.MinSecret)
	case k == kindOmbori && (strings.TrimSpace(value) != value || strings.ContainsAny(value, "\r\n\x00")):
		return fmt.Errorf("secret %s can't arrive in a header: it begins or ends with white space, or holds a line end", s.Name)
	}
	return nil
}
