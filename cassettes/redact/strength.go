package redact

import (
	"regexp"
	"strings"
)

// minStrong is the shortest value that may be learned by its name alone, in bytes.
const minStrong = 16

// maxStrong is the longest: what is larger is a document, not a key, in bytes.
const maxStrong = 32 << 10

var startsWithDate = regexp.MustCompile(`^\d{4}-\d\d-\d\d`)

// strong reports whether a value looks random enough to be searched for
// everywhere: nothing else in the cassette can be equal to it by chance.
func strong(value string) bool {
	if len(value) < minStrong || len(value) > maxStrong || startsWithDate.MatchString(value) || strings.Contains(value, word) {
		return false
	}
	var seen [256]bool
	distinct, digits := 0, 0
	for i := range len(value) {
		c := value[i]
		if c <= ' ' || c >= 0x7f {
			return false // white space is prose, and binary is not learned by name
		}
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		if isDigit(c) {
			digits++
		}
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
		if i-start >= 3 && english(strings.ToLower(token[start:i])) {
			n += i - start
		}
	}
	return n
}

func english(letters string) bool {
	common := 0
	for i := range len(letters) - 1 {
		if pairs[letters[i:i+2]] {
			common++
		}
	}
	return 5*common >= 3*(len(letters)-1)
}

// pairs are the most frequent letter pairs of English: about nine tenths of a
// text's pairs, and a fifth of all possible ones.
var pairs = func() map[string]bool {
	set := make(map[string]bool)
	for _, p := range strings.Fields(`th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng
		of al de se le sa si ar ve ra ld ur ro ta io ri el la ne me li no ch il ma di co ec ee ss om pa tr ho sh us ic ca
		pr ac em ut am op pe wo ke un so ay ad ai be ce ci cl da do ex fi fo ge gh id ie if im ir iv ki ll lo ly mi mo na
		nc ns ol oo ot ow pl po qu rd rs sc sp su ts tu ul um up vi we wh ap ag ab bi bl bo br bu by ck ct cr cu du dr ef ei ev ew
		fa fe fr fu ga gi go gr ht ig ju ks ls lu mp mu my ni ob od os ov pi pu rk rm rn rt ru rv ry sk sl sm sn sw ty tt ue ui wa wi wn yo`) {
		set[p] = true
	}
	return set
}()
