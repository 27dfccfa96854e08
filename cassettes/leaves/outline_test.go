package leaves

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// An outline says of each leaf what Body says.
func TestOutline(t *testing.T) {
	for _, c := range []struct{ contentType, body string }{
		{"application/json", `{"a":[1,{"b":"x\n"},[],{}],"c d":null,"e":{"f":true}}`},
		{"application/json", `"x"`},
		{"application/x-ndjson", "{\"a\":1}\n\n[2,\"\\u00e9\"]\n3"},
		{"application/x-www-form-urlencoded", "a[][b]=1&a[][b]=2&c=%20+x&d&=y&e[f]g=1"},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"j\"\r\nContent-Type: application/json\r\n\r\n{\"a\":[1]}\r\n--b--\r\n"},
		{"", "[1]"},
	} {
		format, list, err := Body(c.contentType, []byte(c.body))
		if err != nil || len(list) == 0 {
			t.Fatal(c, err)
		}
		var o Outline
		for range 2 { // an outline can be used again
			sameLeaves(t, &o, c.contentType, c.body, format, list)
			if o.Release(); o.Len() != 0 {
				t.Error("a released outline has leaves")
			}
		}
	}
	_, list, _ := Body("application/json", []byte(`{"a":"x","b":"\u0061","c":1}`))
	of := OutlineOf(`{"a":"x","b":"\u0061","c":1}`, list)
	for i, want := range []bool{true, false, true} {
		if value, ok := of.Verbatim(i); ok != want || value != list[i].Value || of.Name(i) != list[i].Name {
			t.Errorf("leaf %d: %q, %v", i, value, ok)
		}
	}
	var o Outline
	if _, err := o.Body("application/json", `{"a":1,"b":`); err == nil || o.Len() > 0 {
		t.Error("an outline keeps leaves of what is no JSON")
	}
	if err := o.Query("a=%4&b=c"); err == nil || o.Len() != 2 || o.Kind(0) != Raw || o.Place(1) != "query.b" {
		t.Error("a bad escape takes the other fields of a query along")
	}
}

func sameLeaves(t *testing.T, o *Outline, contentType, body string, format Format, list []Leaf) {
	t.Helper()
	got, err := o.Body(contentType, body)
	if err != nil || got != format || o.Len() != len(list) {
		t.Fatalf("%q: %s with %d leaves, %v; Body has %s with %d", body, got, o.Len(), err, format, len(list))
	}
	for i, leaf := range list {
		start, end := o.Span(i)
		if o.Place(i) != leaf.Place || o.Name(i) != leaf.Name || o.Kind(i) != leaf.Kind || o.Value(i) != leaf.Value ||
			start != leaf.Start || end != leaf.End || !bytes.Equal(o.Quote(i, "x\n"), leaf.Quote("x\n")) {
			t.Errorf("%q: leaf %d is %s %q, Body has %s %q", body, i, o.Place(i), o.Value(i), leaf.Place, leaf.Value)
		}
		if one := o.Leaf(i); one.Place != leaf.Place || one.Value != leaf.Value || one.Start != start || one.Part != nil && one.Part.Place != leaf.Part.Place {
			t.Errorf("%q: leaf %d is %+v", body, i, one)
		}
		if value, ok := o.Verbatim(i); ok && (value != leaf.Value || !strings.Contains(body[start:end], value)) {
			t.Errorf("%q: leaf %d is not verbatim", body, i)
		}
	}
}

// FuzzJSON holds the reader of JSON to what jsontext, a reader that others wrote,
// takes for JSON and reads.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, ` { "a" : [ 1 , -0.5e+7 , "x" , true , false , null , { } , [ ] ] } `, `"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t"`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		`"\ud800"`, `"\ud800\ud800"`, `"\udc00"`, `"\u12"`, "\"\xff\"", "\"\x1f\"", "\"\xed\xa0\x80\"", `01`, `-`, `-01`, `1.`, `.5`, `1e`, `1e+`, `+1`, `1 2`, `[1,]`, `{"a":1,}`, `{,}`, `{"a"}`, `{1:2}`,
		`tru`, `nulll`, `[nul]`, ``, ` `, "\ufeff{}", `{"a":{"b":{"c":[[[1]]]}}}`, `["é","ünï",""]`, `{"":1}`, `{"a.b":1,"c\"d":2}`, `"abcdefgh\"ijklmnop"`, "\"abcdefg\x00\"",
		strings.Repeat("[", maxDepth+2), `{` + strings.TrimSuffix(strings.Repeat(`"a%d":1,`, 20), ",") + `}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := splitJSON(body, 0, "body", "")
		want, wantErr := jsontextLeaves(body)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v; jsontext: %v", body, err, wantErr)
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d leaves; jsontext: %d", body, len(got), len(want))
		}
		for i := range got {
			got[i].quote = nil
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("%q:\n got %+v\nwant %+v", body, got[i], want[i])
			}
		}
	})
}

// jsontextLeaves reads leaves with jsontext.
func jsontextLeaves(body []byte) (list []Leaf, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(slices.Clone(body)))
	var read func(p Place, name string, depth int) error
	add := func(leaf Leaf, length int) {
		leaf.End = int(dec.InputOffset())
		leaf.Start = leaf.End - length
		list = append(list, leaf)
	}
	read = func(p Place, name string, depth int) error {
		if depth > maxDepth || len(p) > maxPlace {
			return errors.New("too deep")
		}
		kind := dec.PeekKind()
		if kind != '{' && kind != '[' {
			raw, err := dec.ReadValue()
			if err != nil {
				return err
			}
			leaf := Leaf{Place: p, Name: name, Value: string(raw)}
			switch raw.Kind() {
			case '"':
				b, err := jsontext.AppendUnquote(nil, []byte(raw))
				if err != nil {
					return err
				}
				leaf.Kind, leaf.Value = String, string(b)
			case '0':
				leaf.Kind = Number
			case 't', 'f':
				leaf.Kind = Bool
			default:
				leaf.Kind, leaf.Value = Null, ""
			}
			add(leaf, len(raw))
			return nil
		}
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		start := int(dec.InputOffset()) - 1
		for n := 0; ; n++ {
			if next := dec.PeekKind(); next == '}' || next == ']' {
				_, err := dec.ReadToken()
				if n == 0 && err == nil {
					empty := EmptyObject
					if kind == '[' {
						empty = EmptyArray
					}
					add(Leaf{Place: p, Name: name, Kind: empty}, int(dec.InputOffset())-start)
				}
				return err
			}
			if kind == '[' {
				if err := read(p.Index(n), name, depth+1); err != nil {
					return err
				}
				continue
			}
			token, err := dec.ReadToken()
			if err != nil {
				return err
			}
			member := token.String()
			if err := read(p.Member(member), member, depth+1); err != nil {
				return err
			}
		}
	}
	if err := read("body", "", 0); err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, fmt.Errorf("something follows: %w", err)
	}
	return list, nil
}
