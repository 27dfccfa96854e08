package diff

import (
	"tapedeck/matchers/profiles"
)

// An effect says whether a setting is looser than it was, by all of its values before
// and after: none where it is not set, one where it is no list.
type effect func(was, is []string) bool

var (
	// moreIsLooser: each entry lets more count as the same, or takes something out.
	moreIsLooser effect = func(was, is []string) bool { return len(lacking(is, was)) > 0 }
	// fewerIsLooser: each entry checks, records or redacts something.
	fewerIsLooser effect = func(was, is []string) bool { return len(lacking(was, is)) > 0 }
	// offIsLooser: true is the strict value.
	offIsLooser effect = func(was, is []string) bool { return onlyValue(was) == "true" && onlyValue(is) != "true" }
	// onIsLooser: true is the loose value.
	onIsLooser effect = func(was, is []string) bool { return onlyValue(was) != "true" && onlyValue(is) == "true" }
	// setIsLooser: to have a value at all is looser than to have none.
	setIsLooser effect = func(was, is []string) bool { return len(was) == 0 && len(is) > 0 }
	// carriedIsLooser: off is the strict value, and not the default.
	carriedIsLooser effect = func(was, is []string) bool { return onlyValue(was) == "off" && onlyValue(is) != "off" }
	// narrowerIsLooser: without a value it holds everywhere, with some at those places only.
	narrowerIsLooser effect = func(was, is []string) bool { return len(is) > 0 && (len(was) == 0 || fewerIsLooser(was, is)) }
)

// effects are the settings that can be looser than they were. What is not listed
// is not about what counts as the same, is redacted, recorded or checked.
var effects = map[string]effect{
	"rules.ignore":    moreIsLooser,
	"rules.as":        moreIsLooser, // another shape takes other values
	"rules.rewrite":   moreIsLooser,
	"rules.unordered": moreIsLooser,
	"rules.headers":   fewerIsLooser,
	"rules.safe":      onIsLooser, // its last answer plays any number of times
	"rules.repeat":    setIsLooser,

	"hosts.record":      fewerIsLooser,
	"hosts.passthrough": moreIsLooser,
	"hosts.ignore":      moreIsLooser,
	"profiles":          fewerIsLooser, // its redactions go, or are others

	"redact.pii":       offIsLooser,
	"redact.remove":    moreIsLooser,
	"redact.keep":      moreIsLooser,
	"redact.unknown":   func(was, is []string) bool { return onlyValue(was) == "refuse" && onlyValue(is) != "refuse" },
	"redact.add":       fewerIsLooser,
	"redact.add.name":  fewerIsLooser,
	"redact.add.value": fewerIsLooser,
	"redact.add.path":  fewerIsLooser,
	"redact.add.host":  fewerIsLooser,
	"redact.add.pii":   setIsLooser, // in force only where personal data is redacted
	"redact.add.in":    narrowerIsLooser,
	"redact.add.on":    narrowerIsLooser,
	"redact.add.at":    narrowerIsLooser,
	"keep.request":     fewerIsLooser,
	"keep.response":    fewerIsLooser,

	"strict":  offIsLooser,
	"repeat":  setIsLooser,
	"max_age": olderTaken,
	"carry":   carriedIsLooser, // what the API sends now is not what is written
	// Settings of some sessions stand against those of all, which may lie in another file.
	"sessions.strict": func(was, is []string) bool {
		return offIsLooser(was, is) || onlyValue(is) == "false" && onlyValue(was) != "false"
	},
	"sessions.repeat": setIsLooser,
	"sessions.carry": func(was, is []string) bool {
		return carriedIsLooser(was, is) || onlyValue(is) == "on" && onlyValue(was) != "on"
	},
	"sessions.max_age": func(was, is []string) bool { return len(was) == 0 || olderTaken(was, is) },
}

func onlyValue(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// olderTaken reports that older recordings are taken than before.
func olderTaken(was, is []string) bool {
	if len(was) == 0 || len(is) == 0 {
		return len(was) > 0
	}
	before, errBefore := profiles.ParseDays(was[0])
	after, errAfter := profiles.ParseDays(is[0])
	return errBefore != nil || errAfter != nil || after > before
}
