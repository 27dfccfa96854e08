package diff

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
)

// A place that was taken apart and put together again is the same.
func FuzzSteps(f *testing.F) {
	f.Add("a", "b.c", 7)
	f.Add("", "é\x00\xff\"\\", 0)
	f.Add("\U0001f600\U000e0001", "[0]", 12)
	f.Fuzz(func(t *testing.T, x, y string, i int) {
		p := leaves.Place("body").Member(x).Index(i & 0xffff).Member(y)
		got, err := steps(p)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if want := []step{toMember("body"), toMember(x), toElement(i & 0xffff), toMember(y)}; !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: got %v, want %v", p, got, want)
		}
		if placeOf(got) != p {
			t.Fatalf("%s became %s", p, placeOf(got))
		}
		_, _ = steps(leaves.Place(x)) // whatever it is
	})
}

func TestStepsRefuses(t *testing.T) {
	for _, p := range []leaves.Place{"a.", ".a", "a..b", "a[", "a[x]", "a[-1]", `a["x`, `a["x"`, `a["\u12"]`, `a["\ud800"]`, "a[0]b", "a[99999999999999999999]"} {
		if got, err := steps(p); err == nil {
			t.Errorf("%s is %v", p, got)
		}
	}
}

// Changes that were not made from the recording are refused, in words without traffic.
func TestPatchRefuses(t *testing.T) {
	at := func(i int) *int { return &i }
	value := &Value{Type: "string", Text: "secret words"}
	old := answer(jsonType, `{"a":[1,2],"b":"x"}`)
	for name, ch := range map[string]Change{
		"no place":                    {Part: Response, Kind: Other, New: value},
		"not a place":                 {Part: Response, Place: "body..", Kind: Other, New: value},
		"no such root":                {Part: Response, Place: "soul", Kind: Other, New: value},
		"no such part":                {Part: "", Place: "body", Kind: Other, New: value},
		"the other part's root":       {Part: Response, Place: "query.a", Kind: Other, New: value},
		"no such member":              {Part: Response, Place: "body.z", Kind: Other, New: value},
		"a member that was not there": {Part: Response, Place: "body.z", Kind: Removed},
		"under what is new":           {Part: Response, Place: "body.z.y", Kind: Added, New: value, At: at(0)},
		"no value":                    {Part: Response, Place: "body.b", Kind: Other},
		"a value that is no JSON":     {Part: Response, Place: "body.b", Kind: Retyped, New: &Value{Type: "object", Text: "secret words"}},
		"an element too far":          {Part: Response, Place: "body.a[5]", Kind: Added, New: value, At: at(5)},
		"gone twice":                  {Part: Response, Place: "body.a[2]", Kind: Removed},
		"moved from what is no place": {Part: Response, Place: "body.a[0]", Was: "body.a[", Kind: Moved},
		"moved from too far":          {Part: Response, Place: "body.a[0]", Was: "body.a[9]", Kind: Moved},
		"moved to too far":            {Part: Response, Place: "body.a[9]", Was: "body.a[0]", Kind: Moved},
		"added nowhere":               {Part: Response, Place: "body.c", Kind: Added, New: value},
		"a status that is no number":  {Part: Response, Place: "status", Kind: Other, New: value},
		"under a scalar":              {Part: Response, Place: "body.b.c", Kind: Added, New: value, At: at(0)},
		"a header that is no map":     {Part: Response, Place: "header", Kind: Rewrote, New: value},
		"answers that are no list":    {Part: Response, Place: "informational", Kind: Rewrote, New: value},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := patch(old, []Change{ch})
			if err == nil {
				t.Fatalf("it gives %s", out.ResponseBody)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error holds traffic: %v", err)
			}
		})
	}
}

// No change that a file can hold breaks patch.
func FuzzPatch(f *testing.F) {
	f.Add(`[{"part":"response","place":"body.a[1]","kind":"moved","was":"body.a[0]"},{"part":"response","place":"body.a[0]","kind":"removed"}]`, `{"a":[1,2]}`)
	f.Add(`[{"part":"response","place":"body.a","kind":"added","at":-3,"new":{"type":"object","text":"{}"}}]`, `{"b":[1,2]}`)
	f.Add(`[{"part":"response","place":"header.x[3]","kind":"added","at":3,"new":{"type":"binary"}},{"part":"request","place":"path[1]","kind":"removed"}]`, `x`)
	f.Fuzz(func(t *testing.T, text, body string) {
		var list []Change
		if json.Unmarshal([]byte(text), &list) != nil {
			return
		}
		for _, contentType := range fuzzedTypes {
			_, _ = patch(answer(contentType, body), list)
		}
	})
}

// A body that nests deeper than any real one is a text.
func TestDeep(t *testing.T) {
	for _, depth := range []int{maxDepth, maxDepth + 1, 100_000} {
		old := strings.Repeat("[", depth) + "1" + strings.Repeat("]", depth)
		list := proven(t, answer(jsonType, old), answer(jsonType, strings.Replace(old, "1", "2", 1)))
		if wasRead := list[0].Place != "body"; len(list) != 1 || wasRead != (depth <= maxDepth) {
			t.Errorf("depth %d: %d changes, the first at %s", depth, len(list), list[0].Place)
		}
	}
	if _, err := parseJSON(strings.Repeat(`{"a":`, maxDepth+1)); !errors.Is(err, errDeep) {
		t.Error(err)
	}
}

// Long names over small elements must not cost their length once for each.
func TestLongNames(t *testing.T) {
	name := strings.Repeat("n", 1<<22)
	list := func(v string) string {
		return `{"` + name + `":[` + strings.TrimSuffix(strings.Repeat(v+",", 50), ",") + `]}`
	}
	got := proven(t, answer(jsonType, list("1")), answer(jsonType, list("2")))
	if len(got) != 1 || got[0].Place != "body" {
		t.Errorf("%d changes", len(got))
	}
}

// patch keeps what no change speaks of.
func TestPatchKeeps(t *testing.T) {
	old := answer(jsonType, `{"a":1}`)
	old.ID, old.Begin, old.RequestHeader = 7, 3, map[string][]string{"Accept": {"x"}}
	out, err := patch(old, nil)
	if err != nil || !reflect.DeepEqual(out, old) {
		t.Errorf("got %+v, %v", out, err)
	}
	var none []clean.Informational
	if !reflect.DeepEqual(out.Informational, none) {
		t.Error("informational answers appeared")
	}
}
