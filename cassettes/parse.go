package cassettes

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"golang.org/x/sync/errgroup"
)

// moveAway is the cure for a file that cannot be read: recording refuses to
// overwrite it, since what it holds may still be wanted.
const moveAway = "move it away and record again"

// parse reads one YAML document.
func parse(object string, src []byte) (*yaml.Node, error) {
	var doc yaml.Node
	err := yaml.Load(src, &doc)
	if err == nil && doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		root := doc.Content[0]
		// The comments in the first column behind the last interaction are the document's.
		root.FootComment += "\n" + doc.FootComment
		return root, nil
	}
	const cure = "restore the file from version control, or " + moveAway
	var syntax *yaml.LoadError
	switch {
	case len(bytes.TrimSpace(src)) == 0:
		return nil, &FormatError{Object: object, Fault: "the file is empty", Cure: cure}
	case errors.As(err, &syntax) && syntax.Mark.Line > 0:
		return nil, &FormatError{Object: object, Line: syntax.Mark.Line, Fault: "this is not YAML: " + static(syntax.Message),
			Cure: "correct this line, or " + cure}
	}
	return nil, &FormatError{Object: object, Fault: "this is not one YAML document", Cure: cure}
}

// static returns a parser's message if it quotes nothing of the file, which is traffic.
func static(message string) string {
	if quoting.MatchString(message) {
		return "it cannot be read here"
	}
	return message
}

// quoting finds a quoted word; quoted punctuation is the parser's own.
var quoting = regexp.MustCompile("['\"`<][^ ,]*[\\pL\\pN]")

// checkText finds the bytes that no YAML file may hold, since the parser does
// not say on which line they are.
func checkText(object string, src []byte) error {
	fault := func(at int, what string) error {
		return &FormatError{Object: object, Line: 1 + bytes.Count(src[:at], []byte("\n")), Fault: what,
			Cure: "restore the file from version control, or " + moveAway}
	}
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return fault(0, "the file is UTF-16")
	}
	for i := 0; i < len(src); {
		c := src[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
				return fault(i, "the line holds a control character")
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n == 1 {
			return fault(i, "the line is not UTF-8")
		}
		i += n
	}
	return nil
}

// decodeInParts reads a file whose interactions each begin with "- " in the first
// column, as this package writes them: a few at a time, so that the memory for YAML
// nodes is that of a few interactions and not of a whole file, and on several
// processors. ok is false when the file is of another layout or anything in it
// is wrong; then the whole is read in one, which gives the error.
//
// Cutting there is safe. Inside a block scalar or a plain one a line of an
// interaction is indented; inside quotes or brackets it need not be, but then the
// part before the cut ends inside them and does not parse. An alias to another
// part does not parse either.
func decodeInParts(object string, src []byte) (contents, bool) {
	parts, ok := cut(src)
	if !ok {
		return contents{}, false
	}
	d := &decoder{object: object}
	root, err := parse(object, src[:parts[0].start])
	if err != nil || root.Kind != yaml.MappingNode {
		return contents{}, false
	}
	c, items, err := d.top(root)
	if err != nil || len(items) > 0 {
		return contents{}, false
	}
	list := make([]entry, len(parts))
	notes := make([][]string, len(parts))
	others := make([]map[string]bool, len(parts))
	comments := make([]int, len(parts))
	var group errgroup.Group
	var next atomic.Int64
	runs := runsOf(parts)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for {
				at := int(next.Add(1)) - 1
				if at >= len(runs) {
					return nil
				}
				first, n := runs[at][0], runs[at][1]
				p := parts[first]
				root, err := parse(object, src[p.start:parts[first+n-1].end])
				if err != nil {
					return err
				}
				if root.Kind != yaml.SequenceNode || len(root.Content) != n {
					return errOtherLayout
				}
				for i, item := range root.Content {
					i += first
					d := &decoder{object: object, first: p.line}
					if list[i], err = d.interaction(i, item); err != nil {
						return err
					}
					notes[i], others[i] = d.notes, d.others
				}
				comments[first] = remarks(root)
			}
		})
	}
	if group.Wait() != nil {
		return contents{}, false
	}
	c.list, c.remarks = list, remarks(root)
	for i, n := range notes {
		c.notes = append(c.notes, n...)
		c.remarks += comments[i]
		for key := range others[i] {
			d.other(key)
		}
	}
	c.others = d.others
	return c, true
}

// remarks counts the lines of comments below n that this package does not write itself.
func remarks(n *yaml.Node) int {
	count := 0
	for _, comment := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		for line := range strings.Lines(comment) {
			if line = strings.TrimSpace(line); line != "" && !ownComment.MatchString(line) {
				count++
			}
		}
	}
	for _, c := range n.Content {
		count += remarks(c)
	}
	return count
}

// ownComment is what appendComment and appendConflict write.
var ownComment = regexp.MustCompile(`^# (?:\S+ .*→ \d+|CONFLICT: .*)$`)

var errOtherLayout = fmt.Errorf("not one interaction")

// runsOf puts small parts together, since the parser takes memory of its own for each text:
// where each run begins, and of how many parts it is.
func runsOf(parts []part) (runs [][2]int) {
	const enough = 64 << 10 // bytes
	size := enough
	for i, p := range parts {
		if size >= enough {
			runs, size = append(runs, [2]int{i, 0}), 0
		}
		runs[len(runs)-1][1]++
		size += p.end - p.start
	}
	return runs
}

// A part is the text of one interaction.
type part struct{ start, end, line int }

// cut finds where the interactions begin. ok is false unless the last key in the
// first column is interactions: and nothing but interactions follows it.
func cut(src []byte) (parts []part, ok bool) {
	line := 0
	listed := false
	for start := 0; start < len(src); line++ {
		end := len(src)
		if i := bytes.IndexByte(src[start:], '\n'); i >= 0 {
			end = start + i + 1
		}
		text := bytes.TrimRight(src[start:end], "\r\n")
		switch {
		case len(text) == 0 || text[0] == ' ' || text[0] == '#':
		case listed && bytes.HasPrefix(text, []byte("- ")):
			if len(parts) > 0 {
				parts[len(parts)-1].end = start
			}
			parts = append(parts, part{start: start, end: len(src), line: line})
		case listed:
			return nil, false
		default:
			listed = string(text) == "interactions:"
		}
		start = end
	}
	return parts, len(parts) > 0
}
