package diff

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// What the index finds is what a search for each value finds.
func TestWordIndex(t *testing.T) {
	values := map[string]bool{"4711": true, "4711-a": true, "/4711": true, "b.4711": true, "x_1": true, "1": true, "a1-": true, "é1": true, "4711.": true}
	naive := func(text, value string) bool {
		for at := range len(text) {
			if holdsAt(text, at, value) {
				return true
			}
		}
		return false
	}
	for text, want := range map[string]string{
		"":                  "",
		"4711":              "4711",
		"14711":             "",
		"x4711 47112":       "",
		"/v1/4711":          "4711",
		"v1//4711-a":        "/4711 4711 4711-a",
		"b.4711.":           "4711 4711. b.4711",
		"bb.4711":           "4711",
		"x_1_ x_1":          "x_1",
		"a1- 1":             "1 a1-",
		"é1":                "1 é1",
		`{"id":4711,"n":1}`: "1 4711",
	} {
		found := map[string]bool{}
		indexWords(values).each(text, func(v string) { found[v] = true })
		if got := strings.Join(slices.Sorted(maps.Keys(found)), " "); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
		for v := range values {
			if found[v] != naive(text, v) {
				t.Errorf("%s: %s: got %t", text, v, found[v])
			}
		}
	}
}
