package redact

import (
	"strings"

	"tapedeck/cassettes/leaves"
)

// addConditional adds a name rule that looks at what stands around the value too.
func (r *Rules) addConditional(one *rule) {
	if end, ok := strings.CutPrefix(one.Name, "*"); ok {
		r.conditionalEnd = append(r.conditionalEnd, ending{fold(end), one})
		return
	}
	if r.conditional == nil {
		r.conditional = make(map[string][]*rule)
	}
	name := fold(one.Name)
	r.conditional[name] = append(r.conditional[name], one)
}

// conditionally returns the rule in force for a leaf among those that look at what
// stands around it, or nil.
func (p *pass) conditionally(around *siblings, leaf *leaves.Leaf, in places) *rule {
	for _, one := range p.v.rules.names.of(p.v.rules, leaf.Name).conditional {
		if p.meets(one, around, leaf, in) {
			return one
		}
	}
	return nil
}

// conditionalCandidates are the rules that look at what stands around a value under
// name, in the order in which they count.
func (r *Rules) conditionalCandidates(name string) (list []*rule) {
	if len(r.conditional)+len(r.conditionalEnd) == 0 {
		return nil
	}
	name = fold(name)
	list = append(list, r.conditional[name]...)
	for _, end := range r.conditionalEnd {
		if strings.HasSuffix(name, end.text) {
			list = append(list, end.rule)
		}
	}
	return list
}

func (p *pass) meets(one *rule, around *siblings, leaf *leaves.Leaf, in places) bool {
	return one.in&in != 0 && one.on.Match(p.target) && (one.At == "" || one.at.Match(leaf.Place)) && p.keepsCompany(one, around, leaf.Place)
}
