package redact

import (
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"tapedeck/cassettes/leaves"
)

// errNotJSON says that what is left of an input is not JSON, or is none any more.
var errNotJSON = errors.New("not JSON")

// json redacts one JSON text whose root stands at a place, under a member's name.
// The error is errNotJSON when it is none: what is left of the input is then to be
// redacted as text. So it is, too, when something follows the end.
func (st *streamer) json(in input, root leaves.Place, name string) error {
	j := &jsonStream{streamer: st, in: in, carried: make(map[string]beside)}
	j.leaves = leaves.NewJSONStream(j, root, name)
	for {
		leaf, err := j.leaves.Next()
		switch {
		case err == io.EOF:
			j.undecided = nil
			if err := j.flush(int(j.leaves.Offset()) - j.base); err != nil {
				return err
			}
			if len(in.fill(1)) > 0 {
				return errNotJSON
			}
			return in.err()
		case err != nil && in.err() != nil:
			return in.err()
		case err != nil:
			return errNotJSON
		}
		if err := j.add(leaf); err != nil {
			return err
		}
	}
}

// A jsonStream redacts a JSON text leaf by leaf. It is what the leaves are read from.
type jsonStream struct {
	*streamer
	in     input
	leaves *leaves.JSONStream
	// The reader of the leaves counts from where it began: there, in begins at base
	// and is read up to given.
	base, given int
	// long says that the reader was shown only the beginning of a string.
	long bool

	list []leaves.Leaf // since base
	// undecided are the objects of leaves that are secret or not depending on what
	// stands beside them; carried is what was seen in objects that have not ended.
	undecided []string
	carried   map[string]beside
}

// Read gives the reader of the leaves more text. Of a string that is longer than a
// window it gives no more than that, and ends it.
func (j *jsonStream) Read(p []byte) (int, error) {
	const step = 16 << 10
	at := j.given - j.base
	begun := int(j.leaves.Offset()) - j.base
	if at-begun >= j.window {
		switch end, ok := j.endString(begun, at); {
		case !ok:
			return 0, errNotJSON
		case end:
			p[0] = '"'
			j.given++
			return 1, nil
		}
		p = p[:1] // up to where it can be ended
	}
	b := j.in.fill(at + min(len(p), step))
	if len(b) <= at {
		return 0, io.EOF
	}
	n := copy(p, b[at:])
	j.given += n
	return n, nil
}

// endString reports whether the string that begins somewhere behind begun can be
// ended at at: not inside of an escape or a character. ok is false when there
// is no string, or no end can be put to it.
func (j *jsonStream) endString(begun, at int) (end, ok bool) {
	b := j.in.fill(at + 1)
	for begun < at && (isSpace(b[begun]) || b[begun] == ',' || b[begun] == ':') {
		begun++
	}
	if begun == at || b[begun] != '"' || at-begun > 2*j.window || !j.leaves.AtValue() {
		return false, false
	}
	j.long = len(b) > at && betweenCharacters(b[begun+1:at], b[at])
	return j.long, true
}

// betweenCharacters reports whether before, the content of a JSON string up to next, can
// stand alone: next is not in the middle of an escape or a character.
func betweenCharacters(before []byte, next byte) bool {
	if next&0xc0 == 0x80 {
		return false
	}
	const escape = 6 // \ud83d
	tail := string(before[max(0, len(before)-escape):])
	switch i := strings.LastIndexByte(tail, '\\'); {
	case i < 0:
		return true
	case backslashes(string(before[:len(before)-len(tail)+i+1]))%2 == 0:
		return true // the last one is escaped itself
	case len(tail) < i+2:
		return false
	case tail[i+1] != 'u':
		return true
	case len(tail) < i+escape:
		return false
	default: // half of a pair?
		return tail[i+2]|0x20 != 'd' || tail[i+3] < '8' || '9' < tail[i+3] && tail[i+3]|0x20 != 'a' && tail[i+3]|0x20 != 'b'
	}
}

// add takes the next leaf, and redacts those before it when they are many.
func (j *jsonStream) add(leaf leaves.Leaf) error {
	leaf.Start -= j.base
	leaf.End -= j.base
	if j.long {
		j.long = false
		if err := j.flush(leaf.Start); err != nil {
			return err
		}
		if err := j.longString(leaf); err != nil {
			return err
		}
		j.base = int(j.leaves.Offset())
		j.given = j.base
		return nil
	}
	j.list = append(j.list, leaf)
	n := 0
	for _, parent := range j.undecided {
		if inside(leaf.Place, parent) {
			j.undecided[n] = parent
			n++
		}
	}
	j.undecided = j.undecided[:n]
	if j.v.rules.dependsOnSiblings(leaf.Name) {
		j.undecided = append(j.undecided, parentOf(leaf.Place))
	}
	if leaf.End >= j.chunk && len(j.undecided) == 0 || leaf.End >= j.window {
		return j.flush(leaf.End)
	}
	return nil
}

// inside reports whether a place is in the object or array at parent.
func inside(place leaves.Place, parent string) bool {
	rest, ok := strings.CutPrefix(string(place), parent)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// dependsOnSiblings reports whether a rule for a name asks what stands beside it.
func (r *Rules) dependsOnSiblings(name string) bool {
	if len(name) < 3 || len(name) > 128 {
		return false
	}
	personal := len(r.conditional)+len(r.conditionalEnd) > 0
	if c := name[0] | 0x20; !personal && c != 'c' && c != 't' && isLetter(c) {
		return false
	}
	name = fold(name)
	if name == "code" || name == "token" || personal && r.conditional[name] != nil {
		return true
	}
	for _, end := range r.conditionalEnd {
		if strings.HasSuffix(name, end.text) {
			return true
		}
	}
	return false
}

// besideOf is what a name says of what stands beside it.
func besideOf(name string) beside {
	if len(name) < 3 || len(name) > 24 {
		return 0
	}
	name = fold(name)
	return besideNames[name] | besidePersonal(name)
}

// siblingName is a name by which siblings know each kind.
var siblingName = map[beside]string{besideGrant: "grant_type", besideState: "state", besideScore: "logprob",
	besidePerson: "email", besideStreet: "line1", besideName: "name"}

// doubtful are the kinds that make more of what stands beside them secret.
const doubtful = besideGrant | besidePerson | besideStreet | besideName

// flush redacts the leaves that stand in the first n bytes, and takes them off.
func (j *jsonStream) flush(n int) error {
	if n == 0 {
		return nil
	}
	s := string(j.in.fill(n))
	// Siblings in what has gone out, and in a doubtful case those that may follow,
	// stand before the leaves without any text of their own.
	list, carried := j.list, 0
	if len(j.carried)+len(j.undecided) > 0 {
		list = make([]leaves.Leaf, 0, len(j.list)+len(j.carried))
		for parent, kinds := range j.carried {
			list = append(list, siblingLeaves(parent, kinds)...)
		}
		for _, parent := range j.undecided {
			list = append(list, siblingLeaves(parent, doubtful)...)
		}
		carried = len(list)
		list = append(list, j.list...)
	}
	var clean string
	for range maxRounds {
		// What was learned at the end is replaced at the beginning too.
		before := j.v.Learned()
		if clean = j.p.leaves(s, list, inBody); j.v.Learned() == before {
			break
		}
	}
	if err := j.emit(s, clean); err != nil {
		return err
	}
	if len(j.list) > 0 {
		last := j.list[len(j.list)-1].Place
		for parent := range j.carried {
			if !inside(last, parent) {
				delete(j.carried, parent)
			}
		}
		for i := carried; i < len(list); i++ {
			if kinds := besideOf(list[i].Name); kinds != 0 {
				if parent := parentOf(list[i].Place); inside(last, parent) {
					j.carried[parent] |= kinds
				}
			}
		}
	}
	j.in.drop(n)
	j.base += n
	j.list = j.list[:0]
	j.undecided = j.undecided[:0]
	return nil
}

func siblingLeaves(parent string, kinds beside) (list []leaves.Leaf) {
	for kind, name := range siblingName {
		if kinds&kind != 0 {
			list = append(list, leaves.Leaf{Name: name, Kind: leaves.Null, Place: leaves.Place(parent + "." + name)})
		}
	}
	return list
}

// longString redacts a string of which leaf holds the beginning: in begins with its
// opening quote.
func (j *jsonStream) longString(leaf leaves.Leaf) error {
	if err := j.quote(); err != nil {
		return err
	}
	content := newUntil(j.in, untilQuote(0))
	around := &siblings{list: []leaves.Leaf{leaf}}
	var err error
	if r := j.p.rule(around, &leaf, inBody); r != nil && r.reading != readCard {
		err = j.swallow(content, r, leaf.Place)
	} else {
		err = j.stringWindows(content, func(s string) string { return j.p.value(leaf.Place, inBody, s) })
	}
	if err != nil {
		return err
	}
	return j.quote()
}

// quote copies a quote, if there is one: the text may have been cut in the string.
func (j *jsonStream) quote() error {
	b := j.in.fill(1)
	if len(b) == 0 {
		return j.in.err()
	}
	j.in.drop(1)
	return j.emit(`"`, `"`)
}

// stringWindows is windows for the content of a JSON string, whose escapes are
// resolved; those in pieces that do not change stay as they are.
func (st *streamer) stringWindows(in input, redact func(string) string) error {
	for {
		raw := in.fill(st.window)
		more := len(raw) == st.window
		s, n, ok := unescapeJSON(raw, more)
		if !ok {
			return st.windows(in, redact)
		}
		if more {
			at, open := st.cut(s)
			switch {
			case at > 0:
				n = rawLength(raw, at)
				s = s[:at]
			case open == nil || open.level > 0:
				return &Refusal{Rule: st.ruleIn(s), Place: st.place, Reason: "a secret inside a string is longer than 64 KiB, and so cannot be replaced while the body streams"}
			default:
				return &Refusal{Rule: open.rule.ID, Place: st.place, Reason: "a secret inside a string is larger than 1 MiB"}
			}
		}
		if s == "" {
			return in.err()
		}
		clean, err := st.v.settle(s, func(s string) (string, error) { return redact(s), nil })
		if err != nil {
			return err
		}
		before, after := string(raw[:n]), string(raw[:n])
		if clean != s {
			after = quoteJSONString(clean)
		}
		in.drop(n)
		if err := st.emit(before, after); err != nil {
			return err
		}
		if !more {
			return in.err()
		}
	}
}

// unescapeJSON resolves the escapes of the content of a JSON string, of which more
// may follow, and returns how much of it that is.
func unescapeJSON(raw []byte, more bool) (s string, n int, ok bool) {
	if strings.IndexByte(string(raw), '\\') < 0 {
		return string(raw), len(raw), true
	}
	const escapes = 12
	for n = len(raw); n >= 0 && n > len(raw)-escapes; n-- {
		quoted := make([]byte, 0, n+2)
		quoted = append(append(append(quoted, '"'), raw[:n]...), '"')
		if out, err := jsontext.AppendUnquote(nil, quoted); err == nil {
			return string(out), n, true
		}
		if !more {
			break
		}
	}
	return "", 0, false
}

// rawLength is the length of the text that resolves to the first n bytes.
func rawLength(raw []byte, n int) int {
	at := 0
	for n > 0 {
		if raw[at] != '\\' {
			at++
			n--
			continue
		}
		text, size := appendEscape(nil, string(raw[at:min(at+12, len(raw))]))
		if size == 0 {
			size, text = 2, []byte{0}
		}
		at += size
		n -= len(text)
	}
	return at
}

// quoteJSONString escapes a text as the content of a JSON string.
func quoteJSONString(s string) string {
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		b, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return string(b[1 : len(b)-1])
}
