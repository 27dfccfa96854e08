package verify

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tapedeck/cassettes/clean"
)

// An aging moves times that lay ahead when they were recorded.
type aging struct{ recorded, now time.Time }

func newAging(in clean.Interaction, now time.Time) aging {
	day, err := time.Parse(time.DateOnly, in.Recorded)
	if err != nil {
		return aging{}
	}
	return aging{day, now}
}

// layouts are the written times that are moved.
var layouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05.000Z07:00",
	"2006-01-02T15:04:05.000000Z07:00",
	time.RFC3339Nano,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05",
	time.DateOnly,
	http.TimeFormat,
}

// timeLayouts are those and some that only tell that a value is a time.
var timeLayouts = append(slices.Clone(layouts), "20060102T150405Z", "20060102")

// aheadWords are in the names of times that an API wants to lie ahead: until when
// something is good, or when it is to happen.
var aheadWords = []string{"expir", "exp", "until", "end", "due", "deadline", "trial", "schedule", "start", "cancel", "anchor", "ship", "deliver", "renew", "notafter", "at", "date", "time"}

// endWords are in the names of those that say until when something is good: such a
// time on the day of recording lay ahead as well.
var endWords = []string{"expir", "until", "deadline", "notafter"}

const aDay = 24 * time.Hour

// move moves a time that lay ahead on the day of recording, and does not lie ahead any
// more, as far ahead of now.
func (a aging) move(p part) string {
	if a.recorded.IsZero() || len(p.text) < 10 || len(p.text) > 40 {
		return p.text
	}
	name := foldName.Replace(strings.ToLower(p.name))
	if !slices.ContainsFunc(aheadWords, func(word string) bool {
		if len(word) <= 4 {
			return strings.HasSuffix(name, word)
		}
		return strings.Contains(name, word)
	}) {
		return p.text
	}
	ahead := a.recorded.Add(aDay)
	if slices.ContainsFunc(endWords, func(word string) bool { return strings.Contains(name, word) }) {
		ahead = a.recorded
	}
	if n, err := strconv.ParseInt(p.text, 10, 64); err == nil {
		switch len(p.text) {
		case 10:
			return strconv.FormatInt(a.moved(time.Unix(n, 0), ahead, false).Unix(), 10)
		case 13:
			return strconv.FormatInt(a.moved(time.UnixMilli(n), ahead, false).UnixMilli(), 10)
		}
		return p.text
	}
	for _, layout := range layouts {
		at, err := time.Parse(layout, p.text)
		if err != nil || at.Format(layout) != p.text {
			continue
		}
		return a.moved(at, ahead, layout == time.DateOnly).Format(layout)
	}
	return p.text
}

// moved leaves alone what lay before ahead: of a time on the day of recording itself
// nobody can tell, and most of those say when something was.
func (a aging) moved(at, ahead time.Time, days bool) time.Time {
	if at.Before(ahead) || at.After(a.now) {
		return at
	}
	by := a.now.Sub(a.recorded)
	if days {
		by = by.Truncate(aDay)
	}
	return at.Add(by).In(at.Location())
}

// isTime reports whether a value is a written time, or a number of seconds since 1970.
func isTime(s string) bool {
	if isInteger(s) {
		return len(s) == 10 || len(s) == 13
	}
	// All layouts begin with a digit, or with a weekday and a comma: most values do not.
	if len(s) < 8 || len(s) > 40 || (s[0] < '0' || s[0] > '9') && s[3] != ',' {
		return false
	}
	for _, layout := range timeLayouts {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
