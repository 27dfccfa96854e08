package diff

import "strings"

// sameMake reports two ids under the name of one that come from the same generator, although
// the random part of either may, by chance, look like a word: both have the same prefix,
// as cus_RkPhedKqIJAPgal, and behind it more than a word.
func sameMake(a, b string) bool {
	const shortest = 8
	i, j := strings.LastIndexAny(a, "_-")+1, strings.LastIndexAny(b, "_-")+1
	return i > 0 && i == j && a[:i] == b[:j] && min(len(a), len(b))-i >= shortest && alike(a[i:], b[j:]) && mixed(a[i:]) && mixed(b[j:])
}

// mixed reports letters and digits that are no word and no number.
func mixed(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z') {
			return false
		}
	}
	return !isWord(s) && !isNumeral(s)
}
