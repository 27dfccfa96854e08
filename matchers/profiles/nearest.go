package profiles

import (
	"regexp"
	"strings"

	"github.com/xrash/smetrics"
)

// Nearest finds the known word that was most likely meant, if one is close enough.
func Nearest(word string, known []string) (string, bool) {
	best, score := "", 0.0
	for _, k := range known {
		a, b := folded(word), folded(k)
		if a == b {
			return k, true
		}
		if s := smetrics.JaroWinkler(a, b, 0.7, 4); s > score {
			best, score = k, s
		}
	}
	return best, score >= 0.82
}

func folded(s string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(s))
}

// quotable tells words that may stand in an error from those that may be a
// secret in the wrong place: a key is short, and letters.
var quotable = regexp.MustCompile(`^[A-Za-z]([A-Za-z_ -]{0,22}[A-Za-z])?$`)

// either joins words for a sentence: "a, b or c".
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
