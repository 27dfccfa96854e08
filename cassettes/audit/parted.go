package audit

import (
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/redact"
)

// A piece is a part of a value that gitleaks sees as a value of its own; from is where it
// begins in the value, in bytes.
type piece struct {
	from int
	text string
}

// parted cuts a value where something is glued to a placeholder that no rule keeps there.
// A placeholder's zeros keep gitleaks silent about the whole word, and so about what is
// glued to it: a secret that no rule knows.
func parted(rules *redact.Rules, value string) []piece {
	value = withoutKeys(value)
	var cuts []int
	list := redact.Placeholders(value)
	floor := 0
	for _, ph := range list {
		start := ph.Start
		for low := max(floor, start-maxKept); start > low && isValueByte(value[start-1]); {
			start--
		}
		for start < ph.Start && !(startsWord(value, start) && rules.IsClean(value[start:ph.End])) {
			start++
		}
		cuts = append(cuts, start)
		if ph.End < len(value) && isValueByte(value[ph.End]) {
			cuts = append(cuts, ph.End)
		}
		floor = ph.End
	}
	if strings.Contains(value, manyZeros) {
		next := list
		for _, at := range beginning.FindAllStringIndex(value, -1) {
			for len(next) > 0 && next[0].End < at[1] {
				next = next[1:]
			}
			if len(next) == 0 || at[1] <= next[0].Start {
				cuts = append(cuts, at[1])
			}
		}
		slices.Sort(cuts)
	}
	var out []piece
	from := 0
	for _, at := range append(cuts, len(value)) {
		if at > from {
			out = append(out, piece{from, value[from:at]})
			from = at
		}
	}
	return out
}

// beginning is that of a placeholder, which may be none as its number goes on.
var beginning = regexp.MustCompile(`REDACTED-?(?:[A-Za-z_][A-Za-z0-9_]*-)?A?` + manyZeros + `0*`)

// manyZeros keep gitleaks silent about a word that holds them.
const manyZeros = "000000"

// maxKept is the longest text that a rule keeps before a placeholder, in bytes.
const maxKept = 256

// isValueByte is a byte of what gitleaks' rules take for a value.
func isValueByte(c byte) bool { return isBase64(c) || c == '.' || c == '=' }

// startsWord reports whether no letter or digit stands before value[i:].
func startsWord(value string, i int) bool {
	if i == 0 {
		return true
	}
	c := value[i-1]
	return !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z')
}

// aKey is a PEM block that may be a placeholder's.
var aKey = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr])*(REDACTED[A-Za-z0-9_-]*?)(?:\s|\\[nr])*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`)

// withoutKeys blanks the markers of PEM blocks that hold a placeholder and nothing else,
// and keeps all offsets. gitleaks takes everything between the first marker of one key
// and any marker of the next for a key.
func withoutKeys(value string) string {
	if !strings.Contains(value, "-----BEGIN ") {
		return value
	}
	var b strings.Builder
	last := 0
	for _, at := range aKey.FindAllStringSubmatchIndex(value, -1) {
		inside := value[at[2]:at[3]]
		if list := redact.Placeholders(inside); len(list) != 1 || list[0].End-list[0].Start != len(inside) {
			continue
		}
		b.WriteString(value[last:at[0]])
		b.WriteString(strings.ReplaceAll(value[at[0]:at[1]], "-----", "     "))
		last = at[1]
	}
	return b.String() + value[last:]
}
