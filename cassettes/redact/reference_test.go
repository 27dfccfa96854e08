package redact

import (
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes/scope"
)

// What is searched in a quick way is held here to the plain way of doing it.

// soup is a text in which the given pieces stand often, whole and in part.
func soup(r *rand.Rand, pieces []string, n int) string {
	var b strings.Builder
	for b.Len() < n {
		piece := pieces[r.IntN(len(pieces))]
		if r.IntN(3) == 0 {
			piece = piece[:r.IntN(len(piece)+1)]
		}
		b.WriteString(piece)
		if r.IntN(3) == 0 {
			b.WriteByte(" -.a1\"\n"[r.IntN(7)])
		}
	}
	return b.String()
}

func TestIndexFindsEveryPattern(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	ix := newIndex()
	var patterns []string
	for range 700 { // enough to make the filters grow
		value := make([]byte, 8+r.IntN(12))
		for i := range value {
			value[i] = "abcAB12_"[r.IntN(8)]
		}
		if r.IntN(4) == 0 {
			copy(value, "abcabcab") // many start alike
		}
		before := ix.size
		ix.addPattern(pattern{text: string(value), secret: &secret{}, spelling: asText})
		if ix.size > before {
			patterns = append(patterns, string(value))
		}
	}
	for n := range 300 {
		text := soup(r, patterns, n)
		var got, want []string
		ix.scan(text, func(i int, p pattern) bool {
			got = append(got, text[:i]+"|"+p.text)
			return true
		})
		for i := range text {
			longest := ""
			for _, p := range patterns {
				if len(p) > len(longest) && strings.HasPrefix(text[i:], p) {
					longest = p
				}
			}
			if longest != "" {
				want = append(want, text[:i]+"|"+longest)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestAnchorsAreFound(t *testing.T) {
	rules, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for _, one := range rules.values {
		anchors = append(anchors, one.anchors...)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 300 {
		text := soup(r, anchors, n)
		type place struct {
			at   int
			rule *rule
		}
		var got, want []place
		rules.anchors.scan(text, func(i int, one *rule) { got = append(got, place{i, one}) })
		for i := range text {
			for _, one := range rules.values {
				for _, anchor := range one.anchors {
					if strings.HasPrefix(text[i:], anchor) {
						want = append(want, place{i, one})
					}
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: %d anchors, want %d", text, len(got), len(want))
		}
		may := rules.anchorsIn(text)
		for _, one := range rules.values {
			holds := len(one.anchors) == 0 || slices.ContainsFunc(one.anchors, func(a string) bool { return strings.Contains(text, a) })
			if may.has(one) != holds {
				t.Errorf("%q: %s", text, one.ID)
			}
		}
	}
}

// Every place where digits begin is tried.
func TestEveryNumberIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	pieces := []string{card1, "4539 5787 6362 1486", "4539-5787-6362-1486", "378734493671000", "12", "1234", "12345", "1.5", "%2245", "\\n4", "x"}
	for n := range 600 {
		text := soup(r, pieces, n/2)
		accept := func(run digitRun) bool { return luhn(run.digits) }
		var got, want []digitRun
		digitRuns(text, func(run digitRun) bool {
			if accept(run) {
				got = append(got, run)
			}
			return accept(run)
		})
		for i := 0; i < len(text); {
			if !isDigit(text[i]) {
				i++
				continue
			}
			end := digitRunAt(text, i, func(run digitRun) bool {
				if accept(run) {
					want = append(want, run)
				}
				return accept(run)
			})
			if end == 0 {
				for end = i; end < len(text) && isDigit(text[end]); end++ {
				}
			}
			i = end
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q:\n got %v\nwant %v", text, got, want)
		}
		var sv sieve
		sv.clear(len(text))
		sv.longNumbers(text)
		for _, run := range want {
			if !sv.holds(run.start, run.end) {
				t.Errorf("%q: the sieve passes %s over", text, run.digits)
			}
		}
	}
}

func TestNamesAreRemembered(t *testing.T) {
	cfg := Config{Add: []Rule{{ID: "x", Name: "*_thing", On: "POST api.stripe.com/**", Reason: "x"}, {ID: "y", Name: "thing", In: []string{"body"}, Reason: "x"}}}
	rules, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"", "token", "Token", "to_ken", "x_token", "next_page_token", "thing", "some-thing", "thing2", "code", "authorization", "password", "x-api-key",
		strings.Repeat("a", maxRuleName) + "token", strings.Repeat("a", maxRuleName-5) + "token"}
	for i := range 2 * len(rules.names) {
		names = append(names, "n"+strings.Repeat("m", i%20)+string(rune('a'+i%26))+strings.Repeat("_token", i%2))
	}
	targets := []scope.Target{stripe.Target(), (Scope{Method: "GET", Host: "x.dev", Path: "/"}).Target()}
	for range 2 {
		for _, name := range names {
			for _, in := range []places{inBody, inQuery, inRequestHeader, inUserinfo} {
				for _, target := range targets {
					var want *rule
					for _, one := range rules.candidates(name) {
						if one.in&in != 0 && one.on.Match(target) {
							want = one
							break
						}
					}
					if got := rules.named(name, in, target); got != want || got != nil && !rules.mayName(name) {
						t.Fatalf("%q: got %v, want %v", name, got, want)
					}
				}
			}
		}
	}
}

// startsOf never says no to a match.
func TestStarts(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	expressions := []*regexp.Regexp{regexp.MustCompile(`^(?:(?i)key|skip)`), regexp.MustCompile(`^$`), regexp.MustCompile(`^(?:a*|b)`), regexp.MustCompile(`^[^a-z]x`)}
	for i := range published {
		expressions = append(expressions, published[i].value)
	}
	texts := []string{"", "pk_test_1", "TRUE", "nULL", "****1", "•••42", "……", "000123456789", "AKIAIOSFODNN7EXAMPLE", "\u017fkip", "K\u212aey", "\u212aey", "Xx", "ab", "\xffx"}
	for range 2000 {
		texts = append(texts, soup(r, texts[1:], r.IntN(8)+1))
	}
	for _, find := range expressions {
		starts := startsOf(find)
		for _, text := range texts {
			if find.MatchString(text) && !starts.may(text) {
				t.Errorf("%s matches %q", find, text)
			}
		}
	}
	if starts := startsOf(published[0].value); starts.may("xyz") || !starts.may("pk_") {
		t.Error("the starts of publishable keys tell nothing")
	}
}

func TestStartsWithDate(t *testing.T) {
	find := regexp.MustCompile(`^\d{4}-\d\d-\d\d`)
	for _, s := range []string{"", "2026-01-31", "2026-01-3", "2026-01-31T00:00:00Z", "x026-01-31", "2026x01-31", "2026-01x31", "2026-a1-31", "20260131"} {
		if got, want := startsWithDate(s), find.MatchString(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// A value is learned once, however often it is seen; its place in a body is not kept.
func TestLearnedOnce(t *testing.T) {
	v := vault(t, Config{})
	v.learn(random1, "name-token", random1)
	learned, state := v.Learned(), v.state()
	v.learn(strings.Clone(random1), "name-token", random1)
	if v.Learned() != learned || !reflect.DeepEqual(v.state(), state) {
		t.Error("a value was learned twice")
	}
}
