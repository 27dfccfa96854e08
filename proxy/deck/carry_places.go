package deck

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// edits are the values that one interaction takes by place, and what stood there.
type edits struct {
	request, response         map[leaves.Place]string
	requestBack, responseBack map[leaves.Place]string
	// aging says that some end at a time, and so go with the day of recording.
	aging bool
}

func (e *edits) forth(v *clean.Values) clean.Replacement {
	return clean.Replacement{Values: v, Request: e.request, Response: e.response}
}

func (e *edits) back(v *clean.Values) clean.Replacement {
	return clean.Replacement{Values: v, Request: e.requestBack, Response: e.responseBack}
}

func (e *edits) add(part diff.Part, place leaves.Place, now, old string) {
	forth, back := &e.response, &e.responseBack
	if part == diff.Request {
		forth, back = &e.request, &e.requestBack
	}
	if *forth == nil {
		*forth, *back = make(map[leaves.Place]string), make(map[leaves.Place]string)
	}
	if _, twice := (*forth)[place]; !twice {
		(*forth)[place], (*back)[place] = old, now
	}
}

// A standing is what stands at the places of one side of an interaction.
type standing map[leaves.Place]leaves.Leaf

// standingIn reads one side. Places that hold several values are left out.
func standingIn(url string, header map[string][]string, contentType string, body []byte) standing {
	s := make(standing)
	twice := make(map[leaves.Place]bool)
	add := func(leaf leaves.Leaf) {
		if _, there := s[leaf.Place]; there {
			twice[leaf.Place] = true
		}
		s[leaf.Place] = leaf
	}
	if url != "" {
		_, query, _ := strings.Cut(url, "?")
		query, _, _ = strings.Cut(query, "#")
		list, _ := leaves.Query(query)
		for _, leaf := range list {
			add(leaf)
		}
	}
	for name, values := range header {
		for i, v := range values {
			place := clean.HeaderPlace("header", name, i, len(values))
			add(leaves.Leaf{Place: place, Name: strings.ToLower(name), Value: v})
		}
	}
	list := clean.BodyLeaves(contentType, body)
	for _, leaf := range list {
		add(leaf)
	}
	if len(list) == 0 && len(body) > 0 {
		add(leaves.Leaf{Place: "body", Value: string(body)})
	}
	for place := range twice {
		delete(s, place)
	}
	return s
}

func standingInRequest(r clean.Request) standing {
	header := make(map[string][]string)
	for _, name := range r.HeaderNames() {
		header[name] = r.Header(name)
	}
	return standingIn(r.RawURL(), header, r.ContentType(), r.Body())
}

func standingInAnswer(in clean.Interaction) standing {
	resp, err := in.Response()
	if err != nil {
		return nil // Replace says so
	}
	header := resp.Header()
	return standingIn("", header, header.Get("Content-Type"), resp.Body())
}

// edits are what interaction i takes by place. recorded is the day on which it counts as
// recorded when it does not become what it was; "" when it may.
func (c *carrying) edits(i int, values *clean.Values, recorded string) *edits {
	e := &edits{}
	in, old := c.fresh[i], c.was(i)
	var request, answer standing
	if len(c.pairing.Places[i]) > 0 || c.numbers != nil {
		request, answer = standingInRequest(in.Request()), standingInAnswer(in)
	}
	for _, r := range c.pairing.Places[i] {
		side := answer
		if r.Part == diff.Request {
			side = request
		}
		if r.What == number || r.What == diff.ATime && c.timeless {
			continue
		}
		now := redact.Renumber(r.New, c.ids)
		if !sameSecrets(now, r.Old) {
			continue
		}
		leaf, ok := side.find(r.Place, now)
		if !ok || leaf.Kind != leaves.String && leaf.Kind != leaves.Number {
			continue
		}
		if r.What == diff.ATime && old != nil && !asFar(leaf.Name, now, in.Recorded, r.Old, old.Recorded) {
			continue
		}
		if r.What == diff.ATime && ages(leaf.Name, now, in.Recorded) {
			if recorded != "" && !sameSide(leaf.Name, now, r.Old, recorded) {
				continue
			}
			e.aging = true
		}
		e.add(r.Part, leaf.Place, now, r.Old)
	}
	if c.numbers != nil {
		c.numberEdits(e, in, old, request, answer)
	}
	if old != nil && recorded == "" {
		c.tokens(e, in, *old, values)
	}
	return e
}

// find returns the leaf at a place, or the value of a header with several that is text.
func (s standing) find(place leaves.Place, text string) (leaves.Leaf, bool) {
	if leaf, ok := s[place]; ok {
		return leaf, leaf.Value == text
	}
	for n := 0; ; n++ {
		leaf, ok := s[place.Index(n)]
		if !ok {
			return leaf, false
		}
		if leaf.Value == text && strings.HasPrefix(string(place), "header") {
			return leaf, true
		}
	}
}

func sameSecrets(a, b string) bool {
	return slices.EqualFunc(redact.Placeholders(a), redact.Placeholders(b), func(x, y redact.Placeholder) bool { return x.ID == y.ID })
}

// ages reports a time that may lie ahead of the day of recording, and is looked at then:
// one by a name of such, a text around a time, and what lies far ahead.
func ages(name, text, recorded string) bool {
	at, ok := timeOf(text)
	day, err := time.Parse(time.DateOnly, recorded)
	return !ok || err != nil || isExpiry(name) || at.After(day.Add(24*time.Hour))
}

func isExpiry(name string) bool {
	name = folded(name)
	return slices.Contains(expiryNames, name) || strings.Contains(name, "expir")
}

// sameSide reports that two times lie on the same side of the day of recording: what lay
// ahead then is moved when it is played, and what did not is not.
func sameSide(name, now, old, recorded string) bool {
	day, err := time.Parse(time.DateOnly, recorded)
	a, okA := timeOf(now)
	b, okB := timeOf(old)
	if err != nil || !okA || !okB {
		return false
	}
	if !isExpiry(name) {
		day = day.Add(24 * time.Hour)
	}
	return a.After(day) == b.After(day)
}

// asFar reports that two times lie alike to the days on which they were recorded, as those
// that an API takes from its clock do: no more than about a month apart, or a tenth of what they
// lie ahead. What has expired is not as far as what has not.
func asFar(name, now, nowDay, old, oldDay string) bool {
	a, okA := timeOf(now)
	b, okB := timeOf(old)
	dayA, errA := time.Parse(time.DateOnly, nowDay)
	dayB, errB := time.Parse(time.DateOnly, oldDay)
	if !okA || !okB || errA != nil || errB != nil {
		return true
	}
	before, after := b.Sub(dayB), a.Sub(dayA)
	if isExpiry(name) && (before > 0) != (after > 0) {
		return false
	}
	const month = 32 * 24 * time.Hour
	return a.Sub(b).Abs() <= month || (after-before).Abs() <= max(month, before/10)
}

// tokens adds the JWTs that differ in their claims alone: they say when they were made.
func (c *carrying) tokens(e *edits, in, old clean.Interaction, values *clean.Values) {
	resp, err := in.Response()
	if err != nil {
		return
	}
	held := holdsToken(resp.Body())
	for _, list := range resp.Header() {
		held = held || slices.ContainsFunc(list, func(v string) bool { return holdsToken([]byte(v)) })
	}
	if !held {
		return
	}
	before := standingInAnswer(old)
	for place, leaf := range standingInAnswer(in) {
		was, ok := before[place]
		if !ok || was.Value == leaf.Value || !holdsToken([]byte(leaf.Value)) || len(redact.Placeholders(leaf.Value)) == 0 || !sameSecrets(was.Value, leaf.Value) {
			continue
		}
		if redact.Blank(values.Text(leaf.Value)) == redact.Blank(was.Value) {
			e.add(diff.Response, place, leaf.Value, was.Value)
			e.aging = true
		}
	}
}

func holdsToken(text []byte) bool { return bytes.Contains(text, []byte("eyJ")) }
