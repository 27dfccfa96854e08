package deck

import (
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
	"tapedeck/matchers"
)

// number is the What of an id that is a number alone.
const number = diff.What("number")

// readNumbers collects the ids that are numbers. They are nil when they are not one to one.
// A short one that stands in answers alone, and is no answer's or element's own id, is
// none that the API has made anew: another plan_id says that the plan is another one.
func (c *carrying) readNumbers() {
	c.numbers = make(map[string]string)
	back := make(map[string]string)
	made := make(map[string]bool)
	for i := range c.pairing.Places {
		for _, r := range c.pairing.Places[i] {
			if r.What != number || r.Place == "url" {
				continue
			}
			if old, ok := c.numbers[r.New]; ok && old != r.Old {
				c.numbers = nil
				return
			}
			if now, ok := back[r.Old]; ok && now != r.New {
				c.numbers = nil
				return
			}
			c.numbers[r.New], back[r.Old] = r.Old, r.New
			made[r.New] = made[r.New] || diff.IsOwnID(r.Place)
		}
	}
	if len(c.numbers) > 0 {
		for _, in := range c.fresh {
			for _, segment := range in.Request().PathSegments() {
				made[segment] = true
			}
			for _, leaf := range standingInRequest(in.Request()) {
				made[leaf.Value] = true
			}
		}
	}
	for number, old := range c.numbers {
		if !made[number] && !matchers.LooksLikeID(number) {
			delete(c.numbers, number)
			delete(back, old)
		}
	}
	if len(c.numbers) == 0 || numbersStand(c.old, c.numbers) || numbersStand(c.fresh, back) {
		c.numbers = nil
	}
}

// numbersStand reports that one of some numbers is an id in a recording: it is another
// thing there, and where a number means which of the two cannot be told.
func numbersStand(list []clean.Interaction, numbers map[string]string) bool {
	c := carrying{numbers: numbers}
	for _, in := range list {
		e := &edits{}
		c.numberEdits(e, in, nil, standingInRequest(in.Request()), standingInAnswer(in))
		if len(e.request)+len(e.response) > 0 {
			return true
		}
	}
	return false
}

// numberEdits adds the ids that are numbers, where they stand as ids: under the name of
// one, as a segment of a path, and where the previous recording has the old one in an
// otherwise equal text.
func (c *carrying) numberEdits(e *edits, in clean.Interaction, was *clean.Interaction, request, answer standing) {
	for i, segment := range in.Request().PathSegments() {
		if old, ok := c.numbers[segment]; ok {
			e.add(diff.Request, leaves.Place("path").Index(i), segment, old)
		}
	}
	for part, side := range map[diff.Part]standing{diff.Request: request, diff.Response: answer} {
		var before standing
		for place, leaf := range side {
			if old, ok := c.numbers[leaf.Value]; ok && matchers.IsIDName(leaf.Name) {
				e.add(part, place, leaf.Value, old)
			} else if to := c.inPath(leaf.Value); to != leaf.Value {
				e.add(part, place, leaf.Value, to)
			} else if to := c.inText(leaf.Value); to != leaf.Value && was != nil {
				if before == nil && part == diff.Request {
					before = standingInRequest(was.Request())
				} else if before == nil {
					before = standingInAnswer(*was)
				}
				if there, ok := before[place]; ok && there.Value == to && there.Kind == leaf.Kind {
					e.add(part, place, leaf.Value, to)
				}
			}
		}
	}
}

// inText replaces the whole runs of digits in a text.
func (c *carrying) inText(text string) string {
	var b strings.Builder
	done := 0
	eachNumber([]byte(text), func(start, end int) {
		if old, ok := c.numbers[text[start:end]]; ok {
			b.WriteString(text[done:start] + old)
			done = end
		}
	})
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

func eachNumber(text []byte, f func(start, end int)) {
	for i := 0; i < len(text); i++ {
		start := i
		for i < len(text) && '0' <= text[i] && text[i] <= '9' {
			i++
		}
		if i > start {
			f(start, i)
		}
	}
}

// numbersLeft reports that ids that are numbers still stand where nothing says what they
// are: a list of them, the name of a member, a part of a name. Those that stand there in the
// previous recording too are none.
func (c *carrying) numbersLeft(list []clean.Interaction) (bool, error) {
	if c.numbers == nil {
		return false, nil
	}
	for i, in := range list {
		left, err := c.countNumbers(in)
		if err != nil {
			return false, err
		}
		if len(left) == 0 {
			continue
		}
		was := c.was(i)
		if was == nil {
			return true, nil
		}
		before, err := c.countNumbers(*was)
		if err != nil {
			return false, err
		}
		for n, times := range left {
			if times > before[n] {
				return true, nil
			}
		}
	}
	return false, nil
}

// countNumbers counts how often each of the numbers stands in an interaction.
func (c *carrying) countNumbers(in clean.Interaction) (map[string]int, error) {
	var out map[string]int
	look := func(text []byte) {
		eachNumber(text, func(start, end int) {
			if _, ok := c.numbers[string(text[start:end])]; ok {
				if out == nil {
					out = make(map[string]int)
				}
				out[string(text[start:end])]++
			}
		})
	}
	err := eachText(in, look)
	return out, err
}

// inPath replaces in the path of a URL.
func (c *carrying) inPath(text string) string {
	if !strings.HasPrefix(text, "/") && !strings.Contains(text, "://") || strings.ContainsAny(text, " \t\r\n") {
		return text
	}
	path, rest := text, ""
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		path, rest = text[:i], text[i:]
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if old, ok := c.numbers[segment]; ok {
			segments[i] = old
		}
	}
	return strings.Join(segments, "/") + rest
}

// numbersIn calls f with the numbers that an answer gives as ids.
func (c *carrying) numbersIn(resp clean.Response, f func(number string)) {
	if c.numbers == nil {
		return
	}
	header := resp.Header()
	for _, leaf := range standingIn("", header, header.Get("Content-Type"), resp.Body()) {
		if _, ok := c.numbers[leaf.Value]; ok && matchers.IsIDName(leaf.Name) {
			f(leaf.Value)
		}
	}
}

// asksUnknown reports a request in which one of the numbers stands and no answer has given
// it. Where it may be something else, numbersLeft sees what becomes of it.
func (c *carrying) asksUnknown(r clean.Request, given map[string]bool) bool {
	for _, segment := range r.PathSegments() {
		if _, ok := c.numbers[segment]; ok && !given[segment] {
			return true
		}
	}
	for _, leaf := range standingInRequest(r) {
		if _, ok := c.numbers[leaf.Value]; ok && !given[leaf.Value] {
			return true
		}
	}
	return false
}
