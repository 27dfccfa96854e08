package profiles

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/tapedeck.schema.json")

func TestSchemaFile(t *testing.T) {
	const path = "../../docs/tapedeck.schema.json"
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll("../../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the keys say; run go test ./matchers/profiles -update\n%s", path, cmp.Diff(string(got), string(want)))
	}
}

// TestKeysAreTheTypes holds the list of keys against the Go types that the
// values end up in: a field without a key could never be set, a key without a
// field would be read and forgotten.
func TestKeysAreTheTypes(t *testing.T) {
	var compare func(path string, s *shape, typ reflect.Type)
	compare = func(path string, s *shape, typ reflect.Type) {
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ == reflect.TypeFor[Sessions]() {
			if s.kind != table {
				t.Errorf("%s: must be a table", path)
				return
			}
			compare(path+".*", s.item, typ.Elem())
			return
		}
		if typ == reflect.TypeFor[Days]() {
			if s.kind != text {
				t.Errorf("%s: must be text", path)
			}
			return
		}
		want := map[reflect.Kind]kind{
			reflect.Struct: object, reflect.Map: table, reflect.Slice: list, reflect.Bool: truth, reflect.String: text,
		}
		if k, ok := want[typ.Kind()]; !ok || k != s.kind {
			t.Errorf("%s: the key's kind does not fit the Go type %s", path, typ)
			return
		}
		switch s.kind {
		case object:
			fields := map[string]reflect.Type{}
			for f := range fieldsOf(typ) {
				name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
				if name == "" {
					t.Errorf("%s: field %s has no yaml tag", path, f.Name)
				}
				if name != "-" {
					fields[name] = f.Type
				}
			}
			for _, k := range s.keys {
				if _, ok := fields[k.name]; !ok {
					t.Errorf("%s: key %q has no field in %s", path, k.name, typ)
					continue
				}
				compare(path+"."+k.name, k.shape, fields[k.name])
				delete(fields, k.name)
			}
			for name := range fields {
				t.Errorf("%s: field %q of %s has no key", path, name, typ)
			}
		case table, list:
			compare(path+"[]", s.item, typ.Elem())
		}
	}
	compare("", file, reflect.TypeFor[File]())
}

func fieldsOf(typ reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range typ.NumField() {
			if f := typ.Field(i); f.IsExported() && !yield(f) {
				return
			}
		}
	}
}

// TestKeysAreExplained: descriptions are sentences, and examples pass the check
// and the pattern of their own key.
func TestKeysAreExplained(t *testing.T) {
	var walk func(path string, s *shape)
	walk = func(path string, s *shape) {
		if !strings.HasSuffix(s.doc, ".") {
			t.Errorf("%s: description %q is no sentence", path, s.doc)
		}
		if s.kind == text && s.choices == nil && s.example == "" {
			t.Errorf("%s: has no example", path)
		}
		if s.example != "" && s.check != nil {
			if err := s.check(s.example); err != nil {
				t.Errorf("%s: example %q %v", path, s.example, err)
			}
			if !regexpMatch(t, s.pattern, s.example) {
				t.Errorf("%s: example %q does not match the schema's pattern", path, s.example)
			}
		}
		for _, k := range s.keys {
			walk(join(path, k.name), k.shape)
		}
		for _, part := range []*shape{s.names, s.item} {
			if part != nil {
				walk(path+"[]", part)
			}
		}
	}
	walk("", file)
	if slices.Contains(keyNames(file), "") {
		t.Error("a key has no name")
	}
}
