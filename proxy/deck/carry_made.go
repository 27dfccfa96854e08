package deck

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// readMade pairs what the client made up for requests that are equal all the same: values
// that a rule ignores, or of which only the shape counts. Where one comes back in an
// answer, it has to come back as what the request holds.
func (c *carrying) readMade() {
	olds := make(map[string]string, len(c.names))
	for name, old := range c.names {
		olds[old] = name
	}
	many := make(map[string]bool) // stands for several, or several for it
	pair := func(name, old string) {
		if name == old || min(len(name), len(old)) < minInvented || many[name] {
			return
		}
		was, known := c.names[name]
		owner, taken := olds[old]
		if known && was == old {
			return
		}
		if known || taken {
			many[name] = true
			if taken && c.sole(owner) {
				many[owner] = true
			}
			return
		}
		c.names[name], olds[old] = old, name
	}
	for i, j := range c.pairing.Old {
		if j < 0 {
			continue
		}
		now, before := c.matcher.Read(c.fresh[i].Request(), nil).Invented, c.matcher.Read(c.old[j].Request(), nil).Invented
		if len(now) != len(before) {
			continue
		}
		for k := range now {
			if now[k].Name == before[k].Name {
				pair(now[k].Value, before[k].Value)
			}
		}
	}
	c.loose = make(map[string]bool, len(many))
	look := make(map[string]string, len(many))
	for name := range many {
		if c.sole(name) {
			delete(c.names, name)
		}
		c.loose[name], look[name] = true, name
	}
	values := clean.NewValues(look)
	for _, in := range c.fresh {
		if resp, err := in.Response(); err != nil || resp.Find(values, func(v string) { delete(c.loose, v) }) != nil {
			clear(c.loose)
			return
		}
	}
}

// sole reports that a name is known from requests alone.
func (c *carrying) sole(name string) bool {
	_, known := c.pairing.Names[name]
	return !known
}

// asked returns an interaction with the request of the previous file, when the two differ
// in nothing but what rules let differ, and no answer repeats that.
func (c *carrying) asked(i int, in, old clean.Interaction) clean.Interaction {
	now, before := in.Request(), old.Request()
	if now.Method() != before.Method() {
		return in
	}
	a, b := c.matcher.Read(now, nil), c.matcher.Read(before, nil)
	if a.Key != b.Key || !slices.Equal(a.Secrets, b.Secrets) || !slices.Equal(secretsIn(now), secretsIn(before)) ||
		!sameStored(now, before) || !slices.Equal(placesIn(now), placesIn(before)) || len(a.Invented) != len(b.Invented) {
		return in
	}
	for k, made := range a.Invented {
		if made.Value != b.Invented[k].Value && len(made.Value) >= minInvented && !c.loose[made.Value] {
			return in
		}
	}
	return in.WithRequest(before)
}

// secretsIn are the placeholders of a request, in order of their numbers.
func secretsIn(r clean.Request) (ids []string) {
	texts := []string{r.RawURL(), string(r.Body())}
	for _, name := range r.HeaderNames() {
		texts = append(texts, r.Header(name)...)
	}
	for _, text := range texts {
		for _, ph := range redact.Placeholders(text) {
			ids = append(ids, ph.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// sameStored reports that two requests of one key have the same headers beside those
// that the key knows.
func sameStored(a, b clean.Request) bool {
	return slices.Equal(a.HeaderNames(), b.HeaderNames()) && !slices.ContainsFunc(a.HeaderNames(), func(name string) bool {
		switch name {
		case "Accept", "Authorization", "Cookie":
			return false
		}
		return !slices.Equal(a.Header(name), b.Header(name))
	})
}

// placesIn are the places of the leaves of a request, sorted: members may come in any order.
func placesIn(r clean.Request) (places []leaves.Place) {
	query, _ := leaves.Query(r.URL().RawQuery)
	for _, leaf := range append(query, clean.BodyLeaves(r.ContentType(), r.Body())...) {
		places = append(places, leaf.Place)
	}
	slices.Sort(places)
	return places
}

// nearNow is how far from the day of recording a time is that a client makes of the clock
// or of another time.
const nearNow = 31 * 24 * time.Hour

// makesTimes reports that a request that the previous recording does not have holds a time
// of about now: made of one that an answer gave, perhaps.
func (c *carrying) makesTimes() bool {
	for i, in := range c.fresh {
		recorded, err := time.Parse(time.DateOnly, in.Recorded)
		if c.pairing.Old[i] >= 0 || err != nil {
			continue
		}
		r := in.Request()
		list, _ := leaves.Query(r.URL().RawQuery)
		for _, leaf := range append(list, clean.BodyLeaves(r.ContentType(), r.Body())...) {
			at, ok := timeOf(leaf.Value)
			if _, known := c.names[leaf.Value]; ok && !known && math.Abs(float64(at.Sub(recorded))) < float64(nearNow) {
				return true
			}
		}
		for _, segment := range r.PathSegments() {
			if at, ok := timeOf(segment); ok && math.Abs(float64(at.Sub(recorded))) < float64(nearNow) {
				return true
			}
		}
	}
	return false
}

// timeOf reads a time as answers write it.
func timeOf(text string) (time.Time, bool) {
	if !matchers.IsTime(text) {
		return time.Time{}, false
	}
	if whole, _, _ := strings.Cut(text, "."); matchers.IsUnixTime(text) {
		n, err := strconv.ParseInt(whole, 10, 64)
		for len(whole) > 10 {
			n, whole = n/1000, whole[:len(whole)-3]
		}
		return time.Unix(n, 0), err == nil
	}
	for _, layout := range slices.Concat(bodyTimes, cookieTimes, []string{time.DateOnly, "20060102T150405Z", time.RFC1123Z, "2006-01-02T15:04Z07:00"}) {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
