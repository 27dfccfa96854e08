package redact

import (
	"slices"
	"strings"
	"sync"

	"tapedeck/cassettes/leaves"
)

// outlines are those that are not in use: one takes as much memory as the body.
var outlines = sync.Pool{New: func() any { return new(leaves.Outline) }}

func recycle(o *leaves.Outline) {
	o.Release()
	outlines.Put(o)
}

// outline takes a body apart; ok is false when it has no leaves.
func (p *pass) outline(o *leaves.Outline, contentType, s string) (ok bool) {
	format, err := o.Body(contentType, s)
	if err != nil && format == leaves.Form {
		_ = o.Query(s) // its bad fields are leaves too, as they are written
	}
	return o.Len() > 0
}

// leaves redacts a text of which the leaves are known.
func (p *pass) leaves(s string, list []leaves.Leaf, in places) string {
	return p.outlined(s, leaves.OutlineOf(s, list), in)
}

// outlined redacts a text whose outline is known, in one round.
func (p *pass) outlined(s string, o *leaves.Outline, in places) string {
	d := draft{p: p, s: s, outline: o, in: in}
	d.first()
	return d.text()
}

// settled redacts a whole body as settle does, round by round until nothing changes.
// As long as a round leaves names and punctuation alone, the next one has the same
// outline, and looks only at what the rounds before have changed or where something
// may be found that was not known to them.
func (p *pass) settled(contentType, s string) string {
	o := outlines.Get().(*leaves.Outline)
	defer recycle(o)
	for round := 0; round < maxRounds; {
		before := p.v.Learned()
		if !p.outline(o, contentType, s) {
			out := p.plain("body", s)
			if out == s && p.v.Learned() == before {
				return s
			}
			s = out
			round++
			continue
		}
		d := draft{p: p, s: s, outline: o, in: inBody}
		changed := d.first()
		for round++; changed || p.v.Learned() != before; round++ {
			if d.broken || round == maxRounds {
				break
			}
			learned := before
			before = p.v.Learned()
			changed = d.again(before != learned)
		}
		s = d.text()
		if !d.broken {
			return s
		}
	}
	return s
}

// A draft is a text whose leaves, and what stands between them, are being redacted:
// leaves by name and value, names and punctuation by value.
type draft struct {
	p       *pass
	s       string
	outline *leaves.Outline
	in      places
	around  siblings
	// fragments are those that have been looked at, in the order in which it is done.
	fragments []fragment
	// broken says that what has been written in place of one may have made
	// another outline of the text.
	broken bool
}

// A fragment is a leaf, or what stands before one.
type fragment struct {
	leaf       int // the number of leaves for what stands behind the last one
	gap        bool
	start, end int // in the text
	edited     bool
	changed    bool   // in the last round
	clean      string // what stands there now, if edited
	value      string // of a leaf, if edited
}

// first does the first round. It reports whether anything was changed.
func (d *draft) first() (changed bool) {
	sieve := d.p.sift(d.s)
	d.around.outline = d.outline
	last := 0
	for i := range d.outline.Len() {
		start, end := d.outline.Span(i)
		if start < last {
			continue
		}
		if d.looksAt(i, sieve) {
			changed = d.look(fragment{leaf: i, start: start, end: end}) || changed
		}
		if sieve.holds(last, start) {
			changed = d.look(fragment{leaf: i, gap: true, start: last, end: start}) || changed
		}
		last = end
	}
	if sieve.holds(last, len(d.s)) {
		changed = d.look(fragment{leaf: d.outline.Len(), gap: true, start: last, end: len(d.s)}) || changed
	}
	return changed
}

// again does one more round, in which learned says that something was learned since the
// last one began: then all that was looked at counts, and what has not been, but may hold
// what was learned.
func (d *draft) again(learned bool) (changed bool) {
	before := d.fragments
	if !learned {
		d.fragments = before[:0]
		for _, one := range before {
			if one.changed {
				changed = d.look(one) || changed
			} else {
				d.fragments = append(d.fragments, one)
			}
		}
		return changed
	}
	sieve := new(sieve)
	sieve.clear(len(d.s))
	sieve.learned(d.p.v, d.s)
	d.fragments = make([]fragment, 0, len(before))
	look := func(one fragment, may bool) {
		switch {
		case len(before) > 0 && before[0].leaf == one.leaf && before[0].gap == one.gap:
			one, before = before[0], before[1:]
		case !may:
			return
		}
		changed = d.look(one) || changed
	}
	last := 0
	for i := range d.outline.Len() {
		start, end := d.outline.Span(i)
		if start < last {
			continue
		}
		may := false
		if d.outline.Kind(i) == leaves.String {
			if _, ok := d.outline.Verbatim(i); ok {
				may = sieve.holds(start, end)
			} else {
				may = d.p.mayHold(d.outline.Value(i)) // what it holds does not show in the text
			}
		}
		look(fragment{leaf: i, start: start, end: end}, may)
		look(fragment{leaf: i, gap: true, start: last, end: start}, sieve.holds(last, start))
		last = end
	}
	look(fragment{leaf: d.outline.Len(), gap: true, start: last, end: len(d.s)}, sieve.holds(last, len(d.s)))
	return changed
}

// look redacts a fragment and keeps it in mind.
func (d *draft) look(one fragment) (changed bool) {
	now := d.s[one.start:one.end]
	if one.edited {
		now = one.clean
	}
	clean := now
	if one.gap {
		place := leaves.Place("body")
		if one.leaf < d.outline.Len() {
			place = d.outline.Place(one.leaf)
		}
		clean = d.p.text(place, d.in, now)
	} else {
		leaf := d.outline.Leaf(one.leaf)
		if one.edited {
			leaf.Value = one.value
		}
		if value, ok := d.p.leaf(&d.around, &leaf, d.in); ok {
			clean, one.value = string(leaf.Quote(value)), value
		}
	}
	if one.changed = clean != now; one.changed {
		one.edited, one.clean = true, clean
		d.broken = d.broken || one.gap || !d.outline.Fits(one.leaf, one.value)
	}
	d.fragments = append(d.fragments, one)
	return one.changed
}

// text is the text as it reads now.
func (d *draft) text() string {
	edits := make([]*fragment, 0, 8)
	for i := range d.fragments {
		if d.fragments[i].edited {
			edits = append(edits, &d.fragments[i])
		}
	}
	if len(edits) == 0 {
		return d.s
	}
	slices.SortFunc(edits, func(a, b *fragment) int { return a.start - b.start })
	var b strings.Builder
	last := 0
	for _, one := range edits {
		b.WriteString(d.s[last:one.start])
		b.WriteString(one.clean)
		last = one.end
	}
	b.WriteString(d.s[last:])
	return b.String()
}

// looksAt reports whether p.leaf may change leaf i or learn from it. Of most leaves it
// is clear that there is nothing to find: no name that rules know, no structure, and
// no byte that the sieve marks.
func (d *draft) looksAt(i int, sieve *sieve) bool {
	o := d.outline
	start, end := o.Span(i)
	switch o.Kind(i) {
	case leaves.String:
	case leaves.Raw, leaves.Blob:
		return true
	case leaves.Number:
		return sieve.all || end-start >= minCard || d.p.v.rules.email != nil && d.p.names && d.p.v.rules.mayName(o.Name(i))
	default:
		return false // p.leaf lets them be
	}
	if sieve.all || d.p.names && (d.p.v.rules.mayName(o.Name(i)) || isLabelled(o.Name(i))) {
		return true
	}
	value, ok := o.Verbatim(i)
	switch {
	case !ok:
		value = o.Value(i)
		return !d.p.unstructured(value) || d.p.mayHold(value)
	case len(value) < minSearched:
		return false
	}
	return sieve.holds(start, end) || !d.p.unstructured(value)
}
