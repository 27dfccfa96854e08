package redact

import (
	"strings"

	"tapedeck/cassettes/leaves"
)

// labelNames are the members that name what stands in a member called value beside
// them: {"name": "DB_PASSWORD", "value": "…"} of environments, settings and headers.
var labelNames = map[string]bool{"name": true, "key": true, "field": true, "type": true}

// isLabelled reports whether a member's value may be named by what stands around it.
func isLabelled(name string) bool { return name == "value" || name == "Value" }

// labelled returns the name rule for a member called value: by a label beside it, or by
// the name of the object that holds it ({"password": {"value": "…"}}). It is nil when
// there is none.
func (p *pass) labelled(around *siblings, leaf *leaves.Leaf, in places) *rule {
	if in != inBody || leaf.Kind != leaves.String || !isLabelled(leaf.Name) {
		return nil
	}
	parent := parentOf(leaf.Place)
	r := around.labels(p)[parent]
	if r == nil {
		r = p.nameRule(parent[strings.LastIndexByte(parent, '.')+1:])
	}
	if r == nil || r.reading != readWhole && r.reading != readCredentials && r.reading != readCard {
		return nil
	}
	if r.Name == "token" && !strong(leaf.Value) && !strings.HasPrefix(leaf.Value, word) {
		return nil // lexers and models call the pieces of a text so
	}
	return r
}

// labels are the name rules that labels name, by the object that they stand in.
func (around *siblings) labels(p *pass) map[string]*rule {
	if around.byLabel != nil {
		return around.byLabel
	}
	around.byLabel = make(map[string]*rule)
	add := func(leaf leaves.Leaf) {
		if leaf.Kind != leaves.String || len(leaf.Value) > maxName {
			return
		}
		if r := p.nameRule(leaf.Value); r != nil {
			around.byLabel[parentOf(leaf.Place)] = r
		}
	}
	for _, leaf := range around.list {
		if labelNames[fold(leaf.Name)] {
			add(leaf)
		}
	}
	if o := around.outline; o != nil {
		for i := range o.Len() {
			if labelNames[fold(o.Name(i))] {
				add(o.Leaf(i))
			}
		}
	}
	return around.byLabel
}
