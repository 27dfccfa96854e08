package redact

import (
	"fmt"
	"strconv"
	"strings"
)

// The written forms of one placeholder. A number is four digits, above 9999
// "A" and eight digits; it alone is the identity. It is written with more zeros
// where it is a part of a longer word: see longNumber.
//
//	REDACTED-0001                    the usual form; the hyphen keeps secret scanners quiet
//	sk_test_REDACTED-0000000001      where a word goes on beside it
//	REDACTED-STRIPE_KEY-0000000001   the secret came from this environment variable
//	pi_3Nab_secret_REDACTED000000000001
//	                                 where a hyphen would break the shape: after "_secret_",
//	                                 which mobile SDKs split at, and as a JWT's third part
//	4988438843884305                 a card number: one of cardPool
//	Redacted-0001                    and what else keeps a format: formWriters
//
// Text that holds the number with four digits in one of the longer forms, as earlier
// versions wrote them, stays as it is.
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
	// with its zeros, or the card number with its separators.
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
			b.WriteString(word + "-" + shortNumber(id))
			last = ph.End
		case toCard:
			b.WriteString(s[last:ph.Start])
			b.WriteString(id)
			last = ph.End
		default:
			b.WriteString(s[last:ph.idStart])
			b.WriteString(ph.number(s, id))
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

// zeros makes every gitleaks rule that goes by names and randomness pass over a word:
// it is one of the stopwords of generic-api-key (v8.30). Without it the rule takes
// "sk_test_REDACTED-0001" for a key, as all its characters differ, and many with
// "A" and eight digits, whatever stands before.
const zeros = "000000"

// shortNumber is how a number is written that stands alone behind "REDACTED-".
func shortNumber(id string) string {
	if digits, ok := strings.CutPrefix(id, "A"); ok {
		return "A" + zeros + digits
	}
	return id
}

// longNumber is how a number is written as a part of a longer word. No more zeros have
// room: any 20 letters, digits and hyphens behind "glpat-" are a token to gitleaks.
func longNumber(id string) string {
	if digits, ok := strings.CutPrefix(id, "A"); ok {
		return "A0" + zeros + digits
	}
	return zeros + id
}

// joinedNumber is longNumber for what has no hyphen. With "REDACTED" before it, it is a
// multiple of four long: some shapes are base64, and what reads them is strict.
func joinedNumber(id string) string {
	if strings.HasPrefix(id, "A") {
		return longNumber(id)
	}
	return "00" + zeros + id
}

// isLongNumber tells what these two write from the other ways to write a number.
func isLongNumber(written string) bool {
	return len(written) == 10 || len(written) == 12 || len(written) == 16
}

// number writes another identity as the placeholder in s has its own: a four-digit
// number that an earlier version wrote stays as short.
func (ph Placeholder) number(s, id string) string {
	hyphen := s[ph.idStart-1] == '-'
	switch n := ph.idEnd - ph.idStart; {
	case n == 12, n == 16 && !hyphen, strings.HasPrefix(id, "A") && !hyphen:
		return joinedNumber(id)
	case n == 10, n == 16:
		return longNumber(id)
	}
	return shortNumber(id)
}

// A setting is what a placeholder is written into.
type setting uint8

const (
	byItself setting = iota // a value by itself, or a word of a text
	within                  // a part of a longer word
	unnamed                 // the same, where a variable's name would make a shape
	joined                  // the same, where a hyphen would break the shape
)

// settingOf is the setting of what is written in place of s[start:end]: within behind a
// prefix, and where gitleaks could take it and what stands beside it for one value.
func settingOf(s string, start, end int) setting {
	after := end < len(s) && isValueByte(s[end])
	before := start > 0 && isValueByte(s[start-1])
	if escapeBefore(s, start) { // which gitleaks resolves too
		before = isValueByte(unhex(s[start-2])<<4 | unhex(s[start-1]))
	} else if start > 1 && s[start-2] == '\\' {
		before = false // a line break
	}
	switch {
	case before && s[start-1] != '=':
		return within
	case (before || after) && mayStartValue(s[:start]):
		return within
	}
	return byItself
}

// mayStartValue reports whether gitleaks could take what follows before, and the name
// of a pair at the end of it, for the value of a name: at the start of a text, whose
// name is not known here, or behind a sign of assignment ("key: a=…"). What parts the
// pairs of a list parts values too.
func mayStartValue(before string) bool {
	i := len(before)
	for low := max(0, i-2*maxName); i > low && isValueByte(before[i-1]); {
		i--
	}
	before = strings.TrimRight(before[:i], "`'\"= \t\r\n")
	return before == "" || strings.IndexByte("=>:|,", before[len(before)-1]) >= 0
}

// lengthened is what stands for a whole value, with its number written as in a part of
// a longer word.
func lengthened(clean string) string {
	list := merged(wordPlaceholders(clean), formPlaceholders(clean))
	if len(list) != 1 || list[0].idEnd == 0 || isLongNumber(clean[list[0].idStart:list[0].idEnd]) {
		return clean
	}
	return clean[:list[0].idStart] + list[0].cased(longNumber(list[0].ID)) + clean[list[0].idEnd:]
}

// cased writes a number's letter small where host names and addresses are.
func (ph Placeholder) cased(number string) string {
	if ph.form == formHost || ph.form == formEmail {
		return strings.ToLower(number)
	}
	return number
}

// isValueByte is a byte of what gitleaks' rules for names take for their value.
func isValueByte(c byte) bool { return isNameByte(c) || c == '-' || c == '.' || c == '=' }

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
	if id, end := numberAt(s, i); end > 0 {
		ph.idStart, ph.idEnd, ph.End, ph.ID = i, end, end, id
		if start, ok := jwtStart(s, floor, at); ok {
			ph.Start = start
			if end-i == len("A00010000") && strings.HasPrefix(s[end:], oldJWTPadding) {
				ph.End += len(oldJWTPadding)
			}
		}
		return ph, true
	}
	if i >= len(s) || s[i] != '-' {
		return ph, false
	}
	i++
	if id, end := numberAt(s, i); end > 0 {
		ph.idStart, ph.idEnd, ph.End, ph.ID = i, end, end, id
		return ph, true
	}
	j := i
	for j < len(s) && isNameByte(s[j]) {
		j++
	}
	if name := s[i:j]; j < len(s) && s[j] == '-' && isEnvName(name) {
		if id, end := numberAt(s, j+1); end > 0 {
			ph.idStart, ph.idEnd, ph.End, ph.ID, ph.Env = j+1, end, end, id, name
			return ph, true
		}
	}
	return ph, false
}

// numberAt reads the placeholder number at i, however it is written. end is 0 if
// there is none.
func numberAt(s string, i int) (id string, end int) {
	from := i
	if i < len(s) && s[i] == 'A' {
		from++
	}
	for end = from; end < len(s) && end-from < maxNumber && isDigit(s[end]); end++ {
	}
	digits := s[from:end]
	if from == i {
		switch {
		case len(digits) == 4:
			return digits, end
		case (len(digits) == 10 || len(digits) == 12) && strings.Trim(digits[:len(digits)-4], "0") == "":
			return digits[len(digits)-4:], end
		}
		return "", 0
	}
	switch {
	case len(digits) == 8:
		return s[i:end], end
	case len(digits) == 14 && strings.HasPrefix(digits, zeros),
		len(digits) == 15 && strings.HasPrefix(digits, "0"+zeros):
		return "A" + digits[len(digits)-8:], end
	}
	return "", 0
}

// maxNumber is more digits than a number has.
const maxNumber = 16

// isEnvName reports whether a variable's name can stand in a placeholder
// without being taken for a part of it. Names that mix small and capital letters
// cannot: a secret that stands between "REDACTED-" and a number would look like one.
func isEnvName(name string) bool {
	if name == "" || isDigit(name[0]) || strings.Contains(name, word) {
		return false
	}
	if name != strings.ToUpper(name) && name != strings.ToLower(name) {
		return false
	}
	if _, end := numberAt(name, 0); end > 0 {
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
