package leaves

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// streamed reads a body with a JSONStream.
func streamed(r io.Reader) (list []Leaf, err error) {
	s := NewJSONStream(r, "body", "")
	for {
		leaf, err := s.Next()
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return list, err
		}
		list = append(list, leaf)
	}
}

// FuzzJSONStream: a stream has the leaves that the whole body has, whatever
// pieces it comes in.
func FuzzJSONStream(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,{"b":null},[],{}],"c":"x\u00e9\ud83d\ude00","d":{"e":true}}`, ` [ ] `, `"x"`, `-1.5e3`, `{"a":{}}`, `{"a.b":[[["x"]],2]}`,
		`{"a":1,"a":2}`, `{"a"`, `[1,]`, `{"":{"":[{"":0}]}}`, "[\"\xff\"]", `["\ud800"]`, strings.Repeat("[", 300), `{} {}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := streamed(iotest.OneByteReader(bytes.NewReader(body)))
		want, wantErr := splitJSON(body, 0, "body", "")
		if wantErr != nil {
			return // the stream may go further: it allows equal names, and does not look behind the end
		}
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d leaves, want %d", body, len(got), len(want))
		}
		for i, w := range want {
			g := got[i]
			if g.Place != w.Place || g.Name != w.Name || g.Kind != w.Kind || g.Value != w.Value || g.Start != w.Start || g.End != w.End ||
				!bytes.Equal(g.Quote("x"), w.Quote("x")) {
				t.Fatalf("%q: leaf %d is %+v, want %+v", body, i, g, w)
			}
		}
	})
}

func TestJSONStreamErrors(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1`: "it ends too early", `[1}`: "syntax error", "[\"\xff\"]": "not UTF-8", ``: "it ends too early",
		strings.Repeat("[", maxDepth+2): "nested deeper", `{"` + strings.Repeat("a", maxPlace+1) + `":1}`: "member names longer",
	} {
		if _, err := streamed(strings.NewReader(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", body, err, want)
		}
	}
	broken := errors.New("the line is cut")
	_, err := streamed(io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(broken)))
	if err == nil {
		t.Error("no error from a reader that fails")
	}
	if list, err := streamed(strings.NewReader(`{"a":1,"a":2}`)); err != nil || len(list) != 2 {
		t.Errorf("equal names: %v, %v", list, err)
	}
}

func TestLines(t *testing.T) {
	list, n, err := Lines([]byte("{\"a\":1}\n\n[2,3]"), 4)
	if err != nil || n != 2 || len(list) != 3 || list[0].Place != "body[4].a" || list[2].Place != "body[5][1]" || list[1].Start != 10 {
		t.Errorf("%+v, %d, %v", list, n, err)
	}
	if _, _, err := Lines([]byte("{\"a\":1}\nnone"), 0); err == nil {
		t.Error("a line that is not JSON has no error")
	}
}
