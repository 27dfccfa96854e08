package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tapedeck/matchers/profiles"
)

// CompareRules says which entries of a tapedeck.yaml, or of a profile, came, went
// or changed, and by which of them more requests count as the same, or less is
// redacted, recorded or checked. file is how reports name it. Old or new is nil
// where there is no such file on that side. Comments, layout and the order of what
// has no order make no difference.
//
// The values are quoted as they stand, so whoever prints them has to redact them.
// The error is that of profiles.Parse, which quotes no value, for the side that
// cannot be read.
func CompareRules(file string, old, new []byte) ([]RuleChange, error) {
	before, err := settingsOf(file, old)
	if err != nil {
		return nil, fmt.Errorf("before the change: %w", err)
	}
	after, err := settingsOf(file, new)
	if err != nil {
		return nil, err
	}
	changes := compareSettings(before, after)
	// Where two entries are about the same thing the later one wins.
	for _, list := range []struct{ what, unit string }{{"rules", "rules: on "}, {"sessions", "sessions: "}} {
		was, is := before.inOrder(list.unit, after), after.inOrder(list.unit, before)
		if !slices.Equal(was, is) {
			changes = append(changes, RuleChange{What: list.what + ": their order", Kind: Moved, Old: yamlList(was), New: yamlList(is)})
		}
	}
	for i := range changes {
		changes[i].File = file
	}
	return changes, nil
}

func compareSettings(before, after *settings) (changes []RuleChange) {
	for _, what := range unionOf(before.order, after.order) {
		was, is := before.of[what], after.of[what]
		if was != nil && is != nil && was.fields != nil && is.fields != nil {
			changes = append(changes, compareSettings(was.fields, is.fields)...)
		} else if change, differs := compareSetting(was, is); differs {
			change.What = what
			changes = append(changes, change)
		}
	}
	return changes
}

// compareSetting compares the two sides of one setting, of which one may be nil.
// Of a list only the entries that came or went are quoted.
func compareSetting(was, is *setting) (RuleChange, bool) {
	var change RuleChange
	shape := cmp.Or(was, is)
	gone, come := was.without(is), is.without(was)
	switch {
	case len(gone)+len(come) > 0:
		change.Kind = Other
		if len(gone) == 0 && (shape.list || was == nil) {
			change.Kind = Added
		} else if len(come) == 0 && (shape.list || is == nil) {
			change.Kind = Removed
		}
	case was != nil && is != nil && shape.ordered && !slices.Equal(was.values, is.values):
		change.Kind, gone, come = Moved, was.values, is.values
	default:
		return change, false
	}
	if shape.list {
		change.Old, change.New = yamlList(gone), yamlList(come)
	} else {
		change.Old, change.New = strings.Join(gone, ", "), strings.Join(come, ", ")
	}
	if judge := effects[shape.path]; judge != nil {
		change.Looser = judge(was.all(), is.all())
	}
	return change, true
}

// yamlList writes values, which are YAML already, as one list.
func yamlList(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return "[" + strings.Join(values, ", ") + "]"
}

// unionOf lists the entries of both in the order of the second, those of the first
// alone behind what they followed.
func unionOf(first, second []string) []string {
	out := slices.Clone(second)
	at := 0
	for _, one := range first {
		if i := slices.Index(out, one); i >= 0 {
			at = i + 1
			continue
		}
		out = slices.Insert(out, at, one)
		at++
	}
	return out
}

// A setting is one thing that a file says: a list, or one value.
type setting struct {
	path    string // into the table of effects: "rules.ignore"
	values  []string
	list    bool
	ordered bool // a list whose order counts
	// fields are compared one by one where both sides have them: a redaction that only
	// got another reason is no looser.
	fields *settings
}

// all are the values, none for a side that does not say it.
func (s *setting) all() []string {
	if s == nil {
		return nil
	}
	return s.values
}

func (s *setting) without(other *setting) []string { return lacking(s.all(), other.all()) }

// lacking lists what the first list has and the second has not.
func lacking(list, in []string) (out []string) {
	for _, v := range list {
		if !slices.Contains(in, v) {
			out = append(out, v)
		}
	}
	return out
}

// settings are all that one file says, by what reports call it.
type settings struct {
	order []string
	of    map[string]*setting
}

func (s *settings) add(what, path string, list bool, values ...string) {
	if old := s.of[what]; old != nil && list { // a second rule about the same requests adds to the first
		old.values = append(old.values, values...)
		return
	}
	if s.of[what] == nil {
		s.order = append(s.order, what)
	}
	s.of[what] = &setting{path: path, list: list, ordered: path == "rules.rewrite", values: values}
}

// inOrder lists the units (the rules about the same requests, the sessions of one
// pattern) that both sides have, in this side's order.
func (s *settings) inOrder(prefix string, other *settings) []string {
	units := func(s *settings) (out []string) {
		for _, what := range s.order {
			unit, ok := strings.CutPrefix(what, prefix)
			if !ok {
				continue
			}
			unit, _, _ = strings.Cut(unit, ": ")
			if !slices.Contains(out, unit) {
				out = append(out, unit)
			}
		}
		return out
	}
	theirs := units(other)
	return slices.DeleteFunc(units(s), func(unit string) bool { return !slices.Contains(theirs, unit) })
}

// settingsOf reads one side.
func settingsOf(file string, data []byte) (*settings, error) {
	s := &settings{of: make(map[string]*setting)}
	if _, err := profiles.Parse(file, data); err != nil {
		return nil, err
	}
	root, err := rulesDocument(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s.read(root)
	return s, nil
}
