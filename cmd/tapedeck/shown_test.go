package main

import (
	"bytes"
	"strings"
	"testing"

	"tapedeck/matchers/config"
	"tapedeck/matchers/profiles"
)

// A log names hosts, and a host may hold a secret.
func TestLogsShowNoSecretOfAHost(t *testing.T) {
	const secret = "a7xk2qmz94tvw8rj3nbs"
	host := "glpat-" + secret + ".example.com"
	var out bytes.Buffer
	s := &station{opt: options{logLevel: "debug"}, cfg: &config.Config{Hosts: profiles.Hosts{}}, direct: map[string]int{}, refused: map[string]int{}}
	if err := s.makeLogger(stdio{err: &out}); err != nil {
		t.Fatal(err)
	}
	s.logger.Info("before the rules are known") // must not panic
	if err := s.compileRules(nil); err != nil {
		t.Fatal(err)
	}
	s.logger.Warn("upstream "+host+": it did not answer in time", "host", host, "status", 504)
	s.countDirect(host + ":443")
	s.countRefused(413, host)
	s.countRefused(407, host)
	for _, counted := range []map[string]int{s.direct, s.refused} {
		for text := range counted {
			out.WriteString(text + "\n")
		}
	}
	if got := out.String(); strings.Contains(got, secret) || strings.Count(got, "REDACTED") != 5 || !strings.Contains(got, "status=504") {
		t.Errorf("got %s", got)
	}
}
