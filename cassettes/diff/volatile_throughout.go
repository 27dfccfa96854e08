package diff

import (
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
	"tapedeck/matchers"
)

// One value that is replaced by another wherever it stands is the name of a thing that
// the API made anew. That is believed only where all of this holds, since a change that
// is taken for nothing is the worst that a diff can do:
//
//   - An answer names it before any request does, under the name of an id: what our own
//     code sends first is our own choice.
//   - It looks generated, or is the id of what was made or listed, or a request sends it
//     later: another plan_id or plan.id in answers alone says that the plan is another one.
//   - It has a digit, no white space, and is no version, day or decimal number: states,
//     currencies, models and prices are not replaced, they change.
//   - It stands in two interactions at least, and each time the old one became the new
//     one; nowhere in the new recording is the old one left, nor was the new one
//     anywhere in the old recording.
//   - A plain number stands under names of ids, and in paths, alone.
const replacedThroughout = "replaced throughout"

// A replacement is one value that became another.
type replacement struct {
	old, new     string
	interactions map[int]bool
	named        bool // as an id, in an answer
	own          bool // generated, or of a thing that was made or listed, or that a request names
	first        int  // the first interaction of the new side that holds it
	firstSent    bool // and holds it in its request
	refused      bool
	changes      []*Change
}

// throughout grades what is replaced throughout the cassette.
func (c *comparison) throughout() {
	byOld, byNew := map[string]*replacement{}, map[string]*replacement{}
	var order []*replacement
	for i := range c.changes {
		for n := range c.changes[i] {
			ch := &c.changes[i][n]
			old, fresh, ok := replaceable(ch)
			if !ok {
				continue
			}
			r := byOld[old]
			if other := byNew[fresh]; r == nil && other == nil {
				r = &replacement{old: old, new: fresh, interactions: map[int]bool{}, first: i, firstSent: ch.Part == Request}
				byOld[old], byNew[fresh] = r, r
				order = append(order, r)
			} else if r == nil || r != other {
				for _, x := range []*replacement{r, other} {
					if x != nil {
						x.refused = true
					}
				}
				continue
			}
			r.interactions[i] = true
			r.changes = append(r.changes, ch)
			named := namingOf(ch.Place) == idName
			r.named = r.named || named && ch.Part == Response
			r.own = r.own || ch.Part == Request || IsOwnID(ch.Place) || matchers.LooksLikeID(old) && matchers.LooksLikeID(fresh)
			if (isNumeral(old) || isNumeral(fresh)) && !named && !strings.HasPrefix(string(ch.Place), "path[") {
				r.refused = true
			}
		}
	}
	likely := map[string]bool{}
	for _, r := range order {
		if r.refused = r.refused || !r.named || !r.own || r.firstSent || len(r.interactions) < 2; !r.refused {
			likely[r.old], likely[r.new] = true, true
		}
	}
	if len(likely) == 0 {
		return
	}
	oldHolds, newHolds := holding(c.old, likely, nil), holding(c.fresh, likely, c.replaced)
	became := map[string]string{}
	for _, r := range order {
		if r.refused || newHolds[r.old] || oldHolds[r.new] {
			continue
		}
		became[r.old] = r.new
		for _, ch := range r.changes {
			ch.Grade, ch.Why = Volatile, replacedThroughout
		}
	}
	c.addresses(became)
}

// addresses grades addresses in which nothing differs but such names: /orders/17 says
// the id once more.
func (c *comparison) addresses(became map[string]string) {
	if len(became) == 0 {
		return
	}
	for i := range c.changes {
		for n := range c.changes[i] {
			ch := &c.changes[i][n]
			if ch.Kind != Other || ch.Grade != Changed || ch.Part == Meta || ch.Old == nil || ch.New == nil {
				continue
			}
			if old, fresh := ch.Old.Text, ch.New.Text; isAddress(old) && isAddress(fresh) && readdressed(old, became) == fresh {
				ch.Grade, ch.Why = Volatile, replacedThroughout
			}
		}
	}
}

func isAddress(s string) bool {
	return len(s) <= maxAddress && (strings.HasPrefix(s, "/") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, " \t\r\n")
}

// maxAddress is how long an address may be, in bytes, to be looked into.
const maxAddress = 2000

// readdressed puts the new names into the path of an address. What its query says is
// another matter: there a number may be any.
func readdressed(address string, became map[string]string) string {
	path, rest := address, ""
	if i := strings.IndexAny(address, "?#"); i >= 0 {
		path, rest = address[:i], address[i:]
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if now, ok := became[segment]; ok {
			segments[i] = now
		}
	}
	return strings.Join(segments, "/") + rest
}

// IsOwnID reports the id of an answer's one thing, or of an element of a list.
func IsOwnID(p leaves.Place) bool {
	names := namesOf(p)
	if len(names) < 2 || !slices.Contains([]string{"id", "_id", "uuid"}, strings.ToLower(names[0])) {
		return false
	}
	return len(names) == 2 || strings.HasSuffix(strings.TrimSuffix(string(p), names[0]), "].")
}

var versionText = regexp.MustCompile(`^[vV]?\d+(?:[._-]\d+)+(?:[-+.][0-9A-Za-z.-]+)?$`)

// replaceable are the values of a change that may be names.
func replaceable(ch *Change) (old, fresh string, ok bool) {
	if ch.Kind != Other || ch.Grade != Changed || ch.Part == Meta || ch.Old == nil || ch.New == nil || ch.Old.Type != ch.New.Type {
		return "", "", false
	}
	if t := ch.Old.Type; t != "string" && t != "text" && t != "number" {
		return "", "", false
	}
	old, fresh = ch.Old.Text, ch.New.Text
	for _, s := range []string{old, fresh} {
		if len(s) < 2 || len(s) > 200 || !strings.ContainsAny(s, "0123456789") || strings.ContainsAny(s, " \t\r\n") ||
			versionText.MatchString(s) || matchers.IsTime(s) && !isNumeral(s) {
			return "", "", false
		}
	}
	return old, fresh, isNumeral(old) == isNumeral(fresh)
}

// brought decides about generated ids that a request sends: where no earlier answer has
// brought them, they are what our own code names, and another one is a change of it.
func (c *comparison) brought() {
	type sent struct {
		i      int
		change *Change
	}
	byName := map[string][]sent{}
	for i := range c.changes {
		for n := range c.changes[i] {
			ch := &c.changes[i][n]
			if ch.Part != Request || ch.Grade != Volatile || ch.Kind != Other || ch.New == nil || ch.Old == nil {
				continue
			}
			for _, name := range prefixedNames(ch) {
				byName[name] = append(byName[name], sent{i, ch})
			}
		}
	}
	if len(byName) == 0 {
		return
	}
	likely := newHint(len(byName))
	for name := range byName {
		likely.add(name)
	}
	given := map[string]int{}
	for i, in := range c.fresh {
		resp, err := in.Response()
		if err != nil {
			continue // settle has said so
		}
		note := func(name string) {
			if !likely.has(name) {
				return
			}
			if _, wanted := byName[name]; wanted {
				if _, known := given[name]; !known {
					given[name] = i
				}
			}
		}
		eachName(string(resp.Body()), note)
		for _, values := range resp.Header() {
			for _, v := range values {
				eachName(v, note)
			}
		}
	}
	for name, list := range byName {
		// The first of the list is the first request: an answer that repeats what was sent
		// has not brought it.
		if at, ok := given[name]; ok && at < list[0].i {
			continue
		}
		for _, s := range list {
			s.change.Grade, s.change.Why = Changed, "an id that no answer before has brought"
		}
	}
}

// prefixedNames are the generated ids of a sent value that say what they name: those with a
// prefix, such as price_1NxyzAbcDef. What a client makes up for itself has none.
func prefixedNames(ch *Change) (out []string) {
	list, _ := swaps(ch.Old.Text, ch.New.Text)
	for _, s := range list {
		if s.kind == aName && strings.Contains(ch.New.Text, "_"+s.new) {
			out = append(out, s.new)
		}
	}
	return out
}

// eachName calls f for whatever may be a generated name in a text.
func eachName(text string, f func(name string)) {
	for i := 0; i < len(text); {
		if !tokenByte(text[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(text) && tokenByte(text[end]) {
			end++
		}
		if end-i >= 8 {
			f(text[i:end])
			for start, at := i, i; at <= end; at++ {
				if at < end && text[at] != '_' && text[at] != '-' {
					continue
				}
				if at-start >= 8 && at-start < end-i {
					f(text[start:at])
				}
				start = at + 1
			}
		}
		i = end
	}
}
