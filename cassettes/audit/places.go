package audit

import (
	"strings"

	"tapedeck/cassettes/foreign"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// A hit is one secret that was replaced.
type hit struct {
	rule   string
	place  leaves.Place
	offset int // in the original text
	// elsewhere says that rule found the same secret at another place.
	elsewhere bool
}

// A hitKey is what makes two hits of two runs over the same file the same.
type hitKey struct {
	unit, part int
	place      leaves.Place
	rule       string
}

// findings lists what was replaced or should have been.
func (r *run) findings() ([]Finding, map[hitKey]bool) {
	var out []Finding
	keys := make(map[hitKey]bool)
	r.each(func(k hitKey, u *unit, p *foreign.Part, h hit) {
		keys[k] = true
		out = append(out, r.finding(u, p, h.offset, h.place, h.rule, r.why(h)))
	})
	return append(out, r.problems...), keys
}

// kept lists what this run replaced and the one with keeps did not, where a keep says
// why. It notes the places in at, with no rule.
func (r *run) kept(found map[hitKey]bool, at map[hitKey]bool) []Finding {
	var out []Finding
	r.each(func(k hitKey, u *unit, p *foreign.Part, h hit) {
		if found[k] {
			return
		}
		if reason, ok := r.auditor.reason(h.rule, u.scope.Target(), h.place); ok {
			out = append(out, r.finding(u, p, h.offset, h.place, h.rule, reason))
			k.rule = ""
			at[k] = true
		}
	})
	return out
}

// each calls f for every secret that the run has replaced.
func (r *run) each(f func(k hitKey, u *unit, p *foreign.Part, h hit)) {
	for i := range r.units {
		u := &r.units[i]
		var alone map[*foreign.Part][]hit
		for j, p := range u.parts {
			if p.Text() == p.Original() {
				continue
			}
			if alone == nil {
				alone = r.alone(u)
			}
			for _, h := range hits(r.sources, u, p, p.Text()) {
				h.rule, h.elsewhere = ruleAt(h, alone[p])
				f(hitKey{i, j, h.place, h.rule}, u, p, h)
			}
		}
	}
}

// alone says what the rules find in a unit by itself. What they do not find then is
// there because it was found elsewhere.
func (r *run) alone(u *unit) map[*foreign.Part][]hit {
	v := redact.NewVault(r.rules)
	clean := make(map[*foreign.Part]string)
	r.clean(v, u, (*foreign.Part).Original, func(p *foreign.Part, text string, err error) {
		if err == nil {
			clean[p] = text
		}
	})
	sources := v.Sources()
	out := make(map[*foreign.Part][]hit)
	for p, text := range clean {
		if text != p.Original() {
			out[p] = hits(sources, u, p, text)
		}
	}
	return out
}

// ruleAt is the rule that finds a hit where it stands, or else the one that found the
// same secret elsewhere.
func ruleAt(h hit, alone []hit) (rule string, elsewhere bool) {
	rule, elsewhere = h.rule, true
	for _, one := range alone {
		if one.place == h.place && (elsewhere || one.offset == h.offset) {
			rule, elsewhere = one.rule, false
		}
	}
	return rule, elsewhere
}

// why says why a hit is one.
func (r *run) why(h hit) string {
	if h.elsewhere {
		return "it was found elsewhere in this file by this rule"
	}
	return r.auditor.reasons[h.rule]
}

// hits says which secrets of a part were replaced in text, and where they stood.
func hits(sources map[string]string, u *unit, p *foreign.Part, text string) []hit {
	switch p.Kind {
	case foreign.Body:
		return hitsIn(sources, u.in.ContentType(p.Direction), p.Original(), text)
	case foreign.URL:
		return hitsInURL(sources, p.Original(), text)
	}
	return hitsInText(sources, placeOf(p), p.Original(), text)
}

// hitsIn compares a body with its clean form, leaf by leaf: redaction keeps the leaves.
func hitsIn(sources map[string]string, contentType, before, after string) []hit {
	_, old, err := leaves.Body(contentType, []byte(before))
	_, now, err2 := leaves.Body(contentType, []byte(after))
	if err == nil && err2 == nil && len(old) == len(now) {
		if out := hitsInLeaves(sources, old, now, 0); out != nil {
			return out
		}
	}
	return hitsInText(sources, "body", before, after)
}

// hitsInLeaves gives a hit the place and the offset of its leaf.
func hitsInLeaves(sources map[string]string, old, now []leaves.Leaf, offset int) []hit {
	var out []hit
	for i := range old {
		if old[i].Value == now[i].Value {
			continue
		}
		for _, h := range hitsInText(sources, old[i].Place, old[i].Value, now[i].Value) {
			h.offset = offset + old[i].Start
			out = append(out, h)
		}
	}
	return out
}

// leadLength is how much text before a secret tells its place, in bytes.
const leadLength = 32

// hitsInText finds the placeholders that are new in a text, and where what they stand
// for stood.
func hitsInText(sources map[string]string, place leaves.Place, before, after string) []hit {
	there := make(map[string]bool)
	for _, ph := range redact.Placeholders(before) {
		there[ph.ID] = true
	}
	var out []hit
	last, from := 0, 0
	for _, ph := range redact.Placeholders(after) {
		// What stands before the placeholder stood before the secret.
		lead := after[max(last, ph.Start-leadLength):ph.Start]
		at := from
		if i := strings.Index(before[from:], lead); i >= 0 {
			at = from + i + len(lead)
			from = at
		}
		last = ph.End
		if there[ph.ID] {
			continue
		}
		rule := sources[ph.ID]
		if rule == "" {
			rule = "redaction"
		}
		out = append(out, hit{rule: rule, place: place, offset: at})
	}
	if out == nil {
		out = append(out, hit{rule: "redaction", place: place})
	}
	return out
}

func hitsInURL(sources map[string]string, before, after string) []hit {
	oldBase, oldQuery, hasQuery := strings.Cut(before, "?")
	base, query, stillHas := strings.Cut(after, "?")
	var out []hit
	oldInfo, oldRest := userinfo(oldBase)
	info, rest := userinfo(base)
	if oldInfo != info {
		out = append(out, hitsInText(sources, "userinfo", oldInfo, info)...)
	}
	if oldRest != rest {
		for _, h := range hitsInText(sources, "path", oldRest, rest) {
			h.offset += len(oldBase) - len(oldRest)
			out = append(out, h)
		}
	}
	if hasQuery && stillHas && oldQuery != query {
		old, _ := leaves.Query(oldQuery)
		now, _ := leaves.Query(query)
		var list []hit
		if len(old) == len(now) {
			list = hitsInLeaves(sources, old, now, len(oldBase)+1)
		}
		if list == nil {
			list = hitsInText(sources, "query", oldQuery, query)
		}
		out = append(out, list...)
	}
	if out == nil {
		out = hitsInText(sources, "url", before, after)
	}
	return out
}

// userinfo splits a URL without query behind its user-info.
func userinfo(base string) (info, rest string) {
	_, after, ok := strings.Cut(base, "//")
	if !ok {
		return "", base
	}
	host, _, _ := strings.Cut(after, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		at := len(base) - len(after) + i
		return base[:at], base[at:]
	}
	return "", base
}
