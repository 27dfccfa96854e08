package deck

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// reconcile joins a new recording with the previous file, so that ids and
// placeholders stay what they were: both are for life.
type reconcile struct {
	matcher  *matchers.Matcher
	previous []clean.Interaction // the whole file as it was
	kept     []clean.Interaction // the part of it that stays
	fresh    []clean.Interaction // recorded now, in canonical order
	// partial says that only a part of the file was meant to be recorded again:
	// what was not asked for this time stays.
	partial bool
	// renumber gives placeholders the numbers of the previous file.
	renumber bool
	// overruled, if it is not nil, is told of each pinned interaction that stands in the place
	// of one that was recorded now.
	overruled func(pinned, recorded clean.Interaction)
	// young is the earliest day of recording that is not too old; "" when none is.
	young string
	// anew says that values are written as they were recorded.
	anew bool
	// note is told why the values of the previous file were not taken.
	note func(doubt string)
}

func (r reconcile) list() ([]clean.Interaction, error) {
	replaced := r.replaced()
	pairing, err := r.pairing(replaced)
	if err != nil {
		return nil, err
	}
	fresh, pairs := r.inherit(replaced, pairing)
	var ids map[string]string
	if r.renumber {
		ids = r.placeholders(pairs, fresh)
	}
	for i, in := range fresh {
		if fresh[i], err = in.Renumber(ids); err != nil {
			return nil, err
		}
	}
	if fresh, err = r.carry(replaced, fresh, pairing, ids); err != nil {
		return nil, err
	}
	list := r.order(r.keep(replaced, fresh, pairing))
	r.number(list)
	r.date(list)
	return list, nil
}

// pairing finds out which new interaction is which old one.
func (r reconcile) pairing(replaced []clean.Interaction) (*diff.Pairing, error) {
	if len(replaced) == 0 {
		none := slices.Repeat([]int{-1}, len(r.fresh))
		return &diff.Pairing{Old: none, Near: none, Places: make([][]diff.Replaced, len(none))}, nil
	}
	return diff.Pairs(replaced, r.fresh, r.matcher)
}

// carry gives a new recording the values of the previous file that are only volatile.
// What is past its age is written anew, and so is all that it shares values with.
func (r reconcile) carry(replaced, fresh []clean.Interaction, pairing *diff.Pairing, ids map[string]string) ([]clean.Interaction, error) {
	if r.anew || !r.renumber || len(replaced) == 0 {
		return fresh, nil
	}
	for _, in := range replaced {
		if in.Recorded != "" && in.Recorded < r.young {
			return fresh, nil
		}
	}
	c := carrying{matcher: r.matcher, old: replaced, fresh: fresh, pairing: pairing, ids: ids}
	list, doubt, err := c.list()
	if err != nil {
		return nil, err
	}
	if doubt != "" {
		r.note(doubt)
	}
	return list, nil
}

// date leaves what was recorded again and came out the same the day on which it was
// recorded first, until that is too long ago: recording again changes no line for
// the date alone.
func (r reconcile) date(list []clean.Interaction) {
	before := make(map[int]clean.Interaction, len(r.previous))
	for _, in := range r.previous {
		before[in.ID] = in
	}
	for i, in := range list {
		old, ok := before[in.ID]
		if ok && old.Recorded != "" && old.Recorded != in.Recorded && old.Recorded >= r.young && in.Same(old) {
			list[i].Recorded = old.Recorded
		}
	}
}

// order puts what stays and what takes an old one's place where that stood, and
// what is new behind it, as it came. A whole new recording has its own order.
func (r reconcile) order(fresh []clean.Interaction) []clean.Interaction {
	before := make(map[int]int, len(r.previous))
	for at, in := range r.previous {
		before[in.ID] = at
	}
	if !r.partial {
		old := make(map[int]clean.Interaction, len(r.previous))
		for _, in := range r.previous {
			old[in.ID] = in
		}
		return ordering{matcher: r.matcher, list: fresh, before: before, same: func(in clean.Interaction) bool {
			was, known := old[in.ID]
			return known && in.Same(was)
		}}.arrange()
	}
	at := make(map[int]clean.Interaction, len(r.kept)+len(fresh))
	for _, in := range append(slices.Clone(r.kept), fresh...) {
		if in.ID >= 0 {
			at[in.ID] = in
		}
	}
	var list []clean.Interaction
	for _, old := range r.previous {
		if in, ok := at[old.ID]; ok {
			list = append(list, in)
		}
	}
	for _, in := range fresh {
		if in.ID < 0 {
			list = append(list, in)
		}
	}
	return list
}

// replaced is what was in the file and does not stay by itself.
func (r reconcile) replaced() []clean.Interaction {
	stays := make(map[int]bool, len(r.kept))
	for _, in := range r.kept {
		stays[in.ID] = true
	}
	var out []clean.Interaction
	for _, in := range r.previous {
		if !stays[in.ID] {
			out = append(out, in)
		}
	}
	return out
}

type oldNew struct{ old, new clean.Interaction }

// inherit gives every new interaction the id of the old one that it is.
func (r reconcile) inherit(replaced []clean.Interaction, pairing *diff.Pairing) ([]clean.Interaction, []oldNew) {
	var pairs []oldNew
	fresh := slices.Clone(r.fresh)
	for i, j := range pairing.Old {
		fresh[i].ID = -1
		if j >= 0 {
			fresh[i].ID = replaced[j].ID
			pairs = append(pairs, oldNew{replaced[j], fresh[i]})
		}
	}
	return fresh, pairs
}

// keep puts a pinned old interaction in the place of the new one that it is. One that
// nobody asked for stays too, as does, in a partial recording, one whose key was not
// recorded again: behind what it stood behind.
func (r reconcile) keep(replaced, fresh []clean.Interaction, pairing *diff.Pairing) []clean.Interaction {
	used := make([]bool, len(replaced))
	again := make(map[matchers.Key]bool)
	at := make(map[int]int, len(fresh)) // by id
	for i, in := range fresh {
		again[r.matcher.Read(in.Request(), nil).Key] = true
		j := pairing.Old[i]
		if j < 0 {
			continue
		}
		used[j] = true
		again[r.matcher.Read(replaced[j].Request(), nil).Key] = true
		at[in.ID] = i
		if replaced[j].Pinned {
			if r.overruled != nil {
				r.overruled(replaced[j], in)
			}
			begin, end := in.Begin, in.End
			fresh[i] = replaced[j]
			fresh[i].Begin, fresh[i].End = begin, end
		}
	}
	behind := make(map[int][]clean.Interaction)
	last := -1
	stays := false
	for j, in := range replaced {
		if used[j] {
			last = at[in.ID]
			continue
		}
		if in.Pinned || r.partial && !again[r.matcher.Read(in.Request(), nil).Key] {
			behind[last] = append(behind[last], in)
			stays = true
		}
	}
	if !stays {
		return fresh
	}
	out := slices.Clone(behind[-1])
	for i, in := range fresh {
		out = append(append(out, in), behind[i]...)
	}
	return out
}

// number gives every interaction without an id the next free one. Ids of the
// previous file are never given to anything else.
func (r reconcile) number(list []clean.Interaction) {
	next := 0
	for _, in := range r.previous {
		next = max(next, in.ID+1)
	}
	for i := range list {
		if list[i].ID < 0 {
			list[i].ID = next
			next++
		}
	}
}

// placeholders maps the numbers used while recording to those of the previous
// file where a secret stands at the same place, and to the next free ones, in
// order of appearance, where it is new.
func (r reconcile) placeholders(pairs []oldNew, list []clean.Interaction) map[string]string {
	taken := make(map[string]bool) // every identity the previous file has used
	last := 0
	for _, in := range r.previous {
		for _, p := range places(in) {
			taken[p.id] = true
			if n, ok := redact.ParseNumber(p.id); ok {
				last = max(last, n)
			}
		}
	}
	ids := make(map[string]string)
	given := make(map[string]bool)
	for _, pair := range pairs {
		old := make(map[string]string)
		for _, p := range places(pair.old) {
			old[p.at] = p.id
		}
		for _, p := range places(pair.new) {
			before, ok := old[p.at]
			if _, done := ids[p.id]; !ok || done || taken[p.id] || given[before] || redact.IsCard(before) != redact.IsCard(p.id) {
				continue
			}
			ids[p.id] = before
			given[before] = true
		}
	}
	for _, in := range list {
		for _, p := range places(in) {
			if _, done := ids[p.id]; done || taken[p.id] || redact.IsCard(p.id) {
				continue
			}
			last++
			ids[p.id] = redact.Number(last)
		}
	}
	return ids
}

// place is one placeholder and where it stands in an interaction.
type place struct{ at, id string }

// places lists the placeholders of an interaction, in reading order.
func places(in clean.Interaction) []place {
	var out []place
	add := func(at, text string) {
		for i, p := range redact.Placeholders(text) {
			out = append(out, place{fmt.Sprintf("%s#%d", at, i), p.ID})
		}
	}
	req := in.Request()
	add("url", req.RawURL())
	for _, name := range req.HeaderNames() {
		for i, v := range req.Header(name) {
			add(fmt.Sprintf("request.%s[%d]", name, i), v)
		}
	}
	addBody(add, "request.", req.ContentType(), req.Body())
	resp, err := in.Response()
	if err != nil {
		return out
	}
	header := resp.Header()
	for _, name := range resp.HeaderNames() {
		for i, v := range header[name] {
			add(fmt.Sprintf("response.%s[%d]", name, i), v)
		}
	}
	if l := resp.Large(); l != nil {
		ids, err := l.IDs() // what cannot be read now is said when it is saved
		for i := 0; err == nil && i < len(ids); i++ {
			out = append(out, place{fmt.Sprintf("response.body#%d", i), ids[i]})
		}
	} else {
		addBody(add, "response.", header.Get("Content-Type"), resp.Body())
	}
	addTrailer(add, resp.Trailer())
	return out
}

func addTrailer(add func(at, text string), trailer http.Header) {
	for _, name := range slices.Sorted(maps.Keys(trailer)) {
		for i, v := range trailer[name] {
			add(fmt.Sprintf("response.trailer.%s[%d]", name, i), v)
		}
	}
}

func addBody(add func(at, text string), side, contentType string, body []byte) {
	_, list, err := leaves.Body(contentType, body)
	if err != nil || len(list) == 0 {
		add(side+"body", string(body))
		return
	}
	for _, leaf := range list {
		add(side+string(leaf.Place), leaf.Value)
	}
}
