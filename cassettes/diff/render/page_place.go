package render

import (
	"iter"
	"strings"

	"tapedeck/cassettes/leaves"
)

// holders are the places that a place stands in, the nearest first: body.items[0] and
// body.items and body for body.items[0].id.
func holders(p leaves.Place) iter.Seq[leaves.Place] {
	return func(yield func(leaves.Place) bool) {
		starts := steps(string(p))
		for i := len(starts) - 1; i >= 0; i-- {
			if !yield(p[:starts[i]]) {
				return
			}
		}
	}
}

// steps lists where the names and indexes of a place begin, but for its first name.
func steps(place string) []int {
	var starts []int
	for i := 0; i < len(place); i++ {
		switch {
		case place[i] == '.':
			starts = append(starts, i)
		case place[i] == '[':
			starts = append(starts, i)
			if strings.HasPrefix(place[i:], `["`) { // a name in quotes, in which anything may stand
				for i += 2; i < len(place) && place[i] != '"'; i++ {
					if place[i] == '\\' {
						i++
					}
				}
			}
		}
	}
	return starts
}

// within says what a place stands in: "items.data[3]" for
// body.items.data[3].price, "" for what stands at the top.
func within(p leaves.Place) string {
	for holder := range holders(p) {
		text, _ := strings.CutPrefix(string(holder), "body.")
		if text == string(holder) {
			return ""
		}
		return inLine(text)
	}
	return ""
}
