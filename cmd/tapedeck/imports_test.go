package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows are all imports between packages of this module that are allowed.
// Imports run one way; a new arrow needs a reason that fits on its line.
var arrows = []struct{ from, to, reason string }{
	{"cmd/tapedeck", "cmd/tapedeck/child", "exec starts the command under test"},
	{"cmd/tapedeck", "proxy", "wire.go puts a deck on the wire"},
	{"cmd/tapedeck", "proxy/ca", "wire.go makes or loads the authority, ca prints it"},
	{"cmd/tapedeck", "proxy/deck", "wire.go joins deck, rules and store"},
	{"cmd/tapedeck", "matchers", "wire.go compiles the configured rules"},
	{"cmd/tapedeck", "matchers/profiles", "wire.go reads tapedeck.yaml and the profiles"},
	{"cmd/tapedeck", "cassettes", "wire.go opens the folder, recover reads journals"},
	{"cmd/tapedeck", "cassettes/clean", "wire.go makes the cleaner"},
	{"cmd/tapedeck", "cassettes/merge", "git merge merges two branches' versions of a cassette"},
	{"cmd/tapedeck", "cassettes/scope", "wire.go compiles the pattern of --rerecord, a profile's rules must be about its host"},
	{"cmd/tapedeck", "cassettes/audit", "audit and redact look through files, and nothing else may load gitleaks"},
	{"cmd/tapedeck", "cassettes/redact", "wire.go compiles the redaction rules, rules lists them"},
	{"cmd/tapedeck", "cassettes/diff", "diff compares what its arguments name"},
	{"cmd/tapedeck", "cassettes/diff/render", "--format chooses how a diff is printed"},

	{"proxy", "proxy/ca", "tunnels are served with the authority's leaves"},

	{"proxy/deck", "matchers", "the deck asks which recording answers"},
	{"proxy/deck", "cassettes", "the deck plays and records one cassette"},
	{"proxy/deck", "cassettes/clean", "what the deck stores and compares is clean"},
	{"proxy/deck", "cassettes/redact", "refusals and placeholders reach the client as answers"},
	{"proxy/deck", "cassettes/diff", "a recording made again takes back what changed only as ids and times do"},
	{"proxy/deck", "cassettes/leaves", "a client's own value is put back where it stands as a whole leaf"},

	{"cmd/tapedeck", "proxy/verify", "verify sends what a cassette holds again"},
	{"proxy/verify", "matchers", "which requests only read is a matter of rules"},
	{"proxy/verify", "cassettes/clean", "live answers are cleaned like recorded ones"},
	{"proxy/verify", "cassettes/leaves", "secrets and ids are filled in leaf by leaf"},
	{"proxy/verify", "cassettes/redact", "placeholders are found, and looked for before anything is sent"},
	{"proxy/verify", "cassettes/scope", "patterns select what is sent"},

	{"matchers", "cassettes/clean", "facts are read from clean requests"},
	{"matchers", "cassettes/leaves", "facts are leaves with a normal form"},
	{"matchers", "cassettes/redact", "placeholders are blank in keys"},
	{"matchers", "cassettes/scope", "rules select requests, and keys hold hosts and paths in normal form"},
	{"cmd/tapedeck", "matchers/config", "wire.go reads tapedeck.yaml"},
	{"proxy/deck", "matchers/config", "New reads tapedeck.yaml, so that a program without the proxy plays the same cassettes"},
	{"matchers/config", "matchers", "the configuration holds matching rules"},
	{"matchers/config", "matchers/profiles", "the files are written in the schema, and the shipped profiles come first"},
	{"matchers/config", "cassettes/redact", "the configuration holds redaction rules"},
	{"matchers/config", "cassettes/scope", "a profile's rules must be about its host"},
	{"matchers/profiles", "matchers", "a profile holds matching rules"},
	{"matchers/profiles", "cassettes/redact", "a profile holds redaction rules"},
	{"matchers/profiles", "cassettes/scope", "what a rule is about is checked where it is written"},
	{"matchers/profiles", "cassettes/leaves", "patterns are checked where they are written"},

	{"cassettes/merge", "cassettes", "what is merged are documents"},
	{"cassettes/merge", "cassettes/clean", "one side's ids and numbers are replaced"},
	{"cassettes/merge", "cassettes/redact", "placeholder numbers that both sides have given are told apart"},
	{"cassettes/merge", "cassettes/diff", "what both sides have recorded again is paired"},
	{"cassettes/merge", "cassettes/leaves", "a value is replaced at its place"},
	{"cassettes/merge", "matchers", "interactions are paired by key"},
	{"cassettes", "cassettes/clean", "a store accepts clean interactions only"},
	{"cassettes", "cassettes/redact", "placeholders that a file holds are taken"},
	{"cassettes", "cassettes/leaves", "a JSON body is laid out for reading"},
	{"cassettes/diff", "cassettes/clean", "what is compared is clean"},
	{"cassettes/diff", "cassettes/leaves", "changes have the places that facts have"},
	{"cassettes/diff", "cassettes/redact", "placeholders are equal whatever their numbers"},
	{"cassettes/diff", "cassettes/scope", "hosts are compared in normal form"},
	{"cassettes/diff", "matchers", "interactions are paired by their keys"},
	{"cassettes/diff/render", "cassettes/clean", "a page shows what stands around a change"},
	{"cassettes/diff/render", "cassettes/leaves", "a page finds the line of a place"},
	{"cassettes/diff", "matchers/profiles", "two tapedeck.yaml are compared by the keys of their schema"},
	{"cassettes/diff/render", "cassettes/diff", "what is printed"},
	{"cassettes/foreign", "cassettes/clean", "a Content-Encoding is removed in one way everywhere"},
	{"cassettes/audit", "cassettes/foreign", "other tools' files are looked through, and written back"},
	{"cassettes/audit", "cassettes/redact", "what redaction would replace is what is found"},
	{"cassettes/audit", "cassettes/leaves", "a finding has a place, and gitleaks sees leaves"},
	{"cassettes/audit", "cassettes/scope", "a keep says which requests it is about"},
	{"cassettes/clean", "cassettes/redact", "the constructors redact"},
	{"cassettes/clean", "cassettes/leaves", "the constructors read bodies as the matcher does"},
	{"cassettes/redact", "cassettes/leaves", "secrets are replaced leaf by leaf"},
	{"cassettes/redact", "cassettes/scope", "rules select requests by the grammar that matching has"},
}

// homes are the only folders whose packages, tests included, may import a
// library; folders below are meant too, unless the pattern is exact.
var homes = []struct {
	library, reason string
	folders         []string
	exact           bool
}{
	{"github.com/elazarl/goproxy", "the front door is one package", []string{"proxy"}, true},
	{"gopkg.in/dnaeon/go-vcr", "the file format is the cassettes' affair", []string{"cassettes"}, false},
	{"github.com/urfave/cli", "flags end in the command", []string{"cmd"}, false},
	{"github.com/zricethezav/gitleaks", "60 modules and 30 ms to load: only the audit pays for them", []string{"cassettes/audit"}, true},
}

// testOnly are packages that no program may contain.
var testOnly = []struct{ library, reason string }{
	{"net/http/httptest", "it registers flags, and a server for tests is no server"},
	{"testing", "it registers flags in every program"},
}

const module = "tapedeck"

type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", module+"/...")
	out, err := command.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%v: %s", command, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	var list []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func TestImportsRunOneWay(t *testing.T) {
	allowed := map[[2]string]bool{}
	known := map[string]bool{}
	for _, arrow := range arrows {
		allowed[[2]string{arrow.from, arrow.to}] = true
		known[arrow.from], known[arrow.to] = true, true
	}
	seen := map[string]bool{}
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		seen[from] = true
		if under(from, "examples") || under(from, "bench") {
			continue // they stand outside the house and use it as anyone may
		}
		for _, path := range p.Imports {
			to, ours := strings.CutPrefix(path, module+"/")
			if ours && !allowed[[2]string{from, to}] {
				t.Errorf("%s imports %s: no arrow allows it. Move the code, or add the arrow to this table with its reason", from, to)
			}
		}
	}
	for name := range known {
		if !seen[name] {
			t.Errorf("the table names %s, which does not exist", name)
		}
	}
}

func TestLibrariesHaveAHome(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for _, home := range homes {
				if !library(path, home.library) {
					continue
				}
				if !slices.ContainsFunc(home.folders, func(folder string) bool {
					return from == folder || !home.exact && under(from, folder)
				}) {
					t.Errorf("%s imports %s, which belongs to %v: %s", from, path, home.folders, home.reason)
				}
			}
		}
		for _, path := range p.Imports {
			for _, rule := range testOnly {
				if path == rule.library {
					t.Errorf("%s imports %s outside its tests: %s", from, path, rule.reason)
				}
			}
		}
	}
}

// under reports whether the package is folder or lies in it.
func under(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}

// library reports whether path is a package of the library, whose major
// version may follow as ".v3" or "/v2".
func library(path, name string) bool {
	rest, ok := strings.CutPrefix(path, name)
	return ok && (rest == "" || rest[0] == '/' || rest[0] == '.')
}
