package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"syscall"

	"queuetrack/api"
	"queuetrack/cmd/queuetrack/doctor"
)

// server looks at whoever answers on the listen address.
func (x *examination) server() []doctor.Check {
	return []doctor.Check{{Section: "server", Name: "server", Look: x.running}}
}

// running asks whether the server is ready, and which version it is of.
func (x *examination) running(ctx context.Context) ([]doctor.Finding, error) {
	address := reachable(x.config.Listen.Value)
	var ready struct {
		Status string            `json:"status"`
		Checks map[string]string `json:"checks"`
	}
	status, err := getJSON(ctx, "http://"+address+api.ReadyPath+"?verbose", &ready)
	f := doctor.Finding{Check: "ready", Verdict: doctor.OK, Found: address + " is ready"}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Verdict, f.Found, f.Do = doctor.Note, "nothing answers on "+address, "start 'queuetrack serve', or name where it listens with --listen"
		return []doctor.Finding{f}, nil
	case err != nil || ready.Status == "":
		f.Verdict, f.Found = doctor.Warning, address+" answers, and is no queuetrack"
		if err != nil {
			f.Found += ": " + err.Error()
		}
		f.Do = "name where queuetrack listens with --listen, or let it listen elsewhere"
		return []doctor.Finding{f}, nil
	case status != http.StatusOK:
		f.Verdict, f.Found = doctor.Problem, address+" is not ready: "+comma(failing(ready.Checks))
		f.Do = "its log says why; see the findings on the database and the schema"
	}
	return append([]doctor.Finding{f}, sameVersion(ctx, address)...), nil
}

// failing names the checks that did not pass.
func failing(checks map[string]string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if checks[name] != "ok" {
			names = append(names, name+" "+checks[name])
		}
	}
	return names
}

// sameVersion holds the server's version against this binary's. One that tells none, to those without a key, is let be.
func sameVersion(ctx context.Context, address string) []doctor.Finding {
	var described struct {
		Info struct {
			Version string `json:"version"`
		} `json:"info"`
	}
	status, err := getJSON(ctx, "http://"+address+"/openapi.json", &described)
	theirs, ours := described.Info.Version, buildVersion()
	switch {
	case err != nil || status != http.StatusOK || theirs == "":
		return nil
	case theirs != ours:
		return []doctor.Finding{{Check: "version", Verdict: doctor.Warning, Found: fmt.Sprintf("the server is %s, this binary %s", theirs, ours), Do: "restart the server with this binary, or use the server's"}}
	}
	return []doctor.Finding{{Check: "version", Verdict: doctor.OK, Found: theirs + ", as this binary"}}
}

// getJSON gets a JSON document.
func getJSON(ctx context.Context, url string, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	const most = 4 << 20
	if err := json.NewDecoder(io.LimitReader(resp.Body, most)).Decode(into); err != nil {
		return resp.StatusCode, errors.New("its answer is not JSON")
	}
	return resp.StatusCode, nil
}
