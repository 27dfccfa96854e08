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
	rules := p.v.rules
	if len(rules.conditional)+len(rules.conditionalEnd) == 0 || len(leaf.Name) > 128 {
		return nil
	}
	name := fold(leaf.Name)
	for _, one := range rules.conditional[name] {
		if p.meets(one, around, leaf, in) {
			return one
		}
	}
	for _, end := range rules.conditionalEnd {
		if strings.HasSuffix(name, end.text) && p.meets(end.rule, around, leaf, in) {
			return end.rule
		}
	}
	return nil
}

func (p *pass) meets(one *rule, around *siblings, leaf *leaves.Leaf, in places) bool {
	return one.in&in != 0 && one.on.Match(p.target) && (one.At == "" || one.at.Match(leaf.Place)) && p.keepsCompany(one, around, leaf.Place)
}
