package redact

import (
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/scope"
)

// A pass redacts what belongs to one request or response.
type pass struct {
	v      *Vault
	target scope.Target
	dir    Direction
	// names says that name rules apply; a sweep has only values to go by.
	names bool
	// byValue says that places are not known, so that what a keep lets stand
	// is known by its value.
	byValue bool
	// oauth says that the request's path is one of an OAuth exchange.
	oauth bool
	keeps []keep
	// at is the place of everything, inside a value that has structure of its own.
	at    leaves.Place
	depth int
	// fixed says that what is replaced must keep its length: s is part of bytes.
	fixed bool
	// noText and noEvents are what plain and events have found nothing in.
	noText, noEvents quietText
}

// A quietText is a text in which nothing was found when so many values were learned:
// the next round need not search it again.
type quietText struct {
	what, text string // what is the place, or the content type
	learned    int
}

func (q *quietText) is(what, text string, learned int) bool {
	return q.learned == learned && q.text == text && q.what == what && text != ""
}

// maxDepth bounds how deep structure is looked for inside strings.
const maxDepth = 3

// inside returns a pass over the structure inside the value at place.
func (p *pass) inside(place leaves.Place) *pass {
	inner := *p
	inner.depth++
	inner.at = place
	return &inner
}

func (p *pass) place(place leaves.Place) leaves.Place {
	if p.at != "" {
		return p.at
	}
	return place
}

// kept reports whether a rule is not to touch a place.
func (p *pass) kept(id string, place leaves.Place) bool {
	for i := range p.keeps {
		k := &p.keeps[i]
		if k.Rule == id && (k.At == "" || k.at.Match(place)) {
			p.v.keptBy(k)
			return true
		}
	}
	return false
}

// value redacts a decoded value that no name rule has caught: what has structure
// of its own is taken apart, everything else is searched.
func (p *pass) value(place leaves.Place, in places, s string) string {
	if clean, ok := p.wholeAddress(place, s); ok {
		return clean
	}
	if len(s) < minSearched {
		return s
	}
	s = p.wholeFirst(place, in, s)
	if p.depth < maxDepth {
		if mayBeJSON(s) {
			if out, ok := p.inside(place).jsonText(s); ok {
				return out
			}
		}
		if p.names && mayHoldPairs(s) {
			s = p.pairs(place, s) // a log line that quotes JSON, SOAP in a string
		}
		if mayHoldURL(s) {
			s = p.urls(place, s)
		}
	}
	return p.text(place, in, s)
}

// unstructured reports that value only searches s: what value takes apart is named
// here too, or it is passed over in bodies.
func (p *pass) unstructured(s string) bool {
	return !(p.v.rules.wholeIP != nil && mayBeAddress(s)) && (p.depth >= maxDepth || !mayBeStructured(s) ||
		!mayBeJSON(s) && !(p.names && mayHoldPairs(s)) && !mayHoldURL(s))
}

// mayBeStructured reports that one of mayBeJSON, mayHoldPairs and mayHoldURL may hold:
// each needs one of these bytes, and so must what is added to them. Most values are short
// and have none.
func mayBeStructured(s string) bool {
	for i := range min(len(s), 128) {
		if structural[s[i]] {
			return true
		}
	}
	return len(s) > 128
}

var structural = [256]bool{'{': true, '[': true, '"': true, '=': true, '/': true, ':': true}

func mayBeJSON(s string) bool {
	start := strings.TrimLeft(s, " \t\r\n")
	return start != "" && (start[0] == '{' || start[0] == '[')
}

// jsonText redacts JSON that stands inside a string.
func (p *pass) jsonText(s string) (string, bool) {
	o := outlines.Get().(*leaves.Outline)
	defer recycle(o)
	if format, err := o.Body("application/json", s); err != nil || format != leaves.JSON {
		return "", false
	}
	return p.outlined(s, o, inBody), true
}

// maxRounds bounds how often a text is searched again after a replacement. Each
// round removes a secret, and what is left of it is seldom one.
const maxRounds = 8

// text replaces every secret that stands in s, whatever its structure.
func (p *pass) text(place leaves.Place, in places, s string) string {
	for range maxRounds {
		out := p.textOnce(place, in, s)
		if out == s {
			break
		}
		s = out
	}
	return s
}

func (p *pass) textOnce(place leaves.Place, in places, s string) string {
	var b strings.Builder
	last := 0
	p.eachGap(s, func(start, end int) {
		for _, h := range p.hits(place, in, s[start:end]) {
			h.shift(start)
			if h.start < last {
				continue // the replacement before took it in
			}
			b.WriteString(s[last:h.start])
			var text string
			text, last = p.replacement(place, s, h, end)
			if p.fixed {
				text = fittedBefore(text, s[h.start:last], s[last:])
			}
			b.WriteString(text)
		}
	})
	if last == 0 {
		return s
	}
	b.WriteString(s[last:])
	return b.String()
}

// eachGap calls f for the pieces of s between placeholders, whose numbers are then
// taken.
func (p *pass) eachGap(s string, f func(start, end int)) {
	if !strings.Contains(s, word) {
		f(0, len(s))
		return
	}
	list := wordPlaceholders(s)
	p.v.reserve(list)
	gaps(s, list, f)
}

// gaps calls f for the pieces of s between placeholders: what stands in a
// placeholder is never a secret.
func gaps(s string, list []Placeholder, f func(start, end int)) {
	last := 0
	for _, ph := range list {
		f(last, ph.Start)
		last = ph.End
	}
	f(last, len(s))
}

// A hit is one secret found in a text.
type hit struct {
	start, end             int // of what is replaced
	secretStart, secretEnd int // of the secret in it
	rule                   *rule
	known                  *secret // a learned one; rule is nil
	spelling               spelling
	digits                 string // of a card
	inner                  *inner // what a rule found under a wrapping
}

func (h *hit) shift(n int) {
	h.start += n
	h.end += n
	h.secretStart += n
	h.secretEnd += n
}

// hits finds the secrets in s that do not overlap, in order.
func (p *pass) hits(place leaves.Place, in places, s string) []hit {
	found := p.v.rules.search(s)
	n := 0
	for _, h := range found {
		if h.rule.in&in == 0 || !h.rule.on.Match(p.target) {
			continue
		}
		if text := s[h.start:h.end]; p.byValue {
			if p.v.isKept(text) {
				continue
			}
		} else if len(p.keeps) > 0 && p.kept(h.rule.ID, p.place(place)) {
			p.v.keep(text)
			continue
		}
		found[n] = h
		n++
	}
	return disjoint(p.wrapped(place, in, s, p.v.searchLearned(s, found[:n])))
}

// disjoint keeps, of hits that overlap, the first, and of those the longest.
func disjoint(found []hit) []hit {
	if len(found) < 2 {
		return found
	}
	slices.SortStableFunc(found, func(a, b hit) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	out := found[:1]
	for _, h := range found[1:] {
		if h.start >= out[len(out)-1].end {
			out = append(out, h)
		}
	}
	return out
}

// search finds every match of a value rule in s, overlapping ones included.
func (r *Rules) search(s string) []hit {
	if len(s) < minSearched {
		return nil
	}
	var found []hit
	var done [maxOrder]int // by rule: where the text starts that it has not seen
	var f *finder
	r.anchors.scan(s, func(i int, one *rule) {
		seen := &done[one.order]
		if i < *seen {
			return
		}
		if one.free {
			// One search of the rest takes linear time; one at every anchor may not.
			found = one.findAll(found, s, i)
			*seen = len(s)
			return
		}
		if !one.inside && !boundary(s, i) {
			return
		}
		if f == nil {
			f = &finder{s: s}
		}
		if h, ok := one.matchAt(f, i); ok {
			found = append(found, h)
			*seen = h.end
		}
	})
	may := r.tracesIn(s)
	for n, one := range r.loose {
		if may.has(n) {
			found = one.findAll(found, s, 0)
		}
	}
	found = r.hostsIn(r.emails(found, s), s, may)
	if r.cards != nil {
		digitRuns(s, func(run digitRun) bool {
			if !secretCard(run.digits) {
				return false
			}
			found = append(found, hit{start: run.start, end: run.end, secretStart: run.start, secretEnd: run.end,
				rule: r.cards, digits: run.digits})
			return true
		})
	}
	return found
}

// findAll appends the matches of a free expression in s[from:].
func (one *rule) findAll(found []hit, s string, from int) []hit {
	for _, at := range one.find.FindAllStringSubmatchIndex(s[from:], -1) {
		if h := one.hit(at, from); !isPublished(s[h.start:h.end]) {
			found = append(found, h)
		}
	}
	return found
}

// caught reports whether a value rule catches the whole of a value.
func (r *Rules) caught(value string) bool {
	for _, h := range r.search(value) {
		if h.start == 0 && h.end == len(value) {
			return true
		}
	}
	return false
}

// How far a value rule looks, in bytes: usually, and when the match goes on. No
// built-in expression needs more than the first to start its secret.
const (
	nearMatch = 256
	maxMatch  = 64 << 10
)

// matchAt tries a rule at the place where its anchor stands. What it costs when
// there is no match does not grow with the text.
func (one *rule) matchAt(f *finder, i int) (h hit, ok bool) {
	if one.byHand != nil {
		if h, ok = one.byHand(f, i); !ok {
			return h, false
		}
		h.rule = one
		return h, !isPublished(f.s[h.start:h.end])
	}
	// The secret holds no white space and no quotes: the expression sees a short
	// text, and seldom a longer one.
	s, end := f.s, i
	for end < len(s) && end < i+nearMatch && isTokenByte(s[end]) {
		end++
	}
	at := one.find.FindStringSubmatchIndex(s[i:end])
	if at == nil {
		return hit{}, false
	}
	if at[1] == nearMatch {
		for end < len(s) && end < i+maxMatch && isTokenByte(s[end]) {
			end++
		}
		at = one.find.FindStringSubmatchIndex(s[i:end])
	}
	h = one.hit(at, i)
	return h, !isPublished(s[h.start:h.end])
}

func isTokenByte(c byte) bool { return c > ' ' && c != '"' && c < 0x7f }

// hit makes a hit of a match: the first group, if any, is the secret.
func (one *rule) hit(at []int, offset int) hit {
	h := hit{start: at[0] + offset, end: at[1] + offset, rule: one}
	h.secretStart, h.secretEnd = h.start, h.end
	if len(at) > 2 && at[2] >= 0 {
		h.secretStart, h.secretEnd = at[2]+offset, at[3]+offset
	}
	return h
}

// replacement writes what stands in place of a hit in s, and says where s goes
// on. limit is the end of the gap between placeholders that holds the hit.
func (p *pass) replacement(place leaves.Place, s string, h hit, limit int) (text string, end int) {
	if h.inner != nil {
		return p.wrappedReplacement(s, h, limit)
	}
	if h.rule == nil {
		return p.learnedReplacement(s, h, limit)
	}
	if h.rule == p.v.rules.email || h.rule.host {
		return p.formReplacement(s, h, limit)
	}
	full, secret := s[h.start:h.end], s[h.secretStart:h.secretEnd]
	switch h.rule.shape {
	case shapeCard:
		return likeCard(full, p.v.card(h.digits, h.rule.ID)), h.end
	case shapeJWT:
		sec := p.v.learnJWT(full, h.rule.ID)
		return jwtPlaceholder(full, p.v.id(sec), p.harmless), h.end
	case shapePEM:
		sec := p.v.learn(pemBody(secret), h.rule.ID, pemLines(secret)...)
		return s[h.start:h.secretStart] + p.v.placeholder(sec, byItself) + s[h.secretEnd:h.end], h.end
	}
	// A placeholder's number must not run on into digits that follow it.
	if h.end == h.secretEnd && !p.fixed && h.end < limit && isDigit(s[h.end]) {
		for h.end < limit && isAlnum(s[h.end]) {
			h.end++
		}
		h.secretEnd = h.end
		full, secret = s[h.start:h.end], s[h.secretStart:h.secretEnd]
	}
	sec := p.v.learnPart(full, secret, h.rule.ID)
	return s[h.start:h.secretStart] + p.v.placeholder(sec, p.settingFor(h.rule, s, h.secretStart, h.secretEnd)) + s[h.secretEnd:h.end], h.end
}

// maxRun is the longest run of base64 or hex that is replaced because a secret
// stands in it, in bytes. A longer one is a document; Check refuses it.
const maxRun = 8 << 10

func (p *pass) learnedReplacement(s string, h hit, limit int) (text string, end int) {
	sec := h.known
	if h.spelling == asText {
		if !p.fixed && h.end < limit && isDigit(s[h.end]) {
			// The number would run on: the longer text is a secret of its own.
			for h.end < limit && isAlnum(s[h.end]) {
				h.end++
			}
			sec = p.v.secret(s[h.start:h.end], sec.rule, sec.env)
		}
	} else {
		sec = p.v.secret(s[h.start:h.end], sec.rule, sec.env)
	}
	in := byItself
	switch {
	case strings.HasSuffix(s[:h.start], "_secret_"):
		in = joined
	case !p.fixed:
		in = settingOf(s, h.start, h.end)
	}
	return p.v.placeholder(sec, in), h.end
}

// encodedRuns remembers the last run of each alphabet, as a run may hold a secret
// at every place.
type encodedRuns [3]struct{ start, end int }

// widen makes a hit in base64 or hex cover the whole run that holds it; ok is
// false when a hit before has covered it.
func (runs *encodedRuns) widen(s string, h *hit) (ok bool) {
	part := s[h.start:h.end]
	alphabet, in := 0, isHex
	if h.spelling == asBase64 {
		slash := strings.Contains(part, "/")
		if alphabet = 1; slash {
			alphabet = 2
		}
		in = func(c byte) bool { return isNameByte(c) || c == '-' || c == '+' || slash && c == '/' }
	}
	run := &runs[alphabet]
	if run.start <= h.start && h.end <= run.end {
		return false
	}
	for h.start > run.end && in(s[h.start-1]) {
		h.start--
	}
	for h.end < len(s) && in(s[h.end]) {
		h.end++
	}
	for n := 0; n < 2 && h.spelling == asBase64 && h.end < len(s) && s[h.end] == '='; n++ {
		h.end++
	}
	h.secretStart, h.secretEnd = h.start, h.end
	run.start, run.end = h.start, h.end
	return true
}

// harmless reports whether a claim of a JWT can stay.
func (p *pass) harmless(s string) bool {
	return len(p.v.searchLearned(s, p.v.rules.search(s))) == 0 && !strings.Contains(s, word)
}

// pemLines are the lines of a key: each is learned, as each gives part of it away.
func pemLines(body string) []string {
	out := []string{pemBody(body)}
	for _, line := range strings.FieldsFunc(strings.NewReplacer(`\n`, "\n", `\r`, "\n").Replace(body), func(c rune) bool { return c == '\n' || c == '\r' }) {
		if line = strings.TrimSpace(line); len(line) >= 32 && !strings.Contains(line, ":") {
			out = append(out, line)
		}
	}
	return out
}

// pemBody is a key without the line breaks, which each writer sets differently.
func pemBody(body string) string {
	return strings.NewReplacer(`\n`, "", `\r`, "", "\n", "", "\r", "", " ", "", "\t", "").Replace(body)
}
