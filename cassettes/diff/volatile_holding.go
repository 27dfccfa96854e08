package diff

import (
	"strings"
	"sync"

	"tapedeck/cassettes/clean"
)

// holding says which of some values stand in a recording, whole or as parts of a text, but
// not of a longer word, and without what of its requests was replaced. There is a letter or
// a digit in each.
func holding(list []clean.Interaction, values, replaced map[string]bool) map[string]bool {
	words := indexWords(values)
	var mu sync.Mutex
	out := map[string]bool{}
	_ = inParallel(len(list), func(i int) error {
		var found []string
		look := func(text string) {
			words.each(text, func(value string) { found = append(found, value) })
		}
		in := list[i]
		r := in.Request()
		look(asSent(r.RawURL(), replaced))
		look(asSent(string(r.Body()), replaced))
		if resp, err := in.Response(); err == nil { // settle has told the error
			look(string(resp.Body()))
			for _, values := range resp.Header() {
				for _, v := range values {
					look(v)
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for _, value := range found {
			out[value] = true
		}
		return nil
	})
	return out
}

// wordIndex finds values by the first word of each: a text is gone through once, however
// many values there are.
type wordIndex struct {
	likely hint
	values map[string][]wordValue
}

// A wordValue is a value, and where its first word begins in it.
type wordValue struct {
	text string
	at   int
}

func indexWords(values map[string]bool) wordIndex {
	x := wordIndex{likely: newHint(len(values)), values: make(map[string][]wordValue, len(values))}
	for v := range values {
		start := 0
		for start < len(v) && !wordByte(v[start]) {
			start++
		}
		if word := v[start:wordUntil(v, start)]; word != "" {
			x.likely.add(word)
			x.values[word] = append(x.values[word], wordValue{v, start})
		}
	}
	return x
}

// each calls f for the values in a text, for some of them several times.
func (x wordIndex) each(text string, f func(value string)) {
	for i := 0; i < len(text); {
		if !wordByte(text[i]) {
			i++
			continue
		}
		end := wordUntil(text, i)
		if word := text[i:end]; x.likely.has(word) {
			for _, v := range x.values[word] {
				if from := i - v.at; from >= 0 && holdsAt(text, from, v.text) {
					f(v.text)
				}
			}
		}
		i = end
	}
}

// holdsAt reports a value that stands at a place in a text and is no part of a longer word there.
func holdsAt(text string, at int, value string) bool {
	end := at + len(value)
	return strings.HasPrefix(text[at:], value) && (at == 0 || !wordByte(text[at-1])) && (end == len(text) || !wordByte(text[end]))
}

func wordUntil(s string, from int) int {
	for from < len(s) && wordByte(s[from]) {
		from++
	}
	return from
}

func wordByte(c byte) bool { return tokenByte(c) && c != '-' }
