package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"tapedeck/cassettes/diff"
)

// What is written bit by bit is what encoding/json makes of the whole.
func TestJSONIsThatOfTheWhole(t *testing.T) {
	zero := 0
	d := diff.Diff{
		Version: 1,
		Files: []diff.File{{Old: "a.yaml", New: "<&>\u2028\"\x01\b\n.yaml", Interactions: []diff.Interaction{{
			Fate: diff.IsNew, ID: 1, After: &zero, Method: "GET", URL: "https://api.acme.dev/?a=1&b=<2>",
			Changes: []diff.Change{{Part: diff.Response, Place: "body.é", Kind: diff.Added, At: &zero, New: &diff.Value{Type: "binary", Size: 3, Bytes: []byte("a\xffb")}}},
			Recorded: &diff.Recorded{Request: diff.Message{
				Header: map[string][]string{"B": {"x", ""}, "A": nil, "C": {}}, Exact: map[string][]byte{"url": {0xff}, "a": {}},
			}},
		}}}},
	}
	var want, got bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		t.Fatal(err)
	}
	if err := JSON(&got, d, Options{}); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("got\n%s\nwant\n%s", &got, &want)
	}
}

// largestWrite fails after the first write, and notes how much that was.
type largestWrite struct{ n int }

var errFull = errors.New("the disk is full")

func (w *largestWrite) Write(b []byte) (int, error) {
	if w.n > 0 {
		return 0, errFull
	}
	w.n = len(b)
	return len(b), nil
}

// A large Diff is not held in memory a second time, and the error of the writer is told.
func TestJSONInPieces(t *testing.T) {
	d := diff.Diff{Files: make([]diff.File, 20_000)}
	var w largestWrite
	if err := JSON(&w, d, Options{}); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if most := 1 << 20; w.n == 0 || w.n > most {
		t.Errorf("the first piece has %d bytes", w.n)
	}
}
