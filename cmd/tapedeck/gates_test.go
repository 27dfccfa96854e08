package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// These tests hold the first gate by construction: raw traffic exists only as
// *http.Request and *http.Response, only cassettes/clean turns it into clean
// values, and nothing that writes, compares or prints takes anything else.

// A checked package is one of this module, parsed and type-checked without its tests.
type checked struct {
	name  string // below the module
	types *types.Package
	info  *types.Info
	files []*ast.File
}

// check type-checks every package of the module that is part of the house. What
// they import comes from the build cache.
func check(t *testing.T) (*token.FileSet, map[string]*checked) {
	t.Helper()
	command := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", module+"/...")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	type source struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
	}
	var ours []source
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p source
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if name, ok := strings.CutPrefix(p.ImportPath, module+"/"); ok && !under(name, "examples") && !under(name, "bench") {
			ours = append(ours, p)
		}
	}
	fset := token.NewFileSet()
	from := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data for %s", path)
		}
		return os.Open(exports[path])
	})
	list := map[string]*checked{}
	for _, p := range ours {
		c := &checked{name: strings.TrimPrefix(p.ImportPath, module+"/"), info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
			Selections: map[*ast.SelectorExpr]*types.Selection{},
		}}
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			c.files = append(c.files, parsed)
		}
		config := types.Config{Importer: from}
		if c.types, err = config.Check(p.ImportPath, fset, c.files, c.info); err != nil {
			t.Fatal(err)
		}
		list[c.name] = c
	}
	return fset, list
}

// short writes a type as the code does: clean.Request, *http.Request.
func short(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

// cleaners are the only functions that make clean values out of something else.
var cleaners = []struct{ function, reason string }{
	{"(*Cleaner).Request", "redacts a live request"},
	{"(*Cleaner).request", "the one place where a request is redacted, live or loaded"},
	{"(*Cleaner).Interaction", "redacts a live answer"},
	{"(*Cleaner).response", "the one place where an answer is redacted, live or loaded"},
	{"(*Cleaner).Load", "redacts what a file holds"},
	{"(*Cleaner).Sweep", "redacts once more what has been redacted"},
	{"(Interaction).Request", "returns a clean part of a clean whole"},
	{"(Interaction).Response", "returns a clean part of a clean whole"},
	{"(Interaction).Renumber", "changes placeholders into placeholders"},
	{"(Interaction).Replace", "puts values of other clean interactions in place of clean ones; what is saved is checked once more"},
	{"(Request).Replace", "the same, for a request"},
	{"(Interaction).WithRequest", "joins a clean request and a clean answer"},
	{"(*answer).get", "loads an answer at its first use"},
}

// plain are the places outside package clean that build a plain value, which
// only a cleaner turns into a clean one.
var plain = []struct{ in, literal, reason string }{
	{"proxy/deck", "clean.Answer", "what was received, for Cleaner.Interaction"},
	{"proxy/deck", "clean.Informational", "a 1xx answer, for Cleaner.Interaction"},
	{"proxy/verify", "clean.Answer", "what was received, for Cleaner.Interaction"},
	{"cassettes/merge", "clean.Replacement", "values of the other side's clean interactions, for Interaction.Replace"},
	{"proxy/deck", "clean.Replacement", "values of the previous file's clean interactions, for Interaction.Replace"},
	{"cassettes/diff", "clean.Stored", "what a diff makes of clean interactions; Apply returns it plain"},
	{"cassettes/diff", "clean.Informational", "the same, of its 1xx answers"},
	{"cassettes", "clean.Stored", "what a cassette or journal holds, for Cleaner.Load"},
	{"cassettes", "clean.Informational", "the same, of its 1xx answers"},
}

// Nothing but package clean can build a request, an answer or an interaction
// that holds anything.
func TestOnlyCleanMakesCleanValues(t *testing.T) {
	fset, list := check(t)
	clean := list["cassettes/clean"]
	scope := clean.types.Scope()
	for _, name := range []string{"Request", "Response", "Interaction"} {
		structure := scope.Lookup(name).Type().Underlying().(*types.Struct)
		for field := range structure.Fields() {
			if field.Exported() && !(name == "Interaction" && field.Name() == "Meta") {
				t.Errorf("clean.%s.%s is exported: any package can put traffic there", name, field.Name())
			}
		}
	}
	for field := range scope.Lookup("Meta").Type().Underlying().(*types.Struct).Fields() {
		if _, basic := field.Type().(*types.Basic); !basic {
			t.Errorf("clean.Meta.%s holds more than a word or number", field.Name())
		}
	}

	allowed := map[string]bool{}
	for _, c := range cleaners {
		allowed[c.function] = true
	}
	met := map[string]bool{}
	for _, file := range clean.files {
		for _, declared := range file.Decls {
			function, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			signature := clean.info.Defs[function.Name].Type().(*types.Signature)
			name := function.Name.Name
			if r := signature.Recv(); r != nil {
				name = "(" + strings.ReplaceAll(short(r.Type()), "clean.", "") + ")." + name
			}
			for result := range signature.Results().Variables() {
				switch short(result.Type()) {
				case "clean.Request", "clean.Response", "clean.Interaction", "*clean.Request", "*clean.Response", "*clean.Interaction":
					met[name] = true
					if !allowed[name] {
						t.Errorf("clean: %s returns %s: add it to this table with the reason why what it returns is clean", name, short(result.Type()))
					}
				}
			}
		}
	}
	for _, c := range cleaners {
		if !met[c.function] {
			t.Errorf("the table names %s, which returns no clean value", c.function)
		}
	}

	used := map[[2]string]bool{}
	for _, p := range plain {
		used[[2]string{p.in, p.literal}] = false
	}
	for _, p := range list {
		for _, imported := range p.types.Imports() {
			if imported.Path() == "unsafe" {
				t.Errorf("%s imports unsafe, which can fill a clean value", p.name)
			}
		}
		if p == clean {
			continue
		}
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				literal, ok := n.(*ast.CompositeLit)
				if !ok || len(literal.Elts) == 0 {
					return true
				}
				kind := short(p.info.Types[literal].Type)
				if !strings.HasPrefix(kind, "clean.") || kind == "clean.Cleaner" || kind == "clean.Meta" {
					return true
				}
				at := [2]string{p.name, kind}
				if _, ok := used[at]; !ok {
					t.Errorf("%s builds a %s: add it to this table with the cleaner that takes it", fset.Position(n.Pos()), kind)
				}
				used[at] = true
				return true
			})
		}
	}
	for at, seen := range used {
		if !seen {
			t.Errorf("the table says that %s builds a %s, and it does not", at[0], at[1])
		}
	}
}

// raw are the types in which traffic comes.
var raw = []string{"*http.Request", "*http.Response", "http.Request", "http.Response", "http.ResponseWriter"}

// blind are the packages that see no live traffic at all: what is recorded,
// compared and shown comes to them as clean values, or as files.
var blind = []string{"cassettes", "cassettes/audit", "cassettes/diff", "cassettes/foreign", "cassettes/leaves", "cassettes/redact", "cassettes/scope",
	"matchers", "matchers/profiles"}

func TestStoreAndMatcherTakeNoTraffic(t *testing.T) {
	fset, list := check(t)
	for _, name := range blind {
		p := list[name]
		if p == nil {
			continue
		}
		for at, value := range p.info.Types {
			if value.IsType() && slices.Contains(raw, short(value.Type)) {
				t.Errorf("%s: package %s names %s, which is live traffic; take a clean value", fset.Position(at.Pos()), name, short(value.Type))
			}
		}
	}
	// A store takes clean interactions and its own file names, and nothing else.
	for _, name := range []string{"Append", "Amend", "Save", "Inline"} {
		var object types.Object
		if method, _, _ := types.LookupFieldOrMethod(types.NewPointer(list["cassettes"].types.Scope().Lookup("Cassette").Type()), true, list["cassettes"].types, name); method != nil {
			object = method
		} else if object = list["cassettes"].types.Scope().Lookup(name); object == nil {
			t.Errorf("cassettes has no %s", name)
			continue
		}
		for parameter := range object.Type().(*types.Signature).Params().Variables() {
			switch kind := short(parameter.Type()); kind {
			case "clean.Interaction", "[]clean.Interaction", "cassettes.State":
			default:
				t.Errorf("cassettes: %s takes %s; a store takes clean interactions", name, kind)
			}
		}
	}
}

// tellers are the functions that make a line for people out of live traffic, or
// a fact of it that is no secret. Their results may be logged and reported.
var tellers = []struct{ function, reason string }{
	{"deck.where", "method and URL without query, cleaned"},
	{"deck.describe", "of a clean request"},
	{"deck.size", "a number"},
	{"debug.Stack", "functions and lines, no values"},
	{"deck.SessionName", "what a test is called"},
}

// told are parts of live traffic that are no secrets.
var told = []struct{ field, reason string }{
	{"http.Request.Method", "a word of the protocol"},
	{"http.Response.StatusCode", "a number"},
	{"url.URL.Host", "a host is not secret"},
}

// errorsTold are the places that log or report an error's own text.
var errorsTold = []struct{ function, reason string }{
	{"proxy.logHandshake", "crypto/tls names versions and alerts, never what was sent"},
	{"deck.refuse", "a *redact.Refusal names rule and place"},
	{"deck.sweepOwn", "a *redact.Refusal names rule and place"},
	{"deck.unreadable", "a *redact.Refusal names rule and place"},
	{"main.announce", "of a file in the user's cache folder"},
}

// stringsTold are the functions that log or report text from a variable, of which
// the types do not show where it comes from.
var stringsTold = []struct{ function, variable, reason string }{
	{"deck.Forget", "session", "what a test is called"},
	{"deck.drop", "why", "one of two constants"},
	{"deck.expire", "oldest", "a day"},
	{"deck.finalList", "text", "a *redact.Refusal names rule and place"},
	{"deck.forward", "host", "a host is not secret: the deck counts by it"},
	{"deck.ignored", "host", "the same"},
	{"deck.openOnce", "unfinished", "of the cassette, cleaned by State"},
	{"deck.saveRecorded", "unfinished", "made of constants, hosts and the above"},
	{"deck.suspect", "stopped", "what the report's texts say"},
	{"deck.upstreamFailed", "reason", "of proxy.UpstreamFailure: an error's kind alone"},
	{"deck.use", "n", "a note of the store: names of files and lines"},
	{"deck.finalList", "overruled", "clean interactions by NameOf: id, method and URL without query"},
	{"deck.notCarried", "doubt", "names interactions and places"},
	{"deck.use", "u", "of the cassette, cleaned by State"},
	{"proxy.Write", "line", "net/http's message that a connection cannot be accepted; all others are dropped"},
	{"proxy.exchange", "reason", "of UpstreamFailure: an error's kind alone"},
	{"proxy.passTunnel", "reason", "the same"},
	{"proxy.passTunnel", "hostport", "a host is not secret"},
	{"proxy.recover", "what", "a constant, or an error of the runtime: types and indexes"},
}

// Whatever is logged or reported is a constant, a clean value, or one of the
// few facts above.
func TestLogsAndReportsTakeNoTraffic(t *testing.T) {
	fset, list := check(t)
	tellerUsed, toldUsed, errorUsed, stringUsed := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, one := range stringsTold {
		stringUsed[one.function+", "+one.variable] = false
	}
	for _, teller := range tellers {
		tellerUsed[teller.function] = false
	}
	for _, one := range told {
		toldUsed[one.field] = false
	}
	for _, one := range errorsTold {
		errorUsed[one.function] = false
	}
	calls := 0
	for _, p := range list {
		for _, file := range p.files {
			for _, declared := range file.Decls {
				function, ok := declared.(*ast.FuncDecl)
				if !ok {
					continue
				}
				within := p.types.Name() + "." + function.Name.Name
				if r := function.Recv; r != nil && short(p.info.TypeOf(r.List[0].Type)) == "*deck.report" {
					continue // which only keeps what it is given
				}
				ast.Inspect(function, func(n ast.Node) bool {
					call, ok := n.(*ast.CallExpr)
					if !ok || !p.tells(call) {
						return true
					}
					calls++
					for _, argument := range call.Args {
						ast.Inspect(argument, func(n ast.Node) bool {
							expression, ok := n.(ast.Expr)
							if !ok {
								return true
							}
							switch e := expression.(type) {
							case *ast.Ident:
								variable, ok := p.info.Uses[e].(*types.Var)
								if !ok || variable.IsField() || !strings.HasSuffix(short(variable.Type()), "string") {
									break
								}
								if _, known := stringUsed[within+", "+e.Name]; !known {
									t.Errorf("%s: %s tells what %s holds; add it to the table above with the reason why that is no traffic", fset.Position(n.Pos()), within, e.Name)
								}
								stringUsed[within+", "+e.Name] = true
							case *ast.CallExpr:
								if name := p.called(e); tellerUsed[name] || slices.ContainsFunc(tellers, func(c struct{ function, reason string }) bool { return c.function == name }) {
									tellerUsed[name] = true
									return false
								}
							case *ast.SelectorExpr:
								if s := p.info.Selections[e]; s != nil {
									field := strings.TrimPrefix(short(s.Recv()), "*") + "." + e.Sel.Name
									if _, ok := toldUsed[field]; ok {
										toldUsed[field] = true
										return false
									}
								}
							}
							switch kind := short(p.info.TypeOf(expression)); {
							case slices.Contains(raw, kind), kind == "http.Header", kind == "textproto.MIMEHeader", kind == "url.Values", kind == "*url.URL", kind == "url.URL", kind == "[]byte":
								t.Errorf("%s: %s tells of a %s; pass a clean value, or add what cleans it to the table above", fset.Position(n.Pos()), within, kind)
								return false
							case kind == "error" && !p.info.Types[expression].IsType():
								if _, ok := errorUsed[within]; !ok {
									t.Errorf("%s: %s tells an error's text; say its kind, or add the place to the table above with the reason why it holds no traffic", fset.Position(n.Pos()), within)
								}
								errorUsed[within] = true
							}
							return true
						})
					}
					return true
				})
			}
		}
	}
	if calls < 40 {
		t.Errorf("only %d calls that log or report were found: the test looks in the wrong place", calls)
	}
	for table, used := range map[string]map[string]bool{"tellers": tellerUsed, "told": toldUsed, "errorsTold": errorUsed, "stringsTold": stringUsed} {
		for name, seen := range used {
			if !seen {
				t.Errorf("%s names %s, which nothing logs or reports any more", table, name)
			}
		}
	}
}

// tells reports whether a call logs, or adds to a deck's report.
func (p *checked) tells(call *ast.CallExpr) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if s := p.info.Selections[selector]; s != nil {
		switch short(s.Recv()) {
		case "*slog.Logger":
			return true
		case "deck.report", "*deck.report":
			return s.Kind() == types.MethodVal
		}
		return false
	}
	object := p.info.Uses[selector.Sel]
	return object != nil && object.Pkg() != nil && (object.Pkg().Path() == "log/slog" || object.Pkg().Path() == "log")
}

// called is the package and name of what a call calls: "deck.where", for methods too.
func (p *checked) called(call *ast.CallExpr) string {
	var name *ast.Ident
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f
	case *ast.SelectorExpr:
		name = f.Sel
	default:
		return ""
	}
	function, ok := p.info.Uses[name].(*types.Func)
	if !ok || function.Pkg() == nil {
		return name.Name
	}
	return function.Pkg().Name() + "." + name.Name
}
