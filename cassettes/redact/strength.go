package redact

import (
	"strings"
	"unicode/utf8"
)

// minStrong is the shortest value that may be learned by its name alone, in bytes.
const minStrong = 16

// maxStrong is the longest: what is larger is a document, not a key, in bytes.
const maxStrong = 32 << 10

// startsWithDate reports whether s starts like 2026-01-31.
func startsWithDate(s string) bool {
	if len(s) < len("2026-01-31") || s[4] != '-' || s[7] != '-' {
		return false
	}
	for _, i := range [...]int{0, 1, 2, 3, 5, 6, 8, 9} {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// strong reports whether a value looks random enough to be searched for
// everywhere: nothing else in the cassette can be equal to it by chance.
func strong(value string) bool {
	if len(value) < minStrong || len(value) > maxStrong || startsWithDate(value) || strings.Contains(value, word) {
		return false
	}
	var seen [256]bool
	distinct, digits, wide := 0, 0, 0
	for i := range len(value) {
		c := value[i]
		if c <= ' ' || c == 0x7f {
			return false // white space is prose
		}
		if c > 0x7f {
			wide++
		}
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		if isDigit(c) {
			digits++
		}
	}
	if wide > 0 && (len(value)-wide < minStrong || !utf8.ValidString(value)) {
		return false // binary is not learned by name, nor is a sentence without spaces
	}
	if digits == len(value) {
		// Ids and amounts are digits too: only a very long number is unmistakable.
		return len(value) >= 24 && distinct >= 6
	}
	return distinct >= 7 && !wordy(value)
}

// wordy reports whether most of a value is words and short numbers, such as
// "correct-horse-battery-staple" or "test_secret_0001".
func wordy(value string) bool {
	total, known := 0, 0
	for i := 0; i < len(value); {
		if !isAlnum(value[i]) {
			i++
			continue
		}
		start := i
		for i < len(value) && isAlnum(value[i]) {
			i++
		}
		token := value[start:i]
		total += len(token)
		if len(token) <= 4 && strings.Trim(token, "0123456789") == "" {
			known += len(token)
			continue
		}
		known += wordLetters(token)
	}
	return 5*known >= 3*total
}

// wordLetters counts the letters of token that stand in words: runs of letters of one
// case, perhaps with a capital before them, whose pairs are pairs of English.
func wordLetters(token string) int {
	n := 0
	for i := 0; i < len(token); {
		start := i
		for i < len(token) && 'A' <= token[i] && token[i] <= 'Z' {
			i++
		}
		if i-start <= 1 {
			for i < len(token) && 'a' <= token[i] && token[i] <= 'z' {
				i++
			}
		}
		if i == start {
			i++
			continue
		}
		if i-start >= 3 && english(token[start:i]) {
			n += i - start
		}
	}
	return n
}

// english reports whether the pairs of letters, in either case, are those of words.
func english(letters string) bool {
	common := 0
	for i := range len(letters) - 1 {
		if pairs[letters[i]|0x20]&(1<<((letters[i+1]|0x20)-'a')) != 0 {
			common++
		}
	}
	return 5*common >= 3*(len(letters)-1)
}

// pairs are the most frequent letter pairs of English: about nine tenths of a
// text's pairs, and a fifth of all possible ones. By the first letter, a bit for
// each second one.
var pairs = func() (set [256]uint32) {
	for _, p := range strings.Fields(`th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng
		of al de se le sa si ar ve ra ld ur ro ta io ri el la ne me li no ch il ma di co ec ee ss om pa tr ho sh us ic ca
		pr ac em ut am op pe wo ke un so ay ad ai be ce ci cl da do ex fi fo ge gh id ie if im ir iv ki ll lo ly mi mo na
		nc ns ol oo ot ow pl po qu rd rs sc sp su ts tu ul um up vi we wh ap ag ab bi bl bo br bu by ck ct cr cu du dr ef ei ev ew
		fa fe fr fu ga gi go gr ht ig ju ks ls lu mp mu my ni ob od os ov pi pu rk rm rn rt ru rv ry sk sl sm sn sw ty tt ue ui wa wi wn yo`) {
		set[p[0]] |= 1 << (p[1] - 'a')
	}
	return set
}()
