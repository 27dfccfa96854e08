package merge

import (
	"maps"
	"slices"

	"tapedeck/cassettes/diff"
)

// answered are the names of a pairing that an answer has brought, on both sides, before
// they were sent: new → old. A name that a program sends by itself, such as the id of an
// order that its test is about, is no other recording's word for another order. It is
// one where the keys do not tell the two apart.
func answered(p *diff.Pairing, old, fresh []version) map[string]string {
	names := maps.Clone(p.Names)
	if len(names) == 0 {
		return nil
	}
	literal := make([]bool, len(fresh)) // by position in fresh: the pair has the same key as it is
	literalOld := make([]bool, len(old))
	for i, j := range p.Old {
		if j >= 0 && fresh[i].key == old[j].key {
			literal[i], literalOld[j] = true, true
		}
	}
	back := make(map[string]string, len(names))
	for from, to := range names {
		back[to] = from
	}
	for _, name := range sentFirst(fresh, literal, names) {
		delete(names, name)
	}
	for _, name := range sentFirst(old, literalOld, back) {
		delete(names, back[name])
	}
	return names
}

// sentFirst lists those of some names that stand in a request before they stand in an
// answer, but for requests that literal excepts.
func sentFirst(list []version, literal []bool, names map[string]string) []string {
	known := make(map[string]bool)
	sent := make(map[string]bool)
	for i, v := range list {
		req := v.in.Request()
		note := func(name string) {
			if !known[name] && !literal[i] {
				sent[name] = true
			}
			known[name] = true
		}
		eachName([]byte(req.RawURL()), names, note)
		for _, header := range req.HeaderNames() {
			for _, value := range req.Header(header) {
				eachName([]byte(value), names, note)
			}
		}
		eachName(req.Body(), names, note)
		resp, err := v.in.Response()
		if err != nil {
			continue // reading has said so
		}
		brought := func(name string) { known[name] = true }
		for _, values := range resp.Header() {
			for _, value := range values {
				eachName([]byte(value), names, brought)
			}
		}
		_ = resp.Pieces(func(piece []byte) { eachName(piece, names, brought) }) // a body that is not at hand brings none
	}
	return slices.Sorted(maps.Keys(sent))
}

// mostParts is how many parts of a word are put together to find a name in it.
const mostParts = 24

// eachName calls f for the names that stand in a text as words, or as parts of words that
// "_", "-" and "." join.
func eachName(text []byte, names map[string]string, f func(name string)) {
	for at := 0; at < len(text); {
		if !isWord(text[at]) {
			at++
			continue
		}
		end := at + 1
		for end < len(text) && isWord(text[end]) {
			end++
		}
		word := text[at:end]
		at = end
		starts, ends := parts(word)
		if len(starts) > mostParts {
			continue
		}
		for i := range starts {
			for j := i; j < len(ends); j++ {
				if _, ok := names[string(word[starts[i]:ends[j]])]; ok {
					f(string(word[starts[i]:ends[j]]))
				}
			}
		}
	}
}

// parts are where the parts of a word begin and end.
func parts(word []byte) (starts, ends []int) {
	for i, c := range word {
		if isJoint(c) {
			continue
		}
		if i == 0 || isJoint(word[i-1]) {
			starts = append(starts, i)
		}
		if i+1 == len(word) || isJoint(word[i+1]) {
			ends = append(ends, i+1)
		}
	}
	return starts, ends
}

func isJoint(c byte) bool { return c == '_' || c == '-' || c == '.' }

func isWord(c byte) bool {
	return isJoint(c) || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
