package redact

import (
	"fmt"
	"strconv"
	"strings"
)

// The written forms of one placeholder. A number is four digits, above 9999
// "A" and eight digits; it alone is the identity.
//
//	REDACTED-0001             the usual form; the hyphen keeps secret scanners quiet
//	REDACTED-STRIPE_KEY-0001  the secret came from this environment variable
//	REDACTED0001              where a hyphen would break the shape: after "_secret_",
//	                          which mobile SDKs split at, and as a JWT's third part
//	4988438843884305          a card number: one of cardPool
//	Redacted-0001             and what else keeps a format: formWriters
const word = "REDACTED"

// mark stands for every placeholder in blanked text. Its brackets keep the text
// around it from forming another placeholder.
const mark = "[" + word + "]"

// A Placeholder is one placeholder standing in clean text.
type Placeholder struct {
	Start, End int
	// ID is the identity for life: "0001", or a card placeholder's digits.
	ID string
	// Env is the environment variable the secret came from, if any.
	Env string

	// idStart and idEnd delimit the written identity: the digits of the number,
	// or the card number with its separators.
	idStart, idEnd int
	card           bool
	form           form // of one that keeps a format; see formWriters
}

// Placeholders finds the placeholders in s, in order. A JWT placeholder's span
// is the whole JWT, another's is its own text without a prefix such as "sk_test_".
func Placeholders(s string) []Placeholder {
	words := merged(wordPlaceholders(s), formPlaceholders(s))
	cards := cardPlaceholders(s)
	if len(cards) == 0 {
		return words
	}
	if len(words) == 0 {
		return cards
	}
	merged := make([]Placeholder, 0, len(words)+len(cards))
	for len(words) > 0 || len(cards) > 0 {
		switch {
		case len(cards) == 0 || len(words) > 0 && words[0].Start <= cards[0].Start:
			merged = append(merged, words[0])
			words = words[1:]
		default:
			merged = append(merged, cards[0])
			cards = cards[1:]
		}
		// A card number cannot stand inside a word placeholder, except among
		// the claims of a JWT, whose span is one.
		for len(cards) > 0 && cards[0].Start < merged[len(merged)-1].End {
			cards = cards[1:]
		}
	}
	return merged
}

// Blank returns s with every placeholder replaced by one fixed mark, so that
// texts that differ only in their secrets are equal.
func Blank(s string) string {
	found := Placeholders(s)
	if len(found) == 0 {
		return s
	}
	var b strings.Builder
	last := 0
	for _, ph := range found {
		b.WriteString(s[last:ph.Start])
		b.WriteString(mark)
		last = ph.End
	}
	b.WriteString(s[last:])
	return b.String()
}

// Renumber rewrites placeholder identities in clean text, all at once, so that
// two may change places. Identities that ids does not name stay.
func Renumber(s string, ids map[string]string) string {
	if len(ids) == 0 {
		return s
	}
	var b strings.Builder
	last := 0
	for _, ph := range Placeholders(s) {
		id, ok := ids[ph.ID]
		if !ok || id == ph.ID {
			continue
		}
		switch toCard := IsCard(id); {
		case ph.form != formPlain:
			b.WriteString(s[last:ph.Start])
			b.WriteString(ph.renumbered(s, id))
			last = ph.End
		case ph.card && toCard:
			b.WriteString(s[last:ph.idStart])
			b.WriteString(likeCard(s[ph.idStart:ph.idEnd], id))
			last = ph.End
		case ph.card:
			b.WriteString(s[last:ph.Start])
			b.WriteString(word + "-" + id)
			last = ph.End
		case toCard:
			b.WriteString(s[last:ph.Start])
			b.WriteString(id)
			last = ph.End
		default:
			b.WriteString(s[last:ph.idStart])
			b.WriteString(id)
			if ph.isJWT(s) {
				b.WriteString(jwtPadding(id))
			}
			last = ph.End
		}
	}
	b.WriteString(s[last:])
	return b.String()
}

// IsCard tells the identity of a card's placeholder, which is a published test
// number that programs may also use by themselves.
func IsCard(id string) bool { return len(id) >= 12 }

// Number is the identity of placeholder number n: "0001", "A00010000".
func Number(n int) string {
	if n <= 9999 {
		return fmt.Sprintf("%04d", n)
	}
	return fmt.Sprintf("A%08d", n)
}

// ParseNumber is the number of a placeholder's identity; ok is false for a
// card's, which has none.
func ParseNumber(id string) (n int, ok bool) {
	if IsCard(id) {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimPrefix(id, "A"))
	return n, err == nil
}

// wordPlaceholders finds the placeholders that hold the word REDACTED.
func wordPlaceholders(s string) []Placeholder {
	var out []Placeholder
	for from := 0; ; {
		at := strings.Index(s[from:], word)
		if at < 0 {
			return out
		}
		at += from
		floor := 0
		if len(out) > 0 {
			floor = out[len(out)-1].End
		}
		ph, ok := wordPlaceholder(s, floor, at)
		if !ok {
			from = at + len(word)
			continue
		}
		out = append(out, ph)
		from = ph.End
	}
}

// wordPlaceholder reads the placeholder whose word stands at at; a JWT around it
// starts at floor or later.
func wordPlaceholder(s string, floor, at int) (Placeholder, bool) {
	i := at + len(word)
	ph := Placeholder{Start: at}
	if end := numberEnd(s, i); end > 0 {
		ph.idStart, ph.idEnd, ph.End, ph.ID = i, end, end, s[i:end]
		if start, ok := jwtStart(s, floor, at); ok {
			ph.Start = start
			if pad := jwtPadding(ph.ID); strings.HasPrefix(s[end:], pad) {
				ph.End += len(pad)
			}
		}
		return ph, true
	}
	if i >= len(s) || s[i] != '-' {
		return ph, false
	}
	i++
	if end := numberEnd(s, i); end > 0 {
		ph.idStart, ph.idEnd, ph.End, ph.ID = i, end, end, s[i:end]
		return ph, true
	}
	j := i
	for j < len(s) && isNameByte(s[j]) {
		j++
	}
	if name := s[i:j]; j < len(s) && s[j] == '-' && isEnvName(name) {
		if end := numberEnd(s, j+1); end > 0 {
			ph.idStart, ph.idEnd, ph.End, ph.ID, ph.Env = j+1, end, end, s[j+1:end], name
			return ph, true
		}
	}
	return ph, false
}

// numberEnd returns the end of the placeholder number at i, or 0 if there is none.
func numberEnd(s string, i int) int {
	digits := 4
	if i < len(s) && s[i] == 'A' {
		i, digits = i+1, 8
	}
	end := i + digits
	if end > len(s) || end < len(s) && isDigit(s[end]) {
		return 0
	}
	for ; i < end; i++ {
		if !isDigit(s[i]) {
			return 0
		}
	}
	return end
}

// isEnvName reports whether a variable's name can stand in a placeholder
// without being taken for a part of it.
func isEnvName(name string) bool {
	if name == "" || isDigit(name[0]) || strings.Contains(name, word) || numberEnd(name, 0) > 0 {
		return false
	}
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isAlnum(c byte) bool  { return isDigit(c) || isLetter(c) }

func isNameByte(c byte) bool { return isAlnum(c) || c == '_' }
