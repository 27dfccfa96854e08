package redact

import (
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
)

// windows redacts text that has no structure: as much of it as is looked at at once
// is cut where no secret straddles the cut, and what stands before is redacted.
func (st *streamer) windows(in input, redact func(string) string) error {
	for {
		s := string(in.fill(st.window))
		if len(s) < st.window {
			in.drop(len(s))
			if err := st.piece(s, redact); err != nil {
				return err
			}
			return in.err()
		}
		at, open := st.cut(s)
		if at == 0 {
			if open == nil {
				return &Refusal{Rule: st.ruleIn(s), Place: st.place, Reason: "a secret is longer than " + "64 KiB, and so cannot be replaced while the body streams"}
			}
			if err := st.swallowPair(in, *open, redact); err != nil {
				return err
			}
			continue
		}
		in.drop(at)
		if err := st.piece(s[:at], redact); err != nil {
			return err
		}
	}
}

// A span is a part of a text in which it must not be cut.
type span struct{ start, end int }

// An openPair is a value under a secret name that goes on behind the text.
type openPair struct {
	rule  *rule
	start int // of the value
	level int // the backslashes before its quotes; -1 for the text of an element
}

// cut finds where s, behind which more text follows, can be cut: not inside of
// anything that is found in it, nor of anything that may be when the rest is
// there. What is cut off is redacted as it would be in the whole. at is 0 when there is no
// such place, since a value that starts at the beginning has no end yet, which
// is then open.
func (st *streamer) cut(s string) (at int, open *openPair) {
	last := len(s) - st.look
	pairs, open := st.pairSpans(s)
	for _, low := range []int{max(0, last-st.look), 0} {
		from := max(0, low-st.look)
		spans := append(st.spans(s[from:]), pairs...)
		for i := range spans[:len(spans)-len(pairs)] {
			spans[i].start += from
			spans[i].end += from
		}
		if at = quiet(s, low, last, spans); at > 0 {
			return at, nil
		}
	}
	return 0, open
}

// quiet returns the last good place to cut s in low < at <= last, or 0.
func quiet(s string, low, last int, spans []span) int {
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	merged := spans[:0]
	for _, sp := range spans {
		if n := len(merged); n > 0 && sp.start < merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, sp.end)
		} else {
			merged = append(merged, sp)
		}
	}
	for _, good := range []func(s string, at int) bool{afterBlankLine, afterLine, afterSpace, afterMark, insideWord, wherever} {
		k := len(merged) - 1
		for at := last; at > low; at-- {
			for k >= 0 && merged[k].start >= at {
				k--
			}
			if k >= 0 && at < merged[k].end {
				at = merged[k].start + 1 // the next one tried is its start
				continue
			}
			if good(s, at) {
				return at
			}
		}
	}
	return 0
}

func afterBlankLine(s string, at int) bool {
	return s[at-1] == '\n' && (at >= 2 && s[at-2] == '\n' || at >= 4 && s[at-4:at] == "\r\n\r\n") || at >= 2 && s[at-2:at] == "\r\r"
}

func afterLine(s string, at int) bool { return s[at-1] == '\n' }

func afterSpace(s string, at int) bool { return isSpace(s[at-1]) && !isSpace(s[at]) }

// afterMark is where a word would start in any case; inside of a URL, a number or an
// escape it is not good.
func afterMark(s string, at int) bool {
	c := s[at-1]
	return (strings.IndexByte(`,;>)]}`, c) >= 0 || c < ' ' || c >= 0x7f) && !isDigit(s[at]) && s[at]&0xc0 != 0x80
}

// wherever is for what has no words.
func wherever(string, int) bool { return true }

// insideWord is inside of a long run of letters.
func insideWord(s string, at int) bool {
	return isLetter(s[at-1]) && isLetter(s[at]) && !strings.ContainsAny(s[max(0, at-12):at], `\%&#`)
}

// spans lists what is found in s, wherever it stands.
func (st *streamer) spans(s string) (out []span) {
	add := func(start, end int) { out = append(out, span{start, end}) }
	addWord := func(start, end int) { // with what beside it says how it is replaced
		if start > 0 && isValueByte(s[start-1]) {
			start--
		}
		if end < len(s) && isValueByte(s[end]) {
			end++
		}
		add(start, end)
	}
	for _, ph := range Placeholders(s) {
		add(ph.Start, ph.End+jwtSlack)
	}
	if st.v == nil {
		return out
	}
	found := append(st.v.rules.search(s), st.v.unwrap(s, 0)...)
	for _, h := range st.v.searchLearned(s, found) {
		start, end := h.start, h.end
		if h.digits != "" {
			// Whether digits are a number's own is told by what stands around them.
			for start > 0 && (isSpace(s[start-1]) || start == h.start) {
				start--
			}
			for start > 0 && start > h.start-2 {
				start--
			}
			for end < len(s) && isSpace(s[end]) {
				end++
			}
			end++
		}
		addWord(start, end)
	}
	st.v.eachLearned(s, addWord)
	for _, mark := range []string{"//", escapedSlashes[1:]} {
		for from := 0; ; {
			i := strings.Index(s[from:], mark)
			if i < 0 {
				break
			}
			one, _ := urlAt(s, from+i, len(mark), false)
			add(one.start, one.end)
			from = max(from+i+len(mark), one.end)
		}
	}
	return out
}

// jwtSlack is what may stand behind a placeholder and still count for how it is read.
const jwtSlack = 4

// eachLearned calls f for every spelling of a learned value in s, also inside of
// runs that are too long to be replaced.
func (v *Vault) eachLearned(s string, f func(start, end int)) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	v.index.scan(s, func(i int, p pattern) bool {
		f(i, i+len(p.text))
		return true
	})
}

// pairSpans lists the values under secret names in s with their names, and the
// first of those that have no end in it.
func (st *streamer) pairSpans(s string) (out []span, open *openPair) {
	never := len(s) + 1
	if st.v != nil {
		// A key that has begun and not ended.
		if i := strings.LastIndex(s, "-----BEGIN "); i >= 0 {
			if from, ok := pemMarker(s, i, "-----BEGIN "); ok && i > 0 && !strings.Contains(s[from:], "-----END ") {
				out = append(out, span{i, never})
			}
		}
	}
	if st.p == nil || !st.p.names {
		return out, nil
	}
	for from := 0; ; {
		i := strings.IndexByte(s[from:], ':')
		if i < 0 {
			break
		}
		i += from
		from = i + 1
		found, ok := st.p.memberAt(s, i)
		if !ok {
			if found, ok = st.p.lineAt(s, i); ok {
				start, _ := lineName(s, i)
				out = append(out, span{max(0, start-1), found.end + 1})
			}
			continue
		}
		start := nameStart(s, i)
		if found.end < len(s) {
			from = found.end
			if found.rule.Name == "token" {
				found.end += 40 // isScore looks behind the value
			}
			out = append(out, span{start, found.end + 1})
			continue
		}
		if open == nil {
			level := backslashes(s[:found.start-1])
			open = &openPair{found.rule, found.start, level}
		}
		out = append(out, span{start, never})
		break
	}
	for from := 0; ; {
		i := strings.Index(s[from:], "</")
		if i < 0 {
			break
		}
		i += from
		from = i + 2
		if found, ok := st.p.elementAt(s, i); ok {
			out = append(out, span{max(0, strings.LastIndexByte(s[:found.start], '<')), found.end + 2*maxName})
		}
	}
	out = st.assignedSpans(st.tagSpans(out, s), s)
	if end := strings.LastIndexAny(s, "<>"); end >= 0 && s[end] == '>' {
		start := strings.LastIndexByte(s[:end], '<')
		name, _, _ := strings.Cut(s[start+1:end], " ")
		name = name[strings.LastIndexByte(name, ':')+1:]
		if r := st.p.v.rules.named(name, inBody, st.p.target); r != nil && start >= 0 && s[start+1] != '/' {
			out = append(out, span{start, never})
			if open == nil {
				open = &openPair{r, end + 1, -1}
			}
		}
	}
	return out, open
}

// tagSpans appends the tags in s, whose attributes may name each other, with the value
// behind those that name one.
func (st *streamer) tagSpans(out []span, s string) []span {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '<')
		if i < 0 {
			return out
		}
		i += from
		from = i + 1
		if from == len(s) || !isLetter(s[from]) {
			continue
		}
		end := min(len(s), i+maxTag)
		if n := strings.IndexAny(s[from:end], "<>"); n >= 0 {
			end = from + n + 1
		}
		if found, ok := st.p.labelledAt(s, i); ok && found.end >= end {
			end = found.end + 2
		}
		out = append(out, span{i, end})
	}
}

// assignedSpans appends the values in s that are assigned to secret names.
func (st *streamer) assignedSpans(out []span, s string) []span {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '=')
		if i < 0 {
			return out
		}
		i += from
		from = i + 1
		if found, ok := st.p.assignedAt(s, i); ok {
			start := i
			for start > 0 && i-start < 2 && s[start-1] == ' ' {
				start--
			}
			for low := max(0, start-maxName); start > low && isAssignedName(s[start-1]); {
				start--
			}
			out = append(out, span{max(0, start-1), found.end + 1})
			from = max(from, found.end)
		}
	}
}

// nameStart is where the member begins of which memberAt has read the name before
// the colon at i.
func nameStart(s string, i int) int {
	for i > 0 && isSpace(s[i-1]) {
		i--
	}
	level := backslashes(s[:i-1])
	i -= level + 1
	low := max(0, i-maxName)
	return low + max(0, strings.LastIndex(s[low:i], s[i:i+level+1]))
}

// swallowPair replaces a value under a secret name of which the input holds only the
// beginning.
func (st *streamer) swallowPair(in input, open openPair, redact func(string) string) error {
	before := string(in.fill(open.start))
	in.drop(len(before))
	if err := st.piece(before, redact); err != nil {
		return err
	}
	stop := untilByte('<')
	if open.level >= 0 {
		stop = untilQuote(open.level)
	}
	return st.swallow(newUntil(in, stop), open.rule, "body")
}

// swallow replaces a value of any length that the name rule r calls secret by a
// placeholder.
func (st *streamer) swallow(in input, r *rule, place leaves.Place) error {
	if st.fixed {
		return &Refusal{Rule: r.ID, Place: st.place, Reason: "a secret stands in a body of lengths and fields that is too large to be written anew"}
	}
	sum := newDigest()
	for {
		b := in.fill(st.chunk)
		if len(b) == 0 {
			break
		}
		sum.Write(b)
		in.drop(len(b))
	}
	st.v.report(r.ID, st.p.place(place))
	return st.emit("", st.v.placeholder(st.v.secret(sum.name(), r.ID, ""), byItself))
}
