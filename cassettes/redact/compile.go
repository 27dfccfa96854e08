package redact

import (
	"bytes"
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
	list     []Rule
	exact    map[string][]*rule // by folded name
	endings  []ending
	nameEnds nameEnds // of the names in exact and endings
	names    nameCache
	// conditional are the name rules that look at what stands around the value too.
	conditional    map[string][]*rule
	conditionalEnd []ending
	values         []*rule // those found by their shape, in order
	anchors        *anchorTable
	loose          []*rule     // value rules without a literal start: tried everywhere
	traces         *traceTable // of loose, then of hosts; nil when there are too many
	cards          *rule
	keeps          []keep
	env            []known
	hosts          []*rule
	paths          []*rule
	email          *rule // finds addresses in texts; nil without personal data, as is
	wholeIP        *rule // which finds those that are a whole value
	removed        []string
	refuse         bool // a save with suspects
	scoped         bool // a rule or keep looks at method, host or path
	personal       bool
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
	on       scope.On
	link     scope.On // of a path rule: on with any method, for URLs in texts
	segments []int    // of a path rule: which are secret
	at       leaves.Pattern
	in       places
	reading  reading
	company  company
	host     bool
	order    int // of the value rules that have anchors
	shape    shape
	inside   bool
	byHand   func(f *finder, i int) (hit, bool) // instead of find, for what a text is searched for
	anchors  []string                           // every match holds one of them; none for loose rules
	find     *regexp.Regexp                     // anchored at the start, or free for rules of the configuration
	free     bool                               // find is free
	whole    *regexp.Regexp                     // the kept text around any secret, however short
	clean    *regexp.Regexp                     // the kept text around a placeholder
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
	nth int // its position among the keeps
	on  scope.On
	at  leaves.Pattern
}

// Compile joins the built-in rules with cfg. The error names the rule or keep
// that is wrong and what to write instead.
func Compile(cfg Config) (*Rules, error) {
	r := &Rules{exact: make(map[string][]*rule), anchors: newAnchorTable(), removed: slices.Clone(cfg.Remove), refuse: cfg.RefuseUnknown, personal: cfg.PII}
	removed := make(map[string]bool)
	for _, id := range cfg.Remove {
		removed[id] = true
	}
	ids := map[string]bool{UnknownRule: true}
	r.addBuiltIn(removed, ids)
	r.addPersonal(cfg.PII, removed, ids)
	for i, add := range cfg.Add {
		to := r
		if add.PII != "" && !cfg.PII {
			to = &Rules{exact: make(map[string][]*rule), anchors: newAnchorTable()} // to find its faults
		}
		if err := to.add(add, ids); err != nil {
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
		compiled.nth = len(r.keeps)
		r.keeps = append(r.keeps, compiled)
	}
	r.scoped = len(r.paths) > 0 || slices.ContainsFunc(r.list, func(one Rule) bool { return one.On != "" }) ||
		slices.ContainsFunc(r.keeps, func(k keep) bool { return k.On != "" })
	r.traces = newTraceTable(slices.Concat(r.loose, r.hosts))
	r.env = r.knownFromEnv(cfg.Env)
	return r, nil
}

// List returns every rule in force, built-in ones first.
func (r *Rules) List() []Rule { return slices.Clone(r.list) }

// Rules is what the vault goes by.
func (v *Vault) Rules() *Rules { return v.rules }

// Removed lists the ids of the rules that the configuration switches off.
func (r *Rules) Removed() []string { return slices.Clone(r.removed) }

// Keeps lists the places that the configuration exempts, with their reasons.
func (r *Rules) Keeps() []Keep {
	out := make([]Keep, len(r.keeps))
	for i := range r.keeps {
		out[i] = r.keeps[i].Keep
	}
	return out
}

// ReplacesPersonal reports whether personal data is replaced too.
func (r *Rules) ReplacesPersonal() bool { return r.personal }

// RefusesUnknown reports whether suspects stop a save.
func (r *Rules) RefusesUnknown() bool { return r.refuse }

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
			r.addName(&rule{Rule: Rule{ID: row.id, Reason: row.reason, Name: name, In: in, Source: builtInSource}, reading: row.reading})
		}
	}
	for _, row := range valueRules {
		ids[row.id] = true
		if removed[row.id] {
			continue
		}
		one := &rule{Rule: Rule{ID: row.id, Reason: row.reason, Value: row.value, Source: builtInSource}, in: anywhere,
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
	case given(add.Name, add.Value, add.Path, add.Host) != 1:
		return fmt.Errorf("rule %s: exactly one of name, value, path and host must be set", add.ID)
	case add.PII != "" && !slices.Contains(PIIKinds(), add.PII):
		return fmt.Errorf("rule %s: pii: %q is none of %s", add.ID, add.PII, strings.Join(PIIKinds(), ", "))
	case add.PII != "" && add.Name == "":
		return fmt.Errorf("rule %s: pii goes with name; what a value or path rule finds has no format to keep", add.ID)
	case add.At != "" && add.Name == "":
		return fmt.Errorf("rule %s: at goes with name; limit the rule with in and on", add.ID)
	case add.Path != "" && (add.On != "" || len(add.In) > 0):
		return fmt.Errorf("rule %s: path says where it looks by itself; leave on and in out", add.ID)
	case add.Host != "" && len(add.In) > 0:
		return fmt.Errorf("rule %s: a host can stand anywhere; leave in out", add.ID)
	case add.Name != "" && slices.Contains(add.In, "path"):
		return fmt.Errorf("rule %s: in: a path has no names; write path: \"POST host/x/{secret}\" in a rule of its own", add.ID)
	}
	if add.At != "" {
		at, err := leaves.ParsePattern(add.At)
		if err != nil {
			return fmt.Errorf("rule %s: at: %w", add.ID, err)
		}
		one.at = at
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
	switch {
	case add.Path != "":
		return r.addPath(one)
	case add.Host != "":
		return r.addHost(one)
	}
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
	if one.PII != "" {
		one.reading = readPersonal
	}
	one.in = inOf(one.In)
	r.list = append(r.list, one.Rule)
	if one.company != alone || one.At != "" {
		r.addConditional(one)
		return
	}
	if end, ok := strings.CutPrefix(one.Name, "*"); ok {
		r.nameEnds.add(fold(end))
		r.endings = append(r.endings, ending{fold(end), one})
		return
	}
	name := fold(one.Name)
	r.nameEnds.add(name)
	r.exact[name] = append(r.exact[name], one)
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
	one.clean = regexp.MustCompile(`^(?:` + aroundSecret(one.Value, `(`+word+`(?:-(?:[A-Za-z_][A-Za-z0-9_]*-)?)?(?:(?:(?:00)?`+zeros+`)?[0-9]{4}|A(?:0?`+zeros+`)?[0-9]{8}))`) + `)$`)
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
	for _, one := range r.names.of(r, name).rules {
		if one.in&in != 0 && one.on.Match(t) {
			return one
		}
	}
	return nil
}

// candidates are the rules for values under name wherever it stands, in the order in
// which they count.
func (r *Rules) candidates(name string) (list []*rule) {
	if len(name) > maxRuleName {
		return nil
	}
	var buffer [maxRuleName]byte
	folded := appendFolded(buffer[:0], name)
	list = append(list, r.exact[string(folded)]...)
	if notSecret[string(folded)] != "" {
		return list
	}
	for i := range r.endings {
		if end := &r.endings[i]; bytes.HasSuffix(folded, []byte(end.text)) {
			list = append(list, end.rule)
		}
	}
	return list
}

// maxRuleName is the longest name that a rule can name, in bytes.
const maxRuleName = 128

// given counts the texts that are not empty.
func given(texts ...string) (n int) {
	for _, text := range texts {
		if text != "" {
			n++
		}
	}
	return n
}
