package leaves

import (
	"slices"
	"strings"
	"testing"
)

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		got  Place
		want string
	}{
		{Place("body").Member("line_items").Index(0).Member("price"), "body.line_items[0].price"},
		{Place("header").Member("stripe-account"), "header.stripe-account"},
		{Place("body").Member("a.b"), `body["a.b"]`},
		{Place("body").Member("a").Member("b"), "body.a.b"},
		{Place("body").Member("0"), "body.0"},
		{Place("body").Member(""), `body[""]`},
		{Place("body").Member("*"), `body["*"]`},
		{Place("body").Member("\xff\x00\u200b\U000e0001"), `body["\xff\u0000\u200b\udb40\udc01"]`},
		{Place("").Member("auth"), "auth"},
	} {
		if string(c.got) != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestPlaceCompare(t *testing.T) {
	want := []Place{
		"auth", "body", "body.a", "body.a[0]", "body.a[2]", "body.a[2].x", "body.a[10]", "body.aa", `body["[12"]`, "query.a",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Place.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("sorted %q", got)
	}
}

func TestPatternMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, place string
		head           string // "" for no match
	}{
		{"body", "body", "body"},
		{"body", "body.a[0]", "body"},
		{"body", "bodyx", ""},
		{"body.a", "body.a", "body.a"},
		{"body.a", "body.a.b", "body.a"},
		{"body.a", "body.a[0]", "body.a"},
		{"body.a", "body.ab", ""},
		{"body.a", `body["a.b"]`, ""},
		{`body["a"]`, "body.a", "body.a"},
		{`body["a.b"]`, `body["a.b"][3]`, `body["a.b"]`},
		{`body["\u0061\x2eb"]`, `body["a.b"]`, `body["a.b"]`},
		{`body["\ud83d\ude00"]`, `body["😀"]`, `body["😀"]`},
		{"body.items[*].created", "body.items[12].created", "body.items[12].created"},
		{"body.items[*]", "body.items.x", ""},
		{"body.items[1]", "body.items[12]", ""},
		{"body.*.id", "body.x.id", "body.x.id"},
		{"body.*.id", `body["x.\"]y"].id`, `body["x.\"]y"].id`},
		{"body.*", "body[0]", ""},
		{"body.*", "body", ""},
		{`body["*"]`, "body.a", ""},
		{`body["*"]`, `body["*"]`, `body["*"]`},
		{"header.Stripe-Account", "header.stripe-account", "header.stripe-account"},
		{"header.Cookie.Sid", "header.cookie.Sid", "header.cookie.Sid"},
		{"header.Cookie.Sid", "header.cookie.sid", ""},
		{"query.A", "query.a", ""},
		{"auth", "auth", "auth"},
	} {
		pt, err := ParsePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		head, ok := pt.Select(Place(c.place))
		if string(head) != c.head || ok != (c.head != "") || ok != pt.Match(Place(c.place)) {
			t.Errorf("%s on %s: %q, %v", c.pattern, c.place, head, ok)
		}
		if pt.String() != c.pattern {
			t.Errorf("String is %q", pt)
		}
	}
	if (Pattern{}).Match("body") {
		t.Error("the zero pattern selects something")
	}
}

func TestAnyIndex(t *testing.T) {
	for place, want := range map[Place]string{
		"":                           "",
		"body":                       "body",
		"body.items[0].tags[12]":     "body.items[*].tags[*]",
		"body[3][4].a":               "body[*][*].a",
		`body["a[1]\"[2]"][5]`:       `body["a[1]\"[2]"][*]`,
		"header.set-cookie[0]":       "header.set-cookie[*]",
		`query["é[7]"][1].plain[10]`: `query["é[7]"][*].plain[*]`,
	} {
		got := place.AnyIndex()
		if got != want {
			t.Errorf("%s: %s, want %s", place, got, want)
		}
		if place == "" {
			continue
		}
		if pattern, err := ParsePattern(got); err != nil || !pattern.Match(place) {
			t.Errorf("%s does not select %s: %v", got, place, err)
		}
	}
}

func TestPatternErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                     "character 1: a pattern begins with a name",
		".a":                   "character 1: a pattern begins with a name",
		"*":                    "character 1: a pattern begins with a name",
		"body.":                "character 6: a member name must follow",
		"body..a":              "character 6: a member name must follow",
		"body.a b":             "character 7: this character cannot stand in a plain name",
		"body.é":               "character 6: a member name must follow",
		"body.*x":              "character 7: a * stands for a whole",
		"body[]":               "character 6: an index, * or a quoted name",
		"body[x]":              "character 6: an index, * or a quoted name",
		"body[1":               "character 7: an index, * or a quoted name",
		"body[01]":             "character 6: an index is written without leading zeros",
		`body["a]`:             "character 9: the quoted name does not end",
		`body["a"`:             "character 9: a ] must follow",
		`body["\q"]`:           "character 7: this escape is unknown",
		`body["\ud800"]`:       "character 7: this escape is unknown",
		`body["\ud800\u0041"]`: "character 7: this escape is unknown",
		`body["a"]x`:           "character 10: only . or [ can follow here",
		"é":                    "character 1: a pattern begins with a name",
	} {
		if _, err := ParsePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", pattern, err, want)
		}
	}
}

// FuzzPlace: different paths never share a place, and a place read as a
// pattern selects itself and not another one.
func FuzzPlace(f *testing.F) {
	f.Add("a", "b", 1, "a.b", "", -1)
	f.Add("[0]", "\xff", 0, `"]`, "\\xff", 2)
	f.Add("a", "", -1, "a", "", 0)
	f.Fuzz(func(t *testing.T, a1, a2 string, a3 int, b1, b2 string, b3 int) {
		build := func(x, y string, i int) Place {
			p := Place("body").Member(x).Member(y)
			if i >= 0 {
				p = p.Index(i)
			}
			return p
		}
		a, b := build(a1, a2, a3), build(b1, b2, b3)
		same := a1 == b1 && a2 == b2 && (a3 == b3 || a3 < 0 && b3 < 0)
		if (a == b) != same {
			t.Fatalf("%q,%q,%d is %s and %q,%q,%d is %s", a1, a2, a3, a, b1, b2, b3, b)
		}
		if (a.Compare(b) == 0) != same || a.Compare(b) != -b.Compare(a) {
			t.Fatalf("Compare(%s, %s) = %d and %d", a, b, a.Compare(b), b.Compare(a))
		}
		pt, err := ParsePattern(string(a))
		if err != nil {
			t.Fatal(err)
		}
		if head, ok := pt.Select(a); !ok || head != a {
			t.Fatalf("%s selects %s of itself", a, head)
		}
		if !same && a3 >= 0 && pt.Match(b) {
			t.Fatalf("%s selects %s", a, b)
		}
	})
}
