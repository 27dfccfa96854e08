package diff

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	godoc "go/doc/comment"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write docs/diff.schema.json")

const schemaFile = "../../docs/diff.schema.json"

// The schema is made of diff.go: its types say what there is, its comments what it means.
func TestSchemaIsWhatTheTypesSay(t *testing.T) {
	want := schemaOfSource(t)
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what diff.go says; run go test ./cassettes/diff -run Schema -update\n%s", schemaFile, cmp.Diff(string(got), string(want)))
	}
}

func TestOutputFitsTheSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	check := func(d Diff) error {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	for seed := range uint64(60) {
		p := program{rand.New(rand.NewPCG(seed, 5))}
		old := p.recording(5)
		fresh := p.edit(old)
		d := compared(t, old, fresh)
		d.Rules = []RuleChange{{File: "tapedeck.yaml", What: "x", Kind: Added, New: "y"}}
		d.group()
		if err := check(d); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if err := check(Diff{Version: 1, Files: []File{}, Groups: []Group{}}); err != nil {
		t.Errorf("an empty one: %v", err)
	}
	for name, d := range map[string]Diff{
		"another version": {Version: 2, Files: []File{}, Groups: []Group{}},
		"no lists":        {Version: 1},
		"a grade":         {Version: 1, Files: []File{{Changes: []Change{{Part: Meta, Place: "order", Kind: Moved, Grade: "grave"}}}}, Groups: []Group{}},
	} {
		if check(d) == nil {
			t.Errorf("%s: it fits", name)
		}
	}
}

// schemaOfSource makes the JSON Schema of Diff.
func schemaOfSource(t *testing.T) []byte {
	t.Helper()
	s := schemaMaker{t: t, docs: map[string]string{}, enums: map[string][]enum{}}
	s.read("diff.go")
	definitions := map[string]any{}
	s.define(definitions, reflect.TypeFor[Diff]())
	root := definitions["Diff"].(map[string]any)
	delete(definitions, "Diff")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "The JSON form of a tapedeck diff"
	root["$defs"] = definitions
	root["properties"].(map[string]any)["version"].(map[string]any)["const"] = 1
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type schemaMaker struct {
	t     *testing.T
	docs  map[string]string // by type, and by type and field
	enums map[string][]enum // by type
}

// An enum is one value that a type can have.
type enum struct{ value, doc string }

// read collects comments and constants.
func (s *schemaMaker) read(file string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Clean(file), nil, parser.ParseComments)
	if err != nil {
		s.t.Fatal(err)
	}
	text := func(groups ...*ast.CommentGroup) string {
		for _, g := range groups {
			if g != nil {
				var p godoc.Parser
				printed := string((&godoc.Printer{TextWidth: -1}).Text(p.Parse(g.Text())))
				return strings.TrimSpace(strings.ReplaceAll(printed, "\n", " "))
			}
		}
		return ""
	}
	for _, d := range parsed.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				s.docs[spec.Name.Name] = text(spec.Doc, decl.Doc)
				if fields, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range fields.Fields.List {
						for _, name := range f.Names {
							s.docs[spec.Name.Name+"."+name.Name] = text(f.Doc, f.Comment)
						}
					}
				}
			case *ast.ValueSpec:
				if name, ok := spec.Type.(*ast.Ident); ok && decl.Tok == token.CONST {
					value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
					if err != nil {
						s.t.Fatal(err)
					}
					said := strings.TrimPrefix(text(spec.Doc, spec.Comment), spec.Names[0].Name+": ")
					s.enums[name.Name] = append(s.enums[name.Name], enum{value, said})
				}
			}
		}
	}
}

// define adds the definition of a struct and of all that it holds.
func (s *schemaMaker) define(to map[string]any, typ reflect.Type) {
	if to[typ.Name()] != nil {
		return
	}
	properties, required := map[string]any{}, []string{}
	to[typ.Name()] = map[string]any{
		"type": "object", "description": s.docs[typ.Name()], "properties": properties, "additionalProperties": false,
	}
	for f := range typ.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" {
			s.t.Errorf("%s.%s has no name in JSON", typ.Name(), f.Name)
		}
		one := s.of(to, f.Type)
		if doc := s.docs[typ.Name()+"."+f.Name]; doc != "" {
			if rest, ok := strings.CutPrefix(doc, f.Name+" "); ok {
				doc = name + " " + rest
			}
			one["description"] = strings.TrimSpace(doc + " " + listed(one["description"]))
		}
		properties[name] = one
		if options != "omitempty" {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		to[typ.Name()].(map[string]any)["required"] = required
	}
}

func listed(doc any) string {
	text, _ := doc.(string)
	return text
}

// of is the schema of a type.
func (s *schemaMaker) of(to map[string]any, typ reflect.Type) map[string]any {
	switch {
	case typ.Kind() == reflect.Pointer:
		return s.of(to, typ.Elem())
	case typ.Kind() == reflect.Struct:
		s.define(to, typ)
		return map[string]any{"$ref": "#/$defs/" + typ.Name()}
	case typ == reflect.TypeFor[[]byte]():
		return map[string]any{"type": "string", "contentEncoding": "base64"}
	case typ.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(to, typ.Elem())}
	case typ.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(to, typ.Elem())}
	case typ.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case typ.Kind() == reflect.Int, typ.Kind() == reflect.Int64:
		return map[string]any{"type": "integer"}
	}
	out := map[string]any{"type": "string"}
	if list := s.enums[typ.Name()]; len(list) > 0 {
		values, docs := []string{}, []string{}
		for _, e := range list {
			values = append(values, e.value)
			if e.doc != "" {
				docs = append(docs, e.value+": "+e.doc)
			}
		}
		out["enum"] = values
		if len(docs) > 0 {
			out["description"] = strings.Join(docs, " · ")
		}
	}
	return out
}
