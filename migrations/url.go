package migrations

import (
	"errors"
	"net/url"
	"strings"
)

// WithDatabase returns the server's connection string, a URL or key=value words, with another database. Its error
// doesn't hold the string: that may hold a password.
func WithDatabase(server, name string) (string, error) {
	if !strings.Contains(server, "://") {
		return server + " dbname=" + name, nil // the last one counts
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", errors.New("the database's URL can't be read")
	}
	query := u.Query()
	query.Del("dbname")
	u.Path, u.RawQuery = "/"+name, query.Encode()
	return u.String(), nil
}
