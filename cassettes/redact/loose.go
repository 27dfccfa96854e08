package redact

import (
	"math/bits"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A traceTable tells where in a text the expressions of rules without a literal start
// may match: every match holds a trace of its rule, a short row of bytes each of which is
// one of a set. All traces are looked for in one pass, which takes about a nanosecond
// for each byte and so a hundredth of the time of an expression.
type traceTable struct {
	sets  [256]uint64 // by byte: the steps of the traces that it fits
	first uint64      // the first step of each trace
	last  uint64      // the last one of each
	owner [64]uint8   // by the last step: the number of the trace
}

// A trace is a row of sets of bytes.
type trace []byteSet

type byteSet [256]bool

// newTraceTable returns the table for some rules, nil when there are too many for one.
func newTraceTable(rules []*rule) *traceTable {
	const least = 4 // steps for each trace
	if len(rules) > 64/least {
		return nil
	}
	t := new(traceTable)
	at := 0
	for n, one := range rules {
		steps := traceOf(one.find, 64/len(rules))
		t.first |= 1 << at
		for _, set := range steps {
			for c := range set {
				if set[c] {
					t.sets[c] |= 1 << at
				}
			}
			at++
		}
		t.last |= 1 << (at - 1)
		t.owner[at-1] = uint8(n)
	}
	return t
}

// scan calls f for every trace in s with the number of its rule and where it ends: its
// last byte. Every match of the rule's expression holds all bytes of one.
func (t *traceTable) scan(s string, f func(n, at int)) {
	var state uint64
	for i := range len(s) {
		state = (state<<1 | t.first) & t.sets[s[i]]
		for found := state & t.last; found != 0; found &= found - 1 {
			f(int(t.owner[bits.TrailingZeros64(found)]), i)
		}
	}
}

// traces says of which rules there is a trace in a text, by their number.
type traces struct {
	all   bool // there is no telling
	found uint64
}

func (t *traces) has(n int) bool { return t.all || t.found>>n&1 != 0 }

// tracesIn looks for the traces of the loose rules, and behind them those about hosts.
func (r *Rules) tracesIn(s string) (t traces) {
	switch {
	case len(r.loose)+len(r.hosts) == 0:
	case r.traces == nil:
		t.all = true
	default:
		r.traces.scan(s, func(n, _ int) { t.found |= 1 << n })
	}
	return t
}

// traceOf returns the trace of an expression, of at least one and at most so many
// steps: what its matches start with, or a text that each of them holds, whichever
// fewer texts have by chance.
func traceOf(find *regexp.Regexp, most int) trace {
	tree, err := syntax.Parse(find.String(), syntax.Perl)
	if err != nil {
		return trace{byteSet(everyByte)}
	}
	tree = tree.Simplify()
	best := trace{byteSet(everyByte)}
	prog, err := syntax.Compile(tree)
	if err == nil {
		best = startTrace(prog, most)
	}
	eachLiteral(tree, func(one trace) {
		one = one[:min(len(one), most)]
		if one.rarity() > best.rarity() {
			best = one
		}
	})
	return best
}

// rarity grows with how seldom a trace is met: by one for each byte that is certain.
func (t trace) rarity() (sum float64) {
	for i := range t {
		n := 0
		for _, there := range t[i] {
			if there {
				n++
			}
		}
		sum += float64(8-bits.Len(uint(n-1))) / 8
	}
	return sum
}

// A traceState is where a match of an expression has come to: before an instruction, or
// inside a character that it has taken.
type traceState struct {
	pc   uint32
	rest string // of the character
}

// startTrace walks all ways that a match can go, byte by byte. It ends where a match
// may end, or where nearly every character may stand.
func startTrace(prog *syntax.Prog, most int) (out trace) {
	now := map[traceState]bool{{pc: uint32(prog.Start)}: true}
	for len(out) < most {
		set, next, ends := byteSet{}, make(map[traceState]bool), false
		seen := make(map[uint32]bool)
		var walk func(pc uint32)
		walk = func(pc uint32) {
			if seen[pc] {
				return
			}
			seen[pc] = true
			inst := &prog.Inst[pc]
			switch inst.Op {
			case syntax.InstFail:
			case syntax.InstMatch:
				ends = true
			case syntax.InstAlt, syntax.InstAltMatch:
				walk(inst.Out)
				walk(inst.Arg)
			case syntax.InstCapture, syntax.InstEmptyWidth, syntax.InstNop:
				walk(inst.Out)
			default:
				for c := range utf8.RuneSelf {
					if inst.MatchRune(rune(c)) {
						set[c] = true
						next[traceState{pc: inst.Out}] = true
					}
				}
				few, ok := wideRunes(inst)
				for _, r := range few {
					text := string(r)
					set[text[0]] = true
					next[traceState{inst.Out, text[1:]}] = true
				}
				if !ok { // such a character has a length that is not known
					for c := utf8.RuneSelf; c < len(set); c++ {
						set[c] = true
					}
					most = len(out) + 1
				}
			}
		}
		for state := range now {
			if state.rest == "" {
				walk(state.pc)
				continue
			}
			set[state.rest[0]] = true
			next[traceState{state.pc, state.rest[1:]}] = true
		}
		if ends {
			break
		}
		out = append(out, set)
		now = next
	}
	if len(out) == 0 {
		return trace{byteSet(everyByte)} // the empty text matches
	}
	return out
}

// wideRunes lists the characters of more than one byte that an instruction takes; ok is
// false when there are many.
func wideRunes(inst *syntax.Inst) (few []rune, ok bool) {
	const many = 8
	if inst.Op == syntax.InstRuneAny || inst.Op == syntax.InstRuneAnyNotNL {
		return nil, false
	}
	if len(inst.Rune) == 1 {
		few = wideFolds(inst.Rune[0], syntax.Flags(inst.Arg)&syntax.FoldCase != 0)
		return few, !slices.Contains(few, utf8.RuneError) // which bytes that are no text are taken for
	}
	for i := 0; i+1 < len(inst.Rune); i += 2 {
		low, high := max(inst.Rune[i], utf8.RuneSelf), inst.Rune[i+1]
		if high-low >= many || len(few) > many || low <= utf8.RuneError && utf8.RuneError <= high {
			return nil, false
		}
		for r := low; r <= high; r++ {
			few = append(few, r)
		}
	}
	return few, true
}

// wideFolds lists the spellings of a character in either case that take more than one byte.
func wideFolds(r rune, folded bool) (few []rune) {
	if r >= utf8.RuneSelf {
		few = append(few, r)
	}
	if !folded {
		return few
	}
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		if other >= utf8.RuneSelf {
			few = append(few, other)
		}
	}
	return few
}

// eachLiteral calls f for the texts that every match of an expression holds.
func eachLiteral(re *syntax.Regexp, f func(trace)) {
	switch re.Op {
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			eachLiteral(sub, f)
		}
	case syntax.OpCapture, syntax.OpPlus:
		eachLiteral(re.Sub[0], f)
	case syntax.OpLiteral:
		var one trace
		end := func() {
			if len(one) > 0 {
				f(one)
			}
			one = nil
		}
		folded := re.Flags&syntax.FoldCase != 0
		for _, r := range re.Rune {
			if len(wideFolds(r, folded)) > 0 {
				end()
				continue
			}
			var set byteSet
			set[r] = true
			if folded {
				for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
					set[other] = true
				}
			}
			one = append(one, set)
		}
		end()
	}
}
