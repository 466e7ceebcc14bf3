package main

import (
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"queuetrack/api"
	"queuetrack/cmd/queuetrack/doctor"
)

const inConfiguration = "configuration"

// configuration looks at the file, what it names, and who else may read or write them.
func (x *examination) configuration() []doctor.Check {
	return []doctor.Check{
		known(inConfiguration, x.file()...),
		looked(inConfiguration, "permissions", x.permissions),
		known(inConfiguration, x.secrets()...),
		known(inConfiguration, x.addresses()...),
		known(inConfiguration, x.zones()...),
		known(inConfiguration, x.listen()),
	}
}

// file tells every mistake, as config check does.
func (x *examination) file() []doctor.Finding {
	var found []doctor.Finding
	for _, m := range x.mistakes {
		found = append(found, doctor.Finding{Check: "mistake", Verdict: doctor.Problem, Found: m.Where + ": " + m.What, Do: "mend it; 'queuetrack config check' lists what is left"})
	}
	switch {
	case len(found) > 0:
	case x.config.File == "":
		found = append(found, doctor.Finding{Check: "file", Verdict: doctor.Note, Found: "none, so no source is configured", Do: "name one with --config FILE, or QUEUETRACK_CONFIG (README: Configuration)"})
	default:
		found = append(found, doctor.Finding{Check: "file", Verdict: doctor.OK, Found: fmt.Sprintf("%s, %s", x.config.File, counted(len(x.config.Sources), "source"))})
	}
	return found
}

// permissions looks at the file and at those that hold secrets.
func (x *examination) permissions() []doctor.Finding {
	if x.config.File == "" {
		return nil
	}
	found := permissionsOf("the configuration file "+x.config.File, x.config.File, x.holdsSecrets())
	r := fileReader{path: x.config.File}
	var seen []string
	for _, s := range x.config.Sources {
		for _, secret := range s.Secrets {
			if path, ok := strings.CutPrefix(secret.Name, "file:"); ok && !slices.Contains(seen, path) {
				seen = append(seen, path)
				found = append(found, permissionsOf("the secret's file "+path, r.beside(path), true)...)
			}
		}
	}
	if len(found) == 0 {
		found = append(found, doctor.Finding{Check: "permissions", Verdict: doctor.OK, Found: "nobody else can change the file, or read a secret in a file"})
	}
	return found
}

// holdsSecrets reports whether the file itself has one in it.
func (x *examination) holdsSecrets() bool {
	for _, s := range x.config.Sources {
		for _, secret := range s.Secrets {
			if strings.HasPrefix(secret.Name, "literal-") {
				return true
			}
		}
	}
	c, err := pgx.ParseConfig(x.config.DatabaseURL.Value)
	inFile := strings.HasPrefix(x.config.DatabaseURL.Origin, x.config.File+":")
	return inFile && err == nil && c.Password != ""
}

// permissionsOf judges a file's mode. What isn't there, or can't be looked at, is a mistake that is told elsewhere.
func permissionsOf(what, path string, secret bool) []doctor.Finding {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	var found []doctor.Finding
	warn := func(who, do string) {
		found = append(found, doctor.Finding{Check: "permissions", Verdict: doctor.Warning, Found: fmt.Sprintf("%s: %s (%#o)", what, who, info.Mode().Perm()), Do: do})
	}
	mode := info.Mode().Perm()
	switch {
	case mode&0o002 != 0:
		warn("every user of this machine can change it", "chmod o-rwx "+path)
	case secret && mode&0o004 != 0:
		warn("every user of this machine can read the secret", "chmod o-rwx "+path)
	}
	folder := filepath.Dir(path)
	if in, err := os.Stat(folder); err == nil && in.Mode().Perm()&0o002 != 0 && in.Mode()&fs.ModeSticky == 0 {
		warn("every user of this machine can replace it, by the rights of its folder", "chmod o-w "+folder)
	}
	return found
}

// longEnough is the length of a secret that nobody can guess by trying, if it is random.
const longEnough = 16

// secrets looks at what makes one weak: short, or used twice.
func (x *examination) secrets() []doctor.Finding {
	var found []doctor.Finding
	first := map[string]string{}
	n := 0
	for _, s := range x.config.Sources {
		for _, secret := range s.Secrets {
			n++
			name := s.Name + " " + secret.Name
			if len(secret.Value) < longEnough {
				found = append(found, doctor.Finding{Check: "secrets", Verdict: doctor.Warning, Found: fmt.Sprintf("%s has %d bytes only: it can be guessed by trying", name, len(secret.Value)), Do: "make a random one of 32 bytes (openssl rand -hex 32), here and at the vendor"})
			}
			if other, twice := first[string(secret.Value)]; twice {
				found = append(found, doctor.Finding{Check: "secrets", Verdict: doctor.Warning, Found: fmt.Sprintf("%s is the same as %s: whoever has the one can sign for the other", name, other), Do: "give each webhook a secret of its own"})
				continue
			}
			first[string(secret.Value)] = name
		}
	}
	if len(found) == 0 && n > 0 {
		found = append(found, doctor.Finding{Check: "secrets", Verdict: doctor.OK, Found: counted(n, "secret") + ", all readable, long enough, and none twice"})
	}
	return found
}

// addresses looks at the URLs that vendors are told to post to.
func (x *examination) addresses() []doctor.Finding {
	var found []doctor.Finding
	warn := func(s sourceConfig, what, do string) {
		found = append(found, doctor.Finding{Check: "public_url", Verdict: doctor.Warning, Found: fmt.Sprintf("%s: %s %s", s.Name, s.PublicURL, what), Do: do})
	}
	n := 0
	for _, s := range x.config.Sources {
		u, err := url.Parse(s.PublicURL)
		if s.PublicURL == "" || err != nil {
			continue
		}
		n++
		if here, _ := api.Loopback(net.JoinHostPort(u.Hostname(), "1")); u.Scheme == "http" && !here {
			warn(s, "is not https: bodies with names in them travel in the open", "put a TLS proxy in front, and register the https:// address at the vendor and here")
		}
		if want := "/webhooks/" + s.Name; u.Path != want {
			warn(s, "has another path than "+want, "register an address that ends so, unless your proxy turns the one into the other")
		}
	}
	if len(found) == 0 && n > 0 {
		found = append(found, doctor.Finding{Check: "public_url", Verdict: doctor.OK, Found: counted(n, "address") + " with the path that serve answers on"})
	}
	return found
}

// zones tells which ones days and hours go by; one that is not known is a mistake already.
func (x *examination) zones() []doctor.Finding {
	var names []string
	var without []string
	for _, s := range x.config.Sources {
		if s.Zone == nil {
			without = append(without, s.Name)
		} else if name := s.Zone.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var found []doctor.Finding
	if len(names) > 0 {
		found = append(found, doctor.Finding{Check: "time zones", Verdict: doctor.OK, Found: comma(names) + ": their rules are at hand"})
	}
	if len(without) > 0 {
		found = append(found, doctor.Finding{Check: "time zones", Verdict: doctor.Note, Found: comma(without) + " without one: days and hours go by UTC", Do: "set timezone, as Europe/Tallinn"})
	}
	return found
}

// listen tells who reaches the address.
func (x *examination) listen() doctor.Finding {
	address := x.config.Listen.Value
	f := doctor.Finding{Check: "listen", Verdict: doctor.OK, Found: address + ": only this machine reaches it"}
	switch local, err := api.Loopback(address); {
	case err != nil:
		f.Verdict, f.Found, f.Do = doctor.Problem, address+" is no address", "write host:port, as "+defaultListen
	case !local:
		f.Found = address + ": other machines reach it, so reading needs an API key"
	}
	return f
}
