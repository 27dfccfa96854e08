package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapedeck/cassettes/redact"
	"tapedeck/matchers/profiles"
)

// repository writes files ("path": text) below a new folder with a .git and
// returns it.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func load(t *testing.T, dir, explicit string) *Config {
	t.Helper()
	c, err := Load(dir, explicit)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// own are the rules and redactions that no shipped profile brings.
func own(c *Config) (on, ids []string) {
	shippedRules, shippedAdds := 0, 0
	for _, p := range profiles.List() {
		shippedRules += len(p.Rules)
		shippedAdds += len(p.Redact.Add)
	}
	for _, r := range c.Rules[shippedRules:] {
		on = append(on, r.On+" ("+r.Source+")")
	}
	for _, a := range c.Redact.Add[shippedAdds:] {
		ids = append(ids, a.ID)
	}
	return on, ids
}

func TestConfigNone(t *testing.T) {
	c := load(t, t.TempDir(), "")
	if c.Cassettes != "cassettes" || len(c.Files)+len(c.Warnings) > 0 {
		t.Errorf("got %+v", c)
	}
	if got := c.Session("x"); got != (Settings{}) {
		t.Errorf("session: %+v", got)
	}
	if on, ids := own(c); len(on)+len(ids) > 0 {
		t.Errorf("rules from nowhere: %v %v", on, ids)
	}
	if c.Passes("api.stripe.com") || c.Ignores("api.stripe.com") || c.Records("api.stripe.com") || c.RecordsLoopback() || c.KeepsResponse("Date") || c.KeepsRequest("X-A") {
		t.Error("something is selected with no file")
	}
}

func TestConfigMerge(t *testing.T) {
	root := repository(t, map[string]string{
		"tapedeck.yaml": `cassettes: testdata
hosts: {record: ["localhost:9200"], passthrough: ["*.svc.local"]}
profiles: {search.acme.dev: ./profiles/search.yaml}
rules: [{on: GET a.dev/x, ignore: [query.a]}]
redact: {add: [{id: acme-key, name: x-acme-key}]}
keep: {response: [Date], request: [X-Trace-*]}
sessions: {"**": {strict: true}, "slow/**": {max_age: 9d, carry: off}}
max_age: 90d
repeat: last
`,
		"profiles/search.yaml": `hosts: {record: [search.acme.dev]}
rules: [{on: "POST search.acme.dev/{index}/_search", safe: true}]
redact:
  add: [{id: search-key, name: search_key}, {id: search-pin, name: search_pin, on: GET search.acme.dev/pin}]
`,
		"svc/tapedeck.yaml":         "cassettes: ../tapes/svc\nhosts: {ignore: [telemetry.acme.dev]}\nrules: [{on: GET a.dev/y, safe: true}]\nrepeat: cycle\nstrict: false\nsessions: {\"slow/one\": {strict: false}}\n",
		"svc/checkout/x.go":         "package x\n",
		"svc/checkout/sub/.keep":    "",
		"elsewhere/tapedeck.yaml":   "strict: true\n",
		"nested/.git":               "gitdir: ../.git/worktrees/nested\n",
		"nested/deep/tapedeck.yaml": "max_age: 3d\n",
	})
	c := load(t, filepath.Join(root, "svc", "checkout", "sub"), "")
	if diff := cmp.Diff([]string{"../../../tapedeck.yaml", "../../../profiles/search.yaml", "../../tapedeck.yaml"}, c.Files); diff != "" {
		t.Error(diff)
	}
	if want := filepath.Join("..", "..", "..", "tapes", "svc"); c.Cassettes != want {
		t.Errorf("cassettes: %s, want %s", c.Cassettes, want)
	}
	on, ids := own(c)
	if diff := cmp.Diff([]string{
		"POST search.acme.dev/{index}/_search (../../../profiles/search.yaml:2)",
		"GET a.dev/x (../../../tapedeck.yaml:4)",
		"GET a.dev/y (../../tapedeck.yaml:3)",
	}, on); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"search-key", "search-pin", "acme-key"}, ids); diff != "" {
		t.Error(diff)
	}
	if i := slices.Index(ids, "search-key"); c.Redact.Add[len(c.Redact.Add)-len(ids)+i].On != "* search.acme.dev/**" {
		t.Errorf("a profile's redaction is not limited to its host: %+v", c.Redact.Add)
	}
	for name, want := range map[string]Settings{
		"":              {Strict: true, Repeat: "cycle", MaxAge: 90 * day},
		"checkout::EUR": {Strict: true, Repeat: "cycle", MaxAge: 90 * day},
		"slow/one":      {Strict: false, Repeat: "cycle", MaxAge: 9 * day, Carry: "off"},
		"slow/two":      {Strict: true, Repeat: "cycle", MaxAge: 9 * day, Carry: "off"},
	} {
		if got := c.Session(name); got != want {
			t.Errorf("session %q: %+v, want %+v", name, got, want)
		}
	}
	for host, want := range map[string]string{
		"a.svc.local": "pass", "a.svc.local:8443": "pass", "telemetry.acme.dev": "ignore", "TELEMETRY.acme.dev:443": "ignore",
		"localhost:9200": "record", "localhost:9201": "", "localhost": "", "api.stripe.com": "",
	} {
		got := ""
		switch {
		case c.Passes(host):
			got = "pass"
		case c.Ignores(host):
			got = "ignore"
		case c.Records(host):
			got = "record"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
	if !c.RecordsLoopback() || !c.KeepsResponse("date") || !c.KeepsRequest("X-Trace-Id") || c.KeepsRequest("X-Tracer") {
		t.Error("loopback or keep is lost")
	}

	// A nested repository ends the search.
	c = load(t, filepath.Join(root, "nested", "deep"), "")
	if diff := cmp.Diff([]string{"tapedeck.yaml"}, c.Files); diff != "" || c.Session("").MaxAge != 3*day {
		t.Errorf("nested: %v %+v", c.Files, c.Session(""))
	}
	// An explicit file is the only one.
	c = load(t, filepath.Join(root, "svc"), filepath.Join("..", "elsewhere", "tapedeck.yaml"))
	if on, _ := own(c); len(on) > 0 || !c.Session("").Strict || c.Session("").Repeat != "" {
		t.Errorf("explicit: %v %+v", on, c.Session(""))
	}
	if c = load(t, root, os.DevNull); len(c.Warnings) > 0 || c.Cassettes != "cassettes" {
		t.Errorf("null device: %+v", c)
	}
}

func TestConfigOutsideRepository(t *testing.T) {
	root := t.TempDir()
	for c := root; ; c = filepath.Dir(c) {
		if _, err := os.Stat(filepath.Join(c, ".git")); err == nil {
			t.Fatalf("the temporary folder lies in a repository (%s); set TMPDIR to one that does not", c)
		}
		if filepath.Dir(c) == c {
			break
		}
	}
	sub := filepath.Join(root, "sub")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "tapedeck.yaml"), []byte("strict: true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c := load(t, sub, ""); len(c.Files) > 0 {
		t.Errorf("a parent's file was read outside a repository: %v", c.Files)
	}
	if c := load(t, root, ""); !c.Session("").Strict {
		t.Error("the working folder's own file was not read")
	}
}

func TestConfigFaults(t *testing.T) {
	parent := `hosts: {passthrough: [a.dev]}
redact:
  pii: true
  unknown: refuse
  add: [{id: acme-key, name: x-acme-key}]
`
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"remove", map[string]string{"tapedeck.yaml": parent, "s/tapedeck.yaml": "redact:\n  remove: [acme-key]\n"},
			"tapedeck.yaml:2: redact.remove cannot drop rule acme-key, which ../tapedeck.yaml:5 adds; change it there"},
		{"keep", map[string]string{"tapedeck.yaml": parent, "s/tapedeck.yaml": "redact:\n  keep:\n  - {rule: acme-key, on: GET a.dev/x, at: body.key, reason: public}\n"},
			"tapedeck.yaml:3: redact.keep cannot exempt a place from rule acme-key, which ../tapedeck.yaml:5 adds; write the keep there"},
		{"pii", map[string]string{"tapedeck.yaml": parent, "s/tapedeck.yaml": "redact: {pii: false}\n"},
			"tapedeck.yaml:1: redact.pii cannot be false, since ../tapedeck.yaml:3 says true; change it there"},
		{"unknown", map[string]string{"tapedeck.yaml": parent, "s/tapedeck.yaml": "redact: {unknown: list}\n"},
			"tapedeck.yaml:1: redact.unknown cannot be list, since ../tapedeck.yaml:4 says refuse; change it there"},
		{"id", map[string]string{"tapedeck.yaml": parent, "s/tapedeck.yaml": "redact: {add: [{id: acme-key, name: y}]}\n"},
			"tapedeck.yaml:1: redact.add: the id acme-key is taken, see ../tapedeck.yaml:5; choose another"},
		{"headings", map[string]string{"tapedeck.yaml": parent, "s/tapedeck.yaml": "hosts: {ignore: [A.dev]}\n"},
			"tapedeck.yaml:1: this host stands under hosts.passthrough in ../tapedeck.yaml:1; keep one of the two"},
		{"two faults", map[string]string{"tapedeck.yaml": parent, "s/tapedeck.yaml": "redact:\n  remove: [acme-key]\n  pii: false\n"},
			"tapedeck.yaml:2: redact.remove cannot drop rule acme-key, which ../tapedeck.yaml:5 adds; change it there\n" +
				"tapedeck.yaml:3: redact.pii cannot be false, since ../tapedeck.yaml:3 says true; change it there"},
		{"syntax", map[string]string{"s/tapedeck.yaml": "rulse: []\n"},
			`tapedeck.yaml:1: the file has "rulse", which is not known; did you mean "rules"?`},
		{"no profile", map[string]string{"s/tapedeck.yaml": "profiles: {a.dev: ./a.yaml}\n"},
			"a.yaml: cannot be read: no such file or directory\ntapedeck.yaml:1: names this profile"},
		{"bad profile", map[string]string{"s/tapedeck.yaml": "profiles: {a.dev: ./a.yaml}\n", "s/a.yaml": "x: 1\n"},
			"a.yaml:1: the file has \"x\", which is not known; the keys here are cassettes, hosts, profiles, rules, redact, keep, sessions, max_age, repeat, sequence, carry, strict\ntapedeck.yaml:1: names this profile"},
		{"profile reaches out", map[string]string{"s/tapedeck.yaml": "profiles: {a.dev: ./a.yaml}\n",
			"s/a.yaml": "rules: [{on: GET b.dev/x, safe: true}]\nredact: {add: [{id: x, name: x, on: GET a.dev/x}, {id: y, name: y, on: '* *.dev/**'}]}\nkeep: {response: [Date]}\n"},
			"a.yaml:3: keep.response cannot stand in a profile, which is about one host; move it to tapedeck.yaml\n" +
				"a.yaml:1: rules[0].on is about another host than a.dev, which this profile is for; move it to tapedeck.yaml\n" +
				"a.yaml:2: redact.add[1].on is about another host than a.dev, which this profile is for; move it to tapedeck.yaml"},
		{"id of a shipped rule", map[string]string{"s/tapedeck.yaml": "redact:\n  add:\n  - {id: name-token, name: x}\n  - {id: stripe-id-number, name: x}\n"},
			"tapedeck.yaml:3: redact.add: the id name-token is that of a rule that comes with tapedeck; choose another\n" +
				"tapedeck.yaml:4: redact.add: the id stripe-id-number is that of a rule that comes with tapedeck; choose another"},
		{"no such rule", map[string]string{"tapedeck.yaml": "redact: {remove: [name-tokn]}\n", "s/tapedeck.yaml": "redact:\n  keep: [{rule: zzz, on: GET a.dev/x, at: body.x, reason: public}]\n"},
			"../tapedeck.yaml:1: redact.remove: there is no rule of this id; did you mean \"name-token\"?\n" +
				"tapedeck.yaml:2: redact.keep: there is no rule of this id; tapedeck rules lists them"},
		{"profile keeps", map[string]string{"tapedeck.yaml": parent, "s/tapedeck.yaml": "profiles: {a.dev: ./a.yaml}\n",
			"s/a.yaml": "redact: {keep: [{rule: acme-key, on: GET a.dev/x, at: body.key, reason: public}]}\n"},
			"a.yaml:1: redact.keep cannot exempt a place from rule acme-key, which ../tapedeck.yaml:5 adds; write the keep there"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(repository(t, test.files), "s")
			_, err := Load(dir, "")
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := Load(t.TempDir(), "missing.yaml"); err == nil || err.Error() != "missing.yaml: cannot be read: no such file or directory" {
		t.Errorf("missing --config: %v", err)
	}
	if _, err := Load(t.TempDir(), "."); err == nil || !strings.HasPrefix(err.Error(), ".: cannot be read: ") {
		t.Errorf("a folder as --config: %v", err)
	}
}

// TestConfigRemove: rules that come with tapedeck can be switched off, wherever
// they come from, and a keep for one that is gone is no fault.
func TestConfigRemove(t *testing.T) {
	root := repository(t, map[string]string{"tapedeck.yaml": `redact:
  remove: [name-pin, stripe-id-number, stripe-id-number]
  keep:
  - {rule: stripe-id-number, on: GET api.stripe.com/x, at: body.id_number, reason: made up}
  - {rule: name-token, on: GET a.dev/x, at: body.token, reason: a count}
`})
	c := load(t, root, "")
	for _, r := range c.Redact.Add {
		if r.ID == "stripe-id-number" {
			t.Error("a removed rule is still there")
		}
	}
	rules, err := redact.Compile(c.Redact)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules.List() {
		if r.ID == "name-pin" {
			t.Error("a removed built-in rule is still there")
		}
	}
	if len(c.Redact.Keep) != 1 || c.Redact.Keep[0].Rule != "name-token" {
		t.Errorf("keep: %+v", c.Redact.Keep)
	}
}

func TestConfigUnreadable(t *testing.T) {
	root := repository(t, map[string]string{"x": ""})
	// A link to itself can be found and not be read, whoever runs the test.
	if err := os.Symlink("tapedeck.yaml", filepath.Join(root, "tapedeck.yaml")); err != nil {
		t.Fatal(err)
	}
	_, err := Load(root, "")
	if err == nil || !strings.Contains(err.Error(), "tapedeck.yaml: too many levels of symbolic links; make it readable") {
		t.Errorf("got %v", err)
	}
}

func TestConfigAddPassthrough(t *testing.T) {
	c := load(t, t.TempDir(), "")
	if err := c.AddPassthrough([]string{"**.svc.local", "db.dev:5432"}); err != nil {
		t.Fatal(err)
	}
	if !c.Passes("a.b.svc.local") || c.Passes("svc.local") || !c.Passes("db.dev:5432") || c.Passes("db.dev") {
		t.Error("--passthrough does not select what it says")
	}
	if diff := cmp.Diff([]string{"**.svc.local", "db.dev:5432"}, c.Hosts.Passthrough); diff != "" {
		t.Error(diff)
	}
	err := c.AddPassthrough([]string{"https://db.dev"})
	if err == nil || err.Error() != "must be a host, not a URL; leave out the scheme and the path" {
		t.Errorf("got %v", err)
	}
}

func TestConfigRecordsLoopback(t *testing.T) {
	for pattern, want := range map[string]bool{
		"localhost": true, "LOCALHOST:9200": true, "127.0.0.1:80": true, "127.*.*.*": true, "[::1]:9200": true, "::1": true,
		"app.localhost": true, "api.acme.dev": false, "10.0.0.1": false,
	} {
		c := &Config{Hosts: profiles.Hosts{Record: []string{pattern}}}
		if got := c.RecordsLoopback(); got != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}

func TestConfigSessionAge(t *testing.T) {
	root := repository(t, map[string]string{"tapedeck.yaml": "sessions: {a: {max_age: 1d}}\n"})
	if got := load(t, root, "").Session("a").MaxAge; got != 24*time.Hour {
		t.Errorf("1d is %v", got)
	}
}
