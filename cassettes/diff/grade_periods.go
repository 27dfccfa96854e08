package diff

import (
	"slices"
	"strconv"
	"strings"
)

// periodNames are names of Unix times that are so for what stands around them alone: the
// start of a period of billing, but of a range of bytes too.
var periodNames = []string{"start", "end", "starts", "ends", "begin", "begins", "due", "expires", "since", "until", "from", "to"}

const (
	// longestPeriod is how far from the times of an answer the start or end of one of its
	// periods may lie, in seconds: a year and a little.
	longestPeriod = 400 * 24 * 60 * 60
	// unevenMonths is by how much periods of as many months differ, in seconds, as a
	// time of the year they begin in: four days.
	unevenMonths = 4 * 24 * 60 * 60
)

// maxAnchors bounds how many times of an answer a period is compared with.
const maxAnchors = 32

// gradePeriods grades the numbers that start and end periods: they are times where they lie
// near a time of the same message, on both sides, and moved with it. A period that is
// longer or shorter than before is another value.
func gradePeriods(list []Change) {
	var anchors map[Part][]anchor
	for i := range list {
		c := &list[i]
		if c.Grade != Changed || c.Kind != Other || c.Part == Meta || !isPeriodName(c) {
			continue
		}
		p, ok := unixTimes(c)
		if !ok {
			continue
		}
		if anchors == nil {
			anchors = anchorsOf(list)
		}
		if slices.ContainsFunc(anchors[c.Part], p.isPeriodOf) {
			c.Grade, c.Why = Volatile, namingWords[timeName]
		}
	}
}

// An anchor is a time on both sides, in seconds.
type anchor struct{ old, fresh int64 }

// isPeriodOf reports a time that belongs to another one.
func (a anchor) isPeriodOf(of anchor) bool {
	return within(a.old-of.old, longestPeriod) && within(a.fresh-of.fresh, longestPeriod) && within((a.fresh-a.old)-(of.fresh-of.old), unevenMonths)
}

// anchorsOf are the first few times that differ in each part.
func anchorsOf(list []Change) map[Part][]anchor {
	out := make(map[Part][]anchor)
	for i := range list {
		c := &list[i]
		if c.Grade != Volatile || len(out[c.Part]) == maxAnchors || namingOf(c.Place) != timeName {
			continue
		}
		if a, ok := unixTimes(c); ok && !slices.Contains(out[c.Part], a) {
			out[c.Part] = append(out[c.Part], a)
		}
	}
	return out
}

func within(n, most int64) bool { return -most <= n && n <= most }

func isPeriodName(c *Change) bool {
	names := namesOf(c.Place)
	if len(names) == 0 {
		return false
	}
	name := strings.ToLower(names[0])
	if word := lastWord(names[0]); word != "" {
		name = word
	}
	return slices.Contains(periodNames, name)
}

// unixTimes are the two sides of a change that are numbers of seconds.
func unixTimes(c *Change) (a anchor, ok bool) {
	const digits = 10 // of seconds; finer units have more
	if typeOf(c.Old) != "number" || typeOf(c.New) != "number" || len(c.Old.Text) != digits || !areUnixTimes(c.Old.Text, c.New.Text) {
		return a, false
	}
	var err error
	if a.old, err = strconv.ParseInt(c.Old.Text, 10, 64); err != nil {
		return a, false
	}
	a.fresh, err = strconv.ParseInt(c.New.Text, 10, 64)
	return a, err == nil
}
