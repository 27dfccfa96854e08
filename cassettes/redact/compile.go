package redact

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/scope"
)

// Rules is a compiled, immutable rule set.
type Rules struct {
	list    []Rule
	exact   map[string][]*rule // by folded name
	endings []ending
	values  []*rule // those found by their shape, in order
	anchors *anchorTable
	loose   []*rule // value rules without a literal start: tried everywhere
	cards   *rule
	keeps   []keep
	env     []known
}

// maxOrder bounds how many value rules search by anchor; others search everywhere.
const maxOrder = 96

// ending is a name rule written "*token".
type ending struct {
	text string
	rule *rule
}

// rule is a Rule made ready.
type rule struct {
	Rule
	on      scope.On
	in      places
	reading reading
	order   int // of the value rules that have anchors
	shape   shape
	inside  bool
	byHand  func(f *finder, i int) (hit, bool) // instead of find, for what a text is searched for
	anchors []string                           // every match holds one of them; none for loose rules
	find    *regexp.Regexp                     // anchored at the start, or free for rules of the configuration
	free    bool                               // find is free
	whole   *regexp.Regexp                     // the kept text around any secret, however short
	clean   *regexp.Regexp                     // the kept text around a placeholder
}

// places is a set of where a name or value can stand.
type places uint8

const (
	inRequestHeader places = 1 << iota
	inResponseHeader
	inQuery
	inBody
	inPath
	inUserinfo
	anywhere places = 0xff
)

var placeNames = map[string]places{
	"request-header": inRequestHeader, "response-header": inResponseHeader, "query": inQuery,
	"body": inBody, "path": inPath, "userinfo": inUserinfo,
}

// placeGroups are the shorthands of the built-in table.
var placeGroups = map[string][]string{
	"header": {"request-header", "response-header"}, "field": {"query", "body"},
}

type keep struct {
	Keep
	on scope.On
	at leaves.Pattern
}

// Compile joins the built-in rules with cfg. The error names the rule or keep
// that is wrong and what to write instead.
func Compile(cfg Config) (*Rules, error) {
	r := &Rules{exact: make(map[string][]*rule), anchors: newAnchorTable()}
	removed := make(map[string]bool)
	for _, id := range cfg.Remove {
		removed[id] = true
	}
	ids := make(map[string]bool)
	r.addBuiltIn(removed, ids)
	for i, add := range cfg.Add {
		if err := r.add(add, ids); err != nil {
			return nil, fmt.Errorf("redact.add[%d]: %w", i, err)
		}
	}
	for i, id := range cfg.Remove {
		if !ids[id] {
			return nil, fmt.Errorf("redact.remove[%d]: there is no rule %q; \"tapedeck rules\" lists them", i, id)
		}
	}
	for i, k := range cfg.Keep {
		compiled, err := compileKeep(k, ids)
		if err != nil {
			return nil, fmt.Errorf("redact.keep[%d]: %w", i, err)
		}
		r.keeps = append(r.keeps, compiled)
	}
	r.env = r.knownFromEnv(cfg.Env)
	return r, nil
}

// List returns every rule in force, built-in ones first.
func (r *Rules) List() []Rule { return slices.Clone(r.list) }

func (r *Rules) addBuiltIn(removed, ids map[string]bool) {
	for _, row := range nameRules {
		ids[row.id] = true
		if removed[row.id] {
			continue
		}
		in := placeGroups[row.in]
		if in == nil {
			in = []string{row.in}
		}
		for _, name := range strings.Fields(row.names) {
			r.addName(&rule{Rule: Rule{ID: row.id, Reason: row.reason, Name: name, In: in}, reading: row.reading})
		}
	}
	for _, row := range valueRules {
		ids[row.id] = true
		if removed[row.id] {
			continue
		}
		one := &rule{Rule: Rule{ID: row.id, Reason: row.reason, Value: row.value}, in: anywhere,
			shape: row.shape, inside: row.inside, byHand: byHand[row.id]}
		r.list = append(r.list, one.Rule)
		if row.shape == shapeCard {
			r.cards = one
			continue
		}
		one.compileValue(`^(?:` + row.value + `)`)
		one.order = len(r.values)
		r.values = append(r.values, one)
		one.anchors = strings.Fields(row.anchors)
		for _, anchor := range one.anchors {
			r.anchors.add(anchor, one)
		}
	}
}

// add compiles one rule of the configuration.
func (r *Rules) add(add Rule, ids map[string]bool) error {
	one := &rule{Rule: add}
	switch {
	case add.ID == "":
		return fmt.Errorf("the rule has no id; give it one that reports can name")
	case ids[add.ID]:
		return fmt.Errorf("rule %s: the id is taken; choose another, or remove the other rule first", add.ID)
	case (add.Name == "") == (add.Value == ""):
		return fmt.Errorf("rule %s: exactly one of name and value must be set", add.ID)
	}
	if add.On != "" {
		on, err := scope.ParseOn(add.On)
		if err != nil {
			return fmt.Errorf("rule %s: on: %w", add.ID, err)
		}
		one.on = on
	}
	for _, in := range add.In {
		if placeNames[in] == 0 {
			return fmt.Errorf("rule %s: in: %q is none of request-header, response-header, query, body, path, userinfo", add.ID, in)
		}
	}
	ids[add.ID] = true
	if add.Name != "" {
		if folded := fold(strings.TrimPrefix(add.Name, "*")); folded == "" || strings.Contains(folded, "*") {
			return fmt.Errorf("rule %s: name: %q must be a name, or \"*\" and a name's end", add.ID, add.Name)
		}
		r.addName(one)
		return nil
	}
	free, err := regexp.Compile(add.Value)
	if err != nil {
		return fmt.Errorf("rule %s: value: %w", add.ID, err)
	}
	if free.MatchString("") {
		return fmt.Errorf("rule %s: value: %q matches the empty text; make it need at least one character", add.ID, add.Value)
	}
	one.in = inOf(add.In)
	r.list = append(r.list, add)
	one.order = len(r.values)
	r.values = append(r.values, one)
	one.free = true
	one.compileValue(`(?:` + add.Value + `)`)
	if prefix, _ := free.LiteralPrefix(); len(prefix) >= 3 && one.order < maxOrder {
		one.anchors = []string{prefix}
		r.anchors.add(prefix, one)
		return nil
	}
	r.loose = append(r.loose, one)
	return nil
}

func (r *Rules) addName(one *rule) {
	one.in = inOf(one.In)
	r.list = append(r.list, one.Rule)
	if end, ok := strings.CutPrefix(one.Name, "*"); ok {
		r.endings = append(r.endings, ending{fold(end), one})
		return
	}
	name := fold(one.Name)
	r.exact[name] = append(r.exact[name], one)
}

// mayMatch reports whether a text holds what every match of the rule holds.
func (one *rule) mayMatch(s string) bool {
	for _, anchor := range one.anchors {
		if strings.Contains(s, anchor) {
			return true
		}
	}
	return len(one.anchors) == 0
}

func inOf(names []string) places {
	if len(names) == 0 {
		return anywhere
	}
	var in places
	for _, name := range names {
		in |= placeNames[name]
	}
	return in
}

// compileValue also makes the two patterns for a value that stands whole under
// a secret name: find's with anything, or with a placeholder, in place of the secret.
func (one *rule) compileValue(find string) {
	one.find = regexp.MustCompile(find)
	if one.find.NumSubexp() == 0 {
		return
	}
	one.whole = regexp.MustCompile(`^(?:` + aroundSecret(one.Value, `(?s)(.+?)`) + `)$`)
	one.clean = regexp.MustCompile(`^(?:` + aroundSecret(one.Value, `(`+word+`(?:-(?:[A-Za-z_][A-Za-z0-9_]*-)?)?(?:[0-9]{4}|A[0-9]{8}))`) + `)$`)
}

// aroundSecret returns pattern with another pattern in place of its first group.
func aroundSecret(pattern, secret string) string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(err) // it has been compiled already
	}
	with, err := syntax.Parse(secret, syntax.Perl)
	if err != nil {
		panic(err)
	}
	var replace func(re *syntax.Regexp) *syntax.Regexp
	replace = func(re *syntax.Regexp) *syntax.Regexp {
		if re.Op == syntax.OpCapture && re.Cap == 1 {
			return with
		}
		for i, sub := range re.Sub {
			re.Sub[i] = replace(sub)
		}
		return re
	}
	return replace(tree).String()
}

func compileKeep(k Keep, ids map[string]bool) (keep, error) {
	out := keep{Keep: k}
	switch {
	case k.Rule == "":
		return out, fmt.Errorf("it names no rule; write the id that \"tapedeck rules\" shows")
	case !ids[k.Rule]:
		return out, fmt.Errorf("there is no rule %q; \"tapedeck rules\" lists them", k.Rule)
	case strings.TrimSpace(k.Reason) == "":
		return out, fmt.Errorf("keeping what rule %s finds needs a reason, which \"tapedeck audit\" lists", k.Rule)
	case k.At == "" && k.On == "":
		return out, fmt.Errorf("it would keep everything that rule %s finds; say where with on or at, or remove the rule", k.Rule)
	}
	var err error
	if k.On != "" {
		if out.on, err = scope.ParseOn(k.On); err != nil {
			return out, fmt.Errorf("on: %w", err)
		}
	}
	if k.At != "" {
		if out.at, err = leaves.ParsePattern(k.At); err != nil {
			return out, fmt.Errorf("at: %w", err)
		}
	}
	return out, nil
}

// fold brings a name into the form in which names are compared.
func fold(name string) string {
	folded := make([]byte, 0, 64)
	return string(appendFolded(folded, name))
}

func appendFolded(to []byte, name string) []byte {
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_' || c == '-' || c == '.':
		case 'A' <= c && c <= 'Z':
			to = append(to, c|0x20)
		default:
			to = append(to, c)
		}
	}
	return to
}

// named returns the rule for a value under name, or nil.
func (r *Rules) named(name string, in places, t scope.Target) *rule {
	if len(name) > 128 {
		return nil
	}
	var buffer [128]byte
	folded := appendFolded(buffer[:0], name)
	for _, one := range r.exact[string(folded)] {
		if one.in&in != 0 && one.on.Match(t) {
			return one
		}
	}
	for i := range r.endings {
		end := &r.endings[i]
		if n := len(folded) - len(end.text); n >= 0 && string(folded[n:]) == end.text &&
			end.rule.in&in != 0 && end.rule.on.Match(t) && notSecret[string(folded)] == "" {
			return end.rule
		}
	}
	return nil
}
