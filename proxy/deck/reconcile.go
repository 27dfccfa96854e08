package deck

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"tapedeck/cassettes/clean"
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
	// young is the earliest day of recording that is not too old; "" when none is.
	young string
}

func (r reconcile) list() ([]clean.Interaction, error) {
	replaced := r.replaced()
	fresh, pairs := r.inherit(replaced)
	list := r.order(fresh)
	var ids map[string]string
	if r.renumber {
		ids = r.placeholders(pairs, list)
	}
	for i, in := range list {
		var err error
		if list[i], err = in.Renumber(ids); err != nil {
			return nil, err
		}
	}
	r.number(list)
	r.date(list)
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
	if !r.partial {
		return fresh
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

type pairing struct{ old, new clean.Interaction }

// inherit gives the nth new interaction of each key the id of the nth old one.
// A pinned old one stands in its place, and stays even when nobody asked for it,
// as does, in a partial recording, one whose key was not recorded again.
func (r reconcile) inherit(replaced []clean.Interaction) ([]clean.Interaction, []pairing) {
	olds := make(map[matchers.Key][]clean.Interaction)
	for _, in := range replaced {
		key := r.matcher.Read(in.Request(), nil).Key
		olds[key] = append(olds[key], in)
	}
	var pairs []pairing
	fresh := make([]clean.Interaction, 0, len(r.fresh))
	used := make(map[int]bool)
	again := make(map[matchers.Key]bool)
	for _, in := range r.fresh {
		key := r.matcher.Read(in.Request(), nil).Key
		again[key] = true
		queue := olds[key]
		if len(queue) == 0 {
			in.ID = -1
			fresh = append(fresh, in)
			continue
		}
		old := queue[0]
		olds[key] = queue[1:]
		used[old.ID] = true
		if old.Pinned {
			fresh = append(fresh, old)
			continue
		}
		in.ID = old.ID
		pairs = append(pairs, pairing{old, in})
		fresh = append(fresh, in)
	}
	for _, in := range replaced {
		missing := r.partial && !again[r.matcher.Read(in.Request(), nil).Key]
		if (in.Pinned || missing) && !used[in.ID] {
			fresh = append(fresh, in)
		}
	}
	return fresh, pairs
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
func (r reconcile) placeholders(pairs []pairing, list []clean.Interaction) map[string]string {
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
