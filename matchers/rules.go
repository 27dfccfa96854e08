package matchers

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/scope"
)

// rule is a compiled Rule.
type rule struct {
	on        scope.On
	ignore    []leaves.Pattern
	as        []shapeRule
	rewrite   []rewriteRule
	unordered []leaves.Pattern
	headers   []string // canonical
	affects   []scope.On
	safe      bool
	repeat    string
	echo      string
}

type shapeRule struct {
	fact  leaves.Pattern
	shape string
}

type rewriteRule struct {
	fact leaves.Pattern
	find *regexp.Regexp
	with string
}

// The facts that each kind of rule can name.
var (
	allFacts   = []string{"auth", "body", "header", "host", "method", "path", "query", "scheme"}
	textFacts  = []string{"body", "header", "host", "path", "query"}
	leafFacts  = []string{"body", "header", "query"}
	arrayFacts = []string{"body", "query"}
)

func compile(r Rule, number int) (*rule, error) {
	source := r.Source
	if source == "" {
		source = fmt.Sprintf("rule %d", number)
	}
	fail := func(format string, args ...any) (*rule, error) {
		return nil, fmt.Errorf("%s: %s", source, fmt.Sprintf(format, args...))
	}
	out := &rule{safe: r.Safe, repeat: r.Repeat, echo: r.Echo}
	var err error
	if out.on, err = scope.ParseOn(r.On); err != nil {
		return fail("on: %v", err)
	}
	if out.ignore, err = patterns(r.Ignore, allFacts); err != nil {
		return fail("ignore: %v", err)
	}
	if out.unordered, err = patterns(r.Unordered, arrayFacts); err != nil {
		return fail("unordered: %v", err)
	}
	for _, text := range slices.Sorted(maps.Keys(r.As)) {
		shape := r.As[text]
		if shapes[shape] == nil {
			return fail("as: %s: %q is no shape; write uuid, time or integer", text, shape)
		}
		fact, err := pattern(text, leafFacts)
		if err != nil {
			return fail("as: %v", err)
		}
		out.as = append(out.as, shapeRule{fact, shape})
		out.nameHeader(fact)
	}
	for _, rw := range r.Rewrite {
		fact, err := pattern(rw.Fact, textFacts)
		if err != nil {
			return fail("rewrite: fact: %v", err)
		}
		find, err := regexp.Compile(rw.Find)
		switch {
		case err != nil:
			return fail("rewrite: find: %v", err)
		case rw.Find == "":
			return fail("rewrite: %s: find is empty; write the regular expression to replace", rw.Fact)
		}
		out.rewrite = append(out.rewrite, rewriteRule{fact, find, rw.With})
		out.nameHeader(fact)
	}
	for _, name := range r.Headers {
		if name == "" || strings.ContainsFunc(name, notToken) {
			return fail("headers: %q is not a header's name", name)
		}
		out.headers = append(out.headers, canonicalHeader(name))
	}
	for _, text := range r.Affects {
		on, err := scope.ParseOn(text)
		if err != nil {
			return fail("affects: %v", err)
		}
		out.affects = append(out.affects, on)
	}
	if !slices.Contains([]string{"", "last", "cycle"}, r.Repeat) {
		return fail("repeat: %q is unknown; write last or cycle", r.Repeat)
	}
	if !slices.Contains([]string{"", "on", "off"}, r.Echo) {
		return fail("echo: %q is unknown; write off or on", r.Echo)
	}
	return out, nil
}

// nameHeader makes the header that a fact's pattern names one that counts.
func (r *rule) nameHeader(fact leaves.Pattern) {
	if root, name := fact.Head(); root == "header" && name != "" {
		r.headers = append(r.headers, canonicalHeader(name))
	}
}

func notToken(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}

func patterns(texts, roots []string) (out []leaves.Pattern, err error) {
	for _, text := range texts {
		p, err := pattern(text, roots)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func pattern(text string, roots []string) (leaves.Pattern, error) {
	p, err := leaves.ParsePattern(text)
	if err != nil {
		return p, err
	}
	if root, _ := p.Head(); !slices.Contains(roots, root) {
		return p, fmt.Errorf("%s: there is no fact %q to name here; the facts are %s", text, root, strings.Join(roots, ", "))
	}
	return p, nil
}

// inForce are the rules for one request, in order.
type inForce []*rule

func (m *Matcher) inForce(t scope.Target) (out inForce) {
	for _, r := range m.rules {
		if r.on.Match(t) {
			out = append(out, r)
		}
	}
	return out
}

func (rs inForce) ignores(p leaves.Place) bool {
	for _, r := range rs {
		for i := range r.ignore {
			if r.ignore[i].Match(p) {
				return true
			}
		}
	}
	return false
}

// shape is the shape that the last rule for the fact names, or "".
func (rs inForce) shape(p leaves.Place) (shape string) {
	for _, r := range rs {
		for i := range r.as {
			if r.as[i].fact.Match(p) {
				shape = r.as[i].shape
			}
		}
	}
	return shape
}

func (rs inForce) rewrite(p leaves.Place, value string) string {
	for _, r := range rs {
		for i := range r.rewrite {
			if rw := &r.rewrite[i]; rw.fact.Match(p) {
				value = rw.find.ReplaceAllString(value, rw.with)
			}
		}
	}
	return value
}

// unordered lists the patterns of arrays without order, innermost first, so
// that an array is sorted by elements that are sorted already.
func (rs inForce) unordered() (out []leaves.Pattern) {
	for _, r := range rs {
		out = append(out, r.unordered...)
	}
	slices.SortStableFunc(out, func(a, b leaves.Pattern) int { return b.Len() - a.Len() })
	return out
}

// headers lists the headers that rules name, each once, sorted.
func (rs inForce) headers() (out []string) {
	for _, r := range rs {
		out = append(out, r.headers...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (rs inForce) safe() bool {
	return slices.ContainsFunc(rs, func(r *rule) bool { return r.safe })
}

func (rs inForce) repeat() (repeat string) {
	for _, r := range rs {
		if r.repeat != "" {
			repeat = r.repeat
		}
	}
	return repeat
}

func (rs inForce) echo() bool {
	echo := true
	for _, r := range rs {
		if r.echo != "" {
			echo = r.echo == "on"
		}
	}
	return echo
}
