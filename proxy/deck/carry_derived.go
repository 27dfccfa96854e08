package deck

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// What a client sends may be made of what answers gave: a hash of an id, its first part.
// Under the previous recording's names it would come to something else, and what is
// recorded would not be found.

// dropSent drops the names that a request held before any answer did: the client knows
// them from elsewhere and will send them again. Those that make no other request of it
// may go. One that no answer ever gave may be made of one that did.
func (c *carrying) dropSent() error {
	type moment struct {
		at     uint64
		i      int
		answer bool
	}
	var moments []moment
	for i, in := range c.fresh {
		begin, end := in.Begin, in.End
		if begin == 0 {
			begin, end = uint64(2*i), uint64(2*i+1)
		}
		moments = append(moments, moment{begin, i, false}, moment{end, i, true})
	}
	slices.SortStableFunc(moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	values := clean.NewValues(c.names)
	seen, given := make(map[string]bool), make(map[string]bool)
	dropped := make(map[string]int) // and the request that holds it
	numbers := make(map[string]bool)
	for _, m := range moments {
		in := c.fresh[m.i]
		if m.answer {
			resp, err := in.Response()
			if err != nil {
				return err
			}
			if err := resp.Find(values, func(v string) { seen[v], given[v] = true, true }); err != nil {
				return err
			}
			c.numbersIn(resp, func(n string) { numbers[n] = true })
			continue
		}
		sent := make(map[string]string)
		in.Request().Find(values, func(v string) {
			if !seen[v] {
				seen[v] = true
				sent[v] = c.names[v]
			}
		})
		if len(sent) > 0 {
			changed, err := in.Request().Replace(clean.Replacement{Values: clean.NewValues(sent)})
			if err != nil {
				return err
			}
			if c.matcher.Read(changed, nil).Key != c.keys[m.i] {
				for name := range sent {
					delete(c.names, name)
					dropped[name] = m.i
				}
			}
		}
		if c.numbers != nil && c.asksUnknown(in.Request(), numbers) {
			c.numbers = nil
		}
	}
	for name, i := range dropped {
		if !given[name] {
			c.derives = c.route(i)
		}
	}
	return nil
}

func (c *carrying) route(i int) string { return c.matcher.Read(c.fresh[i].Request(), nil).Route(nil) }

// madeOf is the route of a request which the previous recording does not have, and which
// holds something generated, or a part of a name, that no answer gave; "" when there is none.
func (c *carrying) madeOf() (route string, err error) {
	holder := make(map[string]int)
	for i, j := range c.pairing.Old {
		if j >= 0 {
			continue
		}
		for _, fact := range c.matcher.Read(c.fresh[i].Request(), nil).Facts {
			if fact.Name == "host" {
				continue
			}
			for _, word := range strings.FieldsFunc(fact.Value, isNoWord) {
				if _, known := c.names[word]; !known && c.looksMade(word) && len(redact.Placeholders(word)) == 0 {
					holder[word] = i
				}
			}
		}
	}
	if len(holder) == 0 {
		return "", nil
	}
	words := slices.Sorted(maps.Keys(holder))
	known := make(map[int]bool)
	finder, _ := redact.NewFinder(words)
	look := func(text []byte) {
		for _, m := range finder.Find(string(text)) {
			known[m.Value] = true
		}
	}
	for _, in := range c.fresh {
		if err := eachAnswered(in, look); err != nil {
			return "", err
		}
	}
	for _, in := range c.old {
		if err := eachText(in, look); err != nil {
			return "", err
		}
	}
	for n, word := range words {
		if !known[n] {
			return c.route(holder[word]), nil
		}
	}
	return "", nil
}

// looksMade reports a word that is generated, or holds a part of a name.
func (c *carrying) looksMade(word string) bool {
	const shortest = 8 // bytes of a part
	if strings.Trim(word, "0123456789") == "" {
		return false
	}
	if matchers.LooksLikeID(word) {
		return true
	}
	for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return r == '_' || r == '-' }) {
		if len(part) < shortest || !strings.ContainsAny(part, "0123456789") {
			continue
		}
		for name := range c.names {
			if strings.Contains(name, part) {
				return true
			}
		}
	}
	return false
}

func isNoWord(r rune) bool {
	return (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') && r != '_' && r != '-'
}
