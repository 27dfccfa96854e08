package diff

import "strings"

// random reports whether a run of letters and digits looks made by a generator, and not
// by a person who put words and numbers together: 3MtwBwLkdIwHu7ix28a3tqPa, and not
// gold2024 or iPhone14ProMax. Where it is in doubt it is not.
func random(s string) bool { return generated(s, false) }

// generated is random for a part of a name. With a prefix, as in cus_9s6XKzkNRiz8i3, it takes
// less to be one: chance makes something like a word now and then.
func generated(s string, prefixed bool) bool {
	const shortest = 8
	n := len(s)
	if n < shortest {
		return false
	}
	digits, upper, lower, hex, runs := 0, 0, 0, 0, 0
	kind := byte(0)
	for i := range n {
		c := s[i]
		now := byte('a')
		switch {
		case '0' <= c && c <= '9':
			digits, now = digits+1, '0'
		case 'A' <= c && c <= 'Z':
			upper++
		case 'a' <= c && c <= 'z':
			lower++
		default:
			return false
		}
		if now == '0' || c|0x20 <= 'f' {
			hex++
		}
		if now != kind {
			runs, kind = runs+1, now
		}
	}
	letters := upper + lower
	switch {
	case letters == 0:
		return false // an amount, a time, a card
	case digits == 0 && (n < 10 || upper == 0 || lower == 0):
		return false
	case hex == n && (upper == 0 || lower == 0) && (n >= 2*shortest && runs > 3 || runs > 4):
		return true
	}
	words, covered := worded(s)
	switch {
	case prefixed && n >= 10:
		return 4*n < 11*words || digits > 0 && 4*covered < 3*n
	case digits == 0:
		return 4*n < 9*words
	}
	// People's words are longer than what chance makes: the parts of iPhone14ProMax are
	// 2.8 letters long, those of generated names in letters of both cases 1.9.
	return 4*n < 11*words || 2*covered < n
}

// worded takes s apart into numbers and the words of names in camel case. It returns how
// many there are, and how many bytes stand in those that look like real ones.
func worded(s string) (words, covered int) {
	for i := 0; i < len(s); words++ {
		start := i
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			for i < len(s) && '0' <= s[i] && s[i] <= '9' {
				i++
			}
			if i-start >= 4 {
				covered += i - start // a year, a number
			}
			continue
		case 'A' <= c && c <= 'Z':
			for i < len(s) && 'A' <= s[i] && s[i] <= 'Z' {
				i++
			}
			if small := i < len(s) && s[i] >= 'a'; small && i-start > 1 {
				i-- // the last capital begins the next word
			} else if small {
				for i < len(s) && s[i] >= 'a' {
					i++
				}
			}
		default:
			for i < len(s) && s[i] >= 'a' {
				i++
			}
		}
		covered += speakable(s[start:i])
	}
	return words, covered
}

// speakable counts the letters of a run that follow each other as they do in words: the
// whole run, from three letters on, or parts of four letters and more. There is a
// vowel in each.
func speakable(run string) (n int) {
	shortest := 3
	for start := 0; start < len(run); {
		end := start + 1
		for end < len(run) && strings.IndexByte(following[(run[end-1]|0x20)-'a'], run[end]|0x20) >= 0 {
			end++
		}
		if end-start < len(run) {
			shortest = 4
		}
		if end-start >= shortest && strings.ContainsAny(run[start:end], "aeiouyAEIOUY") {
			n += end - start
		}
		start = end
	}
	return n
}

// following says which letters stand behind each, from a to z, in the words of
// technical English: 303 of 676 pairs make 95 % of those in 18,000 words. Of four
// random letters nine in a hundred look like a word, of six one.
var following = [26]string{
	"abcdfgiklmnprstuvwy", "abceilorsuy", "acdehiklmorstuy", "abdeilnoprsuy", "abcdefgiklmnopqrstuvwxy", "adefilorsuy", "aeghilnorsu",
	"aeiortu", "abcdefglmnoprstvxz", "aou", "aeis", "adeilopstuvy", "abeilmopsu", "abcdefgiklnopstuvy", "abcdefgiklmnoprstuvw", "aehiloprstu",
	"u", "acdefgiklmnoprstuvy", "acehiklmnopstuy", "acdefhilmnoprstuwy", "abcdefgilmnprst", "aeio", "aehinors", "abcefipt", "einpst", "aei",
}

// isWord reports letters alone, written as words are: all small, all capitals, or the
// first one alone. Separators within generated ids stand between parts that are none.
func isWord(s string) bool {
	capitals := 0
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z':
			capitals++
		case c < 'a' || c > 'z':
			return false
		}
	}
	return s != "" && (capitals == 0 || capitals == len(s) || capitals == 1 && s[0] < 'a')
}

func isNumeral(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
