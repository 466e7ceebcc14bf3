package main

import (
	"fmt"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/pflag"
	"go.opentelemetry.io/otel/trace"
)

// config is what a run goes by: defaults, overridden by the file, by the environment, by flags.
type config struct {
	File        string // empty: none
	DatabaseURL setting
	DataDir     setting
	Listen      setting
	LogFormat   setting
	Access      accessConfig
	Sources     []sourceConfig

	tracer trace.Tracer // nil: nobody asked for traces
}

// setting is one value and where it comes from.
type setting struct{ Value, Origin string }

// The defaults.
const (
	defaultListen    = "127.0.0.1:8080"
	defaultLogFormat = logText
)

// The log formats.
const (
	logText = "text"
	logJSON = "json"
)

const originDefault = "default"

// globalFlags are the flags of every command, and serve's flags that are settings. Empty: not given.
type globalFlags struct {
	config, databaseURL, dataDir, listen, logFormat string
	trustedProxies, rateLimit                       string // serve's only
}

func (f *globalFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.config, "config", "", "the configuration `FILE` (YAML); also QUEUETRACK_CONFIG")
	flags.StringVar(&f.databaseURL, "database-url", "", "the Postgres `URL`; none: a private Postgres; also DATABASE_URL")
	flags.StringVar(&f.dataDir, "data-dir", "", "the `FOLDER` of the private Postgres; also QUEUETRACK_DATA_DIR")
	flags.StringVar(&f.listen, "listen", "", "the `ADDRESS` to listen on (default "+defaultListen+"); also QUEUETRACK_LISTEN")
	flags.StringVar(&f.logFormat, "log-format", "", "`FORMAT` of the log, text or json (default text); also QUEUETRACK_LOG_FORMAT")
}

// environment is what is read from the environment. Each has one name; the database has its customary one, too.
type environment struct {
	Config            string `env:"QUEUETRACK_CONFIG"`
	DatabaseURL       string `env:"QUEUETRACK_DATABASE_URL"`
	CommonDatabaseURL string `env:"DATABASE_URL"`
	DataDir           string `env:"QUEUETRACK_DATA_DIR"`
	Listen            string `env:"QUEUETRACK_LISTEN"`
	LogFormat         string `env:"QUEUETRACK_LOG_FORMAT"`
	AdminKeyFile      string `env:"QUEUETRACK_ADMIN_KEY_FILE"`
	TrustedProxies    string `env:"QUEUETRACK_TRUSTED_PROXIES"`
	RateLimit         string `env:"QUEUETRACK_RATE_LIMIT"`
}

// loadConfig merges the settings and checks them. Its error is a mistakes where a person has something to mend.
func (a *app) loadConfig() (config, error) {
	c, inFile, err := a.merge()
	if err != nil {
		return config{}, err
	}
	if len(inFile) > 0 {
		return config{}, inFile
	}
	return c, nil
}

// merge returns the settings with the mistakes of the file apart, for commands that can do without its sources.
func (a *app) merge() (c config, inFile mistakes, err error) {
	vars := env.ToMap(a.environ)
	var e environment
	if err := env.ParseWithOptions(&e, env.Options{Environment: vars}); err != nil {
		return config{}, nil, fmt.Errorf("read the environment: %w", err)
	}
	c = config{Listen: setting{defaultListen, originDefault}, LogFormat: setting{defaultLogFormat, originDefault}, Access: defaultAccess()}
	c.File = first(a.flags.config, e.Config)
	if c.File != "" {
		inFile = c.readFile(c.File, vars)
	}
	c.override(&c.DatabaseURL, e.CommonDatabaseURL, "environment DATABASE_URL")
	c.override(&c.DatabaseURL, e.DatabaseURL, "environment QUEUETRACK_DATABASE_URL")
	c.override(&c.DataDir, e.DataDir, "environment QUEUETRACK_DATA_DIR")
	c.override(&c.Listen, e.Listen, "environment QUEUETRACK_LISTEN")
	c.override(&c.LogFormat, e.LogFormat, "environment QUEUETRACK_LOG_FORMAT")
	c.override(&c.Access.AdminKeyFile, e.AdminKeyFile, "environment QUEUETRACK_ADMIN_KEY_FILE")
	c.override(&c.Access.TrustedProxies, e.TrustedProxies, "environment QUEUETRACK_TRUSTED_PROXIES")
	c.override(&c.Access.RateLimit, e.RateLimit, "environment QUEUETRACK_RATE_LIMIT")
	c.override(&c.DatabaseURL, a.flags.databaseURL, "flag --database-url")
	c.override(&c.DataDir, a.flags.dataDir, "flag --data-dir")
	c.override(&c.Listen, a.flags.listen, "flag --listen")
	c.override(&c.LogFormat, a.flags.logFormat, "flag --log-format")
	c.override(&c.Access.TrustedProxies, a.flags.trustedProxies, "flag --trusted-proxies")
	c.override(&c.Access.RateLimit, a.flags.rateLimit, "flag --rate-limit")
	wrong, err := c.checkScalars()
	if err == nil && len(wrong) > 0 {
		err = append(inFile, wrong...)
	}
	return c, inFile, err
}

func (c *config) override(s *setting, value, origin string) {
	if value != "" {
		*s = setting{value, origin}
	}
}

// source returns the configured source of that name.
func (c config) source(name string) (sourceConfig, error) {
	var known []string
	for _, s := range c.Sources {
		if s.Name == name {
			return s, nil
		}
		known = append(known, s.Name)
	}
	if len(known) == 0 {
		return sourceConfig{}, usageError{fmt.Errorf("unknown source %q: no source is configured; add it to a file and name that with --config", name)}
	}
	return sourceConfig{}, usageError{fmt.Errorf("unknown source %q; configured: %s", name, strings.Join(known, ", "))}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
