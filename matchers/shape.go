package matchers

import (
	"regexp"
	"strings"
	"time"
)

// shapes are what "as:" can name: a value of the shape equals every other one.
var shapes = map[string]func(string) bool{
	"uuid":    isUUID,
	"time":    isTime,
	"integer": isInteger,
}

// IsUUID reports a UUID in its usual form.
func IsUUID(s string) bool { return isUUID(s) }

// IsTime reports a written time in a form that APIs use, or digits that may be a Unix
// time from 2001 on, in seconds, milliseconds, microseconds or nanoseconds.
func IsTime(s string) bool { return isTime(s) }

// IsUnixTime reports digits that may be a Unix time.
func IsUnixTime(s string) bool { return unixForm.MatchString(s) }

// LooksLikeID reports a UUID, a number of four digits or more, a name with a long
// random part such as cus_9s6XKzkNRiz8i3, or one that holds a placeholder.
func LooksLikeID(s string) bool { return looksLikeID(s) }

// IsIDName reports the name of a member that holds an id, such as customer_id.
func IsIDName(name string) bool { return isIDName(name) }

// Route is what a request has in common with those about other things of the same kind:
// "POST api.stripe.com/v1/customers/{id}". Beside what looks like an id, what named
// reports to name a thing is left open; nil reports none.
func (r Reading) Route(named func(segment string) bool) string {
	segments := strings.Split(r.fact("path"), "/")
	for i, s := range segments {
		if looksLikeID(s) || named != nil && s != "" && named(decodeSegment(s)) {
			segments[i] = "{id}"
		}
	}
	return r.fact("method") + " " + r.fact("host") + strings.Join(segments, "/")
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func isUUID(s string) bool { return len(s) == 36 && uuidForm.MatchString(s) }

// timeLayouts are the written times that APIs use, besides Unix time.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999", // no zone
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04:05.999999999-0700",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02",
	"20060102T150405Z", // AWS
	time.RFC1123,
	time.RFC1123Z,
}

// unixForm is a time in seconds or milliseconds from 2001 to 2286, in
// microseconds or nanoseconds of the same span, or seconds with a fraction.
var unixForm = regexp.MustCompile(`^[1-9](\d{9}|\d{12}|\d{15}|\d{18}|\d{9}\.\d+)$`)

func isTime(s string) bool {
	if len(s) < 10 || len(s) > 40 {
		return false
	}
	if unixForm.MatchString(s) {
		return true
	}
	for _, layout := range timeLayouts {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

func isInteger(s string) bool {
	s = strings.TrimPrefix(s, "-")
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
