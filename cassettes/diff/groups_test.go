package diff

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

// titles writes the groups in short, one per line.
func titles(d Diff) string {
	var b strings.Builder
	for _, g := range d.Groups {
		fmt.Fprintf(&b, "%s %s %s", g.Section, g.Grade, g.Title)
		if g.Cassettes > 1 || g.Interactions > 1 {
			fmt.Fprintf(&b, " [%d, %d]", g.Cassettes, g.Interactions)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func comparedFiles(t *testing.T, rules []RuleChange, pairs ...[2][]clean.Stored) Diff {
	t.Helper()
	var list []Pair
	for i, p := range pairs {
		name := fmt.Sprintf("c%d.yaml", i)
		var pair Pair
		if p[0] != nil {
			pair.Old = &Cassette{Name: name, List: loaded(t, p[0]...)}
		}
		if p[1] != nil {
			pair.New = &Cassette{Name: name, List: loaded(t, p[1]...)}
		}
		list = append(list, pair)
	}
	d, err := Compare(list, Options{Matcher: matcher(t), Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestGroups(t *testing.T) {
	before := exchanges(
		exchange{"POST", "/v1/refunds", `{"charge":"ch_1","amount":1}`, `{"id":"re_3MtwBwLkdIwHu7ix","status":"pending","reason":"x","items":[{"id":"a","price":1},{"id":"b","price":2}]}`},
		exchange{"GET", "/v1/refunds/re_3MtwBwLkdIwHu7ix", "", `{"id":"re_3MtwBwLkdIwHu7ix","status":"pending"}`},
		exchange{"DELETE", "/v1/refunds/re_3MtwBwLkdIwHu7ix", "", `{}`},
	)
	after := exchanges(
		exchange{"POST", "/v1/refunds", `{"charge":"ch_1","amount":1,"note":"hello"}`, `{"id":"re_3MtwBwLkdIwHu7ix","status":"pending","fee":12,"items":[{"id":"a","price":1.5},{"id":"b","price":"2"}]}`},
		exchange{"GET", "/v1/refunds/re_3MtwBwLkdIwHu7ix", "", `{"id":"re_3MtwBwLkdIwHu7ix","status":"succeeded"}`},
		exchange{"GET", "/v1/balance", "", `{}`},
	)
	after[2].ID, after[2].URL = 9, "https://eu.acme.dev/v1/balance"
	other := exchanges(exchange{"POST", "/v1/refunds", `{"charge":"ch_2"}`, `{"status":"pending"}`})
	otherAfter := exchanges(exchange{"POST", "/v1/refunds", `{"charge":"ch_2"}`, `{"status":"pending","fee":13}`})
	rules := []RuleChange{{File: "tapedeck.yaml", What: "rules: on POST api.acme.dev/orders", Kind: Added, Looser: true, New: "on: …"}}
	d := comparedFiles(t, rules, [2][]clean.Stored{before, after}, [2][]clean.Stored{other, otherAfter}, [2][]clean.Stored{other, other}, [2][]clean.Stored{other, nil}, [2][]clean.Stored{nil, other})
	want := `sent additive POST api.acme.dev/v1/refunds is sent now
sent additive new member ` + "`note`" + ` in POST /v1/refunds: "hello"
sent additive GET eu.acme.dev/v1/balance is sent now
sent value POST api.acme.dev/v1/refunds is no longer sent
sent value DELETE api.acme.dev/v1/refunds/{id} is no longer sent
hosts additive https://eu.acme.dev was not called before
rules value tapedeck.yaml: rules: on POST api.acme.dev/orders is new: more counts as the same, or less is checked
answered breaking ` + "`items[*].price`" + ` of POST /v1/refunds answers is a string instead of a number
answered breaking member ` + "`reason`" + ` is gone from POST /v1/refunds answers, it was "x"
answered additive new member ` + "`fee`" + ` in POST /v1/refunds answers [2, 2]
answered value ` + "`items[*].price`" + ` of POST /v1/refunds answers changed: 1 → 1.5
answered value ` + "`status`" + ` of GET /v1/refunds/{id} answers changed: "pending" → "succeeded"
`
	if got := titles(d); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if d.Same != 1 || len(d.Files) != 4 {
		t.Errorf("%d are the same, %d differ", d.Same, len(d.Files))
	}
	if want := (Counts{Breaking: 2, Additive: 5, Value: 5}); d.Counts != want {
		t.Errorf("counts %+v, want %+v", d.Counts, want)
	}
	for _, g := range d.Groups {
		for _, r := range g.Refs {
			if r.Interaction >= 0 && r.Change >= 0 && d.Files[r.File].Interactions[r.Interaction].Changes[r.Change].Grade != g.Grade {
				t.Errorf("%s refers to a change of another grade", g.Title)
			}
		}
	}
	fee := d.Groups[slices.IndexFunc(d.Groups, func(g Group) bool { return strings.Contains(g.Title, "fee") })]
	if fee.New != nil || len(fee.Refs) != 2 {
		t.Errorf("the group %+v", fee)
	}
}

func TestTitlesAreShort(t *testing.T) {
	long := strings.Repeat("x", 5000)
	d := compared(t,
		exchanges(exchange{"GET", "/a", "", `{"s":"a` + long + `","t":"` + long + `"}`}),
		exchanges(exchange{"GET", "/a", "", `{"s":"b` + long + `","u":"` + long + "\\u001b[31m\\n" + `"}`}))
	for _, g := range d.Groups {
		if len(g.Title) > 250 || strings.ContainsAny(g.Title, "\x1b\n") {
			t.Errorf("%q", g.Title)
		}
	}
}

func TestRecordingSection(t *testing.T) {
	list := exchanges(exchange{"GET", "/a", "", `{"a":1}`}, exchange{"POST", "/b", "", `{"a":1}`}, exchange{"GET", "/c", "", `{"a":1}`})
	other := slices.Clone(list)
	other[0], other[1] = other[1], other[0]
	other[2].ResponseBody, other[2].Recorded = []byte("{ \"a\": 1 }"), "2026-11-22"
	old, fresh := Cassette{Name: "a.yaml", List: loaded(t, list...)}, Cassette{Name: "b.yaml", List: loaded(t, other...), Unfinished: "the command ended with exit code 1"}
	d, err := Compare([]Pair{{&old, &fresh}}, Options{Matcher: matcher(t)})
	if err != nil {
		t.Fatal(err)
	}
	want := `recording value interactions stand in another order
recording value the recording is unfinished: "the command ended with exit code 1"
recording volatile the body of GET /c answers is written differently and says the same
recording volatile GET /c was recorded on another day: "2026-11-22"
`
	if got := titles(d); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	f := d.Files[0]
	if !slices.Equal(f.Order, []int{2, 1, 3}) || f.Old != "a.yaml" || f.New != "b.yaml" {
		t.Errorf("order %v of %s → %s", f.Order, f.Old, f.New)
	}
}

// Interactions that have nothing to do with each other may change places.
func TestOrder(t *testing.T) {
	get := func(path string) exchange { return exchange{"GET", path, "", `{"p":"` + path + `"}`} }
	for _, test := range []struct {
		name  string
		list  []exchange
		order []int // positions
		want  Grade
	}{
		{"reads", []exchange{get("/a"), get("/b")}, []int{1, 0}, Volatile},
		{"a read and a change", []exchange{get("/a"), {"POST", "/b", "", "{}"}}, []int{1, 0}, Changed},
		{"the same request", []exchange{get("/a"), {"GET", "/a", "", `{"other":1}`}}, []int{1, 0}, Changed},
	} {
		t.Run(test.name, func(t *testing.T) {
			list := exchanges(test.list...)
			var other []clean.Stored
			for _, at := range test.order {
				other = append(other, list[at])
			}
			f := compared(t, list, other).Files[0]
			if len(f.Changes) != 1 || f.Changes[0].Place != "order" || f.Changes[0].Grade != test.want || len(f.Interactions) != 0 {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestNewAndGoneInteractions(t *testing.T) {
	get := func(path string) exchange { return exchange{"GET", path, "", `{"p":"` + path + `"}`} }
	old := exchanges(get("/a"), get("/b"), get("/c"))
	fresh := append([]clean.Stored{exchanges(get("/x"))[0]}, old[0], exchanges(get("/y"))[0], old[2])
	fresh[0].ID, fresh[2].ID = 4, 5
	f := compared(t, old, fresh).Files[0]
	var got []string
	for _, one := range f.Interactions {
		after := "top"
		if one.After != nil {
			after = fmt.Sprint(*one.After)
		}
		got = append(got, fmt.Sprintf("%s %d %s behind %s", one.Fate, one.ID, one.Route, after))
	}
	want := []string{"added 4 GET api.acme.dev/x behind top", "removed 2 GET api.acme.dev/b behind top", "added 5 GET api.acme.dev/y behind 1"}
	if !slices.Equal(got, want) || f.Order != nil || f.Unchanged != 2 {
		t.Errorf("got %q, order %v, %d unchanged", got, f.Order, f.Unchanged)
	}
}

func TestRenames(t *testing.T) {
	get := func(path string) exchange { return exchange{"GET", path, "", `{}`} }
	cassette := func(name string, list ...exchange) Cassette {
		return Cassette{Name: name, List: loaded(t, exchanges(list...)...)}
	}
	gone := []Cassette{cassette("a", get("/1"), get("/2"), get("/3")), cassette("b", get("/x")), cassette("c", get("/7"), get("/8"))}
	fresh := []Cassette{cassette("d", get("/7")), cassette("e", get("/9"), get("/1"), get("/2")), cassette("f", get("/1"))}
	if got, want := Renames(gone, fresh, matcher(t)), []int{1, -1, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCompareSaysWhichInteraction(t *testing.T) {
	list := loaded(t, exchanges(exchange{"GET", "/a", "", "{}"})...)
	list[0] = unreadable(t)
	_, err := Compare([]Pair{{&Cassette{Name: "x.yaml"}, &Cassette{Name: "x.yaml", List: list}}}, Options{Matcher: matcher(t)})
	if err == nil || !strings.HasPrefix(err.Error(), "cassette x.yaml: interaction 7: ") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// A title shows what differs, also where two long texts differ late.
func TestTitlesShowWhatDiffers(t *testing.T) {
	long := strings.Repeat("é lorem ipsum ", 30)
	for _, c := range []struct{ name, old, fresh, want string }{
		{"short", "pending", "succeeded", `"pending" → "succeeded"`},
		{"early", "a" + long, "b" + long, `"aé lorem ipsum é lorem ipsum é lorem ips…" → "bé lorem ipsum é lorem ipsum é lorem ips…"`},
		{"late", long + "one", long + "two", `"…rem ipsum one" → "…rem ipsum two"`},
		{"one goes on", long, long + "two", `"…rem ipsum " → "…rem ipsum two"`},
		{"amid a character", long + "é", long + "è", `"…rem ipsum é" → "…rem ipsum è"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := func(s string) []clean.Stored {
				return exchanges(exchange{"GET", "/v1/terms", "", `{"terms":"` + s + `"}`})
			}
			got := titles(comparedFiles(t, nil, [2][]clean.Stored{body(c.old), body(c.fresh)}))
			if want := "answered value `terms` of GET /v1/terms answers changed: " + c.want + "\n"; got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
	picture := func(b byte) []clean.Stored {
		s := answer("image/png", "\x89PNG\r\n\x1a\n\x00"+string(rune(b)))
		s.ID, s.Method, s.URL = 1, "GET", "https://api.acme.dev/logo"
		return []clean.Stored{s}
	}
	got := titles(comparedFiles(t, nil, [2][]clean.Stored{picture(1), picture(2)}))
	if want := "answered value the body of GET /logo answers changed: other 10 bytes\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// lost is a shelf whose bodies are gone.
type lost struct{}

func (lost) Create() (clean.Draft, error)       { return nil, errors.New("there is no room") }
func (lost) Open(string) (io.ReadCloser, error) { return nil, errors.New("its body file is missing") }

func unreadable(t testing.TB) clean.Interaction {
	s := answer("text/plain", "")
	s.ID, s.ResponseLarge = 7, clean.NewLarge("sha256-00", 9<<20, lost{})
	return loaded(t, s)[0]
}
