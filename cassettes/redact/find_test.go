package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"
)

func TestFinderFindsEveryEncoding(t *testing.T) {
	const value = `a"b<c>&d/e+f g=Zk8Qw3Rt9`
	quoted, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	f, short := NewFinder([]string{"tiny", value, "another-one-Zk8Qw3"})
	if len(short) != 1 || short[0] != 0 {
		t.Errorf("too short: %v, want [0]", short)
	}
	for name, text := range map[string]string{
		"raw":         value,
		"query":       url.QueryEscape(value),
		"path":        url.PathEscape(value),
		"query twice": url.QueryEscape(url.QueryEscape(value)),
		"path twice":  url.PathEscape(url.PathEscape(value)),
		"lower case":  lowerPercent(url.QueryEscape(value)),
		"JSON":        string(quoted[1 : len(quoted)-1]),
		"HTML":        html.EscapeString(value),
		"base64 0":    base64.StdEncoding.EncodeToString([]byte(value)),
		"base64 1":    base64.StdEncoding.EncodeToString([]byte("x" + value + "y")),
		"base64 2":    base64.URLEncoding.EncodeToString([]byte("xx" + value)),
		"hex":         hex.EncodeToString([]byte(value)),
		"HEX":         strings.ToUpper(hex.EncodeToString([]byte(value))),
	} {
		found := f.Find("before " + text + " after")
		if len(found) != 1 || found[0].Value != 1 || found[0].Encoding == "" {
			t.Errorf("%s: %+v", name, found)
		}
	}
	if found := f.Find("nothing of the kind, and tiny"); found != nil {
		t.Errorf("found %+v in a text that holds none", found)
	}
}

func TestSourcesAndTraces(t *testing.T) {
	v := newTestVault(t)
	const token = "Zk8Qw3Rt9LmX2vBn7HsD"
	clean, err := v.Body(Scope{Method: "GET", Host: "api.acme.dev", Path: "/"}, InResponse, "application/json",
		[]byte(`{"access_token":"`+token+`","card":{"number":"4539578763621486"}}`))
	if err != nil {
		t.Fatal(err)
	}
	sources := v.Sources()
	list := Placeholders(string(clean))
	if len(list) != 2 {
		t.Fatalf("%d placeholders in %s", len(list), clean)
	}
	for i, want := range []string{"name-token", "name-card-number"} {
		if got := sources[list[i].ID]; got != want {
			t.Errorf("placeholder %d comes from %q, want %s", i, got, want)
		}
	}
	traces := v.Traces("# a comment with " + token)
	if len(traces) != 1 || traces[0].Rule != "name-token" || traces[0].Start != len("# a comment with ") {
		t.Errorf("%+v", traces)
	}
	if traces := v.Traces(string(clean)); len(traces) != 0 {
		t.Errorf("clean text has %+v", traces)
	}
}

func newTestVault(t *testing.T) *Vault {
	t.Helper()
	rules, err := Compile(Config{})
	if err != nil {
		t.Fatal(err)
	}
	return NewVault(rules)
}
