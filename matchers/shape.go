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
