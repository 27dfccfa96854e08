package profiles

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxSize bounds a configuration file, in bytes. Real ones have a few hundred lines.
const maxSize = 1 << 20

// maxFaults bounds how many faults one error lists.
const maxFaults = 20

// Parse reads a tapedeck.yaml or a profile. name begins every place in errors
// and in Rule.Source ("tapedeck.yaml:12"). An empty file is a valid one. The
// error lists every fault, in the order of the file, one line each: place,
// fault, cure.
func Parse(name string, data []byte) (*File, error) {
	p := &parser{file: &File{Name: name, lines: map[string]int{}}}
	return p.parse(name, data)
}

func (p *parser) parse(name string, data []byte) (*File, error) {
	root, err := document(name, data)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return p.file, nil
	}
	p.read(place{shown: "the file"}, root, file)
	if len(p.faults) == 0 {
		if err := root.Decode(p.file); err != nil {
			// The shapes have passed, so this is a gap between keys.go and File.
			return nil, fmt.Errorf("%s: cannot be read; please report the keys that it uses", name)
		}
		p.finish()
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return p.file, nil
}

// document returns the one document of a file, nil if there is none.
func document(name string, data []byte) (*yaml.Node, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s: is larger than 1 MiB; a configuration is a few lines of YAML, check that this is the right file", name)
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read", name)
	}
	var doc, second yaml.Node
	if err := loader.Load(&doc); err == io.EOF {
		return nil, nil
	} else if err != nil {
		return nil, notYAML(name, err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, fmt.Errorf("%s:%d: a second document begins; keep one, without --- lines", name, max(second.Line, 1))
	} else if err != io.EOF {
		return nil, notYAML(name, err)
	}
	root := &doc
	if root.Kind == yaml.DocumentNode {
		if len(root.Content) != 1 {
			return nil, nil
		}
		root = root.Content[0]
	}
	if isNull(root) {
		return nil, nil
	}
	return root, nil
}

// notYAML keeps the library's words, without what it quotes from the file.
func notYAML(name string, err error) error {
	var fault *yaml.LoadError
	if !errors.As(err, &fault) {
		return fmt.Errorf("%s: is not YAML", name)
	}
	place := name
	if fault.Mark.Line > 0 {
		place = fmt.Sprintf("%s:%d", name, fault.Mark.Line)
	}
	message := quoted.ReplaceAllStringFunc(fault.Message, func(q string) string {
		if len(q) <= 3 { // one character of punctuation: "did not find expected ',' or ']'"
			return q
		}
		return "…"
	})
	return fmt.Errorf("%s: is not YAML: %s; check quotes, colons and indentation", place, message)
}

var quoted = regexp.MustCompile(`'[^']*'|"[^"]*"`)

type fault struct {
	line int
	text string
}

type parser struct {
	file   *File
	faults []fault
	// shipped leaves out what a test has made sure of, to start in less time.
	shipped bool
}

func (p *parser) fault(n *yaml.Node, at place, format string, args ...any) {
	p.faults = append(p.faults, fault{n.Line, at.shown + " " + fmt.Sprintf(format, args...)})
}

func (p *parser) err() error {
	if len(p.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(p.faults, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	var lines []error
	for i, f := range p.faults {
		if i == maxFaults {
			lines = append(lines, fmt.Errorf("%s: and %d more", p.file.Name, len(p.faults)-i))
			break
		}
		lines = append(lines, fmt.Errorf("%s:%d: %s", p.file.Name, f.line, f.text))
	}
	return errors.Join(lines...)
}

// A place is where a value stands: raw as File.At takes it, shown as errors
// print it.
type place struct{ raw, shown string }

func (p place) key(name string) place {
	if p.raw == "" {
		return place{name, name}
	}
	return place{p.raw + "." + name, p.shown + "." + name}
}

// entry is key for a name that the user chose, which an error must not repeat
// if it may be a secret.
func (p place) entry(name string) place {
	out := p.key(name)
	if longRun.MatchString(name) || len(name) > 80 {
		out.shown = p.shown + ".…"
	}
	return out
}

func (p place) index(i int) place {
	return place{fmt.Sprintf("%s[%d]", p.raw, i), fmt.Sprintf("%s[%d]", p.shown, i)}
}

// longRun is what generated keys have and names of hosts and facts have not.
var longRun = regexp.MustCompile(`[A-Za-z0-9+=]{16}`)

// read checks the value n, which stands at a place, against its shape.
func (p *parser) read(at place, n *yaml.Node, s *shape) {
	p.file.lines[at.raw] = n.Line
	if n.Kind == yaml.AliasNode {
		p.fault(n, at, "is an alias (*name), which is not read here; write the value out")
		return
	}
	switch s.kind {
	case object:
		p.object(at, n, s)
	case table:
		p.table(at, n, s)
	case list:
		p.list(at, n, s)
	case truth:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			p.fault(n, at, "must be true or false")
		}
	case text:
		p.text(at, n, s)
	}
}

func (p *parser) object(at place, n *yaml.Node, s *shape) {
	if isNull(n) {
		if at.raw != "" && requires(s) {
			p.fault(n, at, "is empty; remove it or fill it in")
		}
		return
	}
	if n.Kind != yaml.MappingNode {
		p.fault(n, at, "must be a mapping of %s", either(keyNames(s)))
		return
	}
	found := map[string]bool{}
	p.pairs(at, n, func(k, v *yaml.Node) {
		i := slices.IndexFunc(s.keys, func(have key) bool { return have.name == k.Value })
		if i < 0 {
			p.unknown(at, k, s)
			return
		}
		found[k.Value] = true
		p.read(at.key(k.Value), v, s.keys[i].shape)
	})
	for _, k := range s.keys {
		if k.required && !found[k.name] {
			p.fault(n, at, "has no %q; add %s", k.name, sample(k))
		}
	}
	if len(s.oneOf) > 0 {
		there := slices.DeleteFunc(slices.Clone(s.oneOf), func(name string) bool { return !found[name] })
		switch {
		case len(there) > 1:
			p.fault(n, at, "has both %q and %q; keep one, and make a second entry for the other", there[0], there[1])
		case len(there) == 0:
			p.fault(n, at, "has none of %s; add the one that tells what is secret", quotedList(s.oneOf))
		}
	}
	if s.effect && len(found) == 1 && found["on"] && len(n.Content) == 2 {
		p.fault(n, at, "changes nothing; add %s", either(keyNames(s)[1:]))
	}
}

func (p *parser) table(at place, n *yaml.Node, s *shape) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.fault(n, at, "must be a mapping; write one \"name: value\" per line")
		return
	}
	p.pairs(at, n, func(k, v *yaml.Node) {
		if s.names.check != nil {
			if err := s.names.check(k.Value); err != nil {
				p.fault(k, at, "has a name that %v", err)
			}
		}
		p.read(at.entry(k.Value), v, s.item)
	})
}

// pairs calls each for the pairs of a mapping whose key is usable.
func (p *parser) pairs(at place, n *yaml.Node, each func(k, v *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Tag == "!!merge":
			p.fault(k, at, "has a merge key (<<), which is not read here; write the values out")
		case k.Kind != yaml.ScalarNode || k.Tag != "!!str":
			p.fault(k, at, "has a key that is not text; put it in quotes if it is meant so")
		case first[k.Value] > 0:
			p.fault(k, at, "has %s twice, first in line %d; keep one", display(k.Value, "a key"), first[k.Value])
		default:
			first[k.Value] = k.Line
			each(k, v)
		}
	}
}

func (p *parser) list(at place, n *yaml.Node, s *shape) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.fault(n, at, "must be a list; write it in [ ], or each entry on a line of its own after \"- \"")
		return
	}
	for i, item := range n.Content {
		p.read(at.index(i), item, s.item)
	}
}

func (p *parser) text(at place, n *yaml.Node, s *shape) {
	switch {
	case isNull(n):
		p.fault(n, at, "is empty; remove it or fill it in")
		return
	case n.Kind != yaml.ScalarNode:
		p.fault(n, at, "must be one value, not a list or a mapping%s", hint(s))
		return
	case s.choices != nil:
		if !slices.Contains(s.choices, n.Value) || n.Tag != "!!str" {
			suggestion := ""
			if known, ok := Nearest(n.Value, s.choices); ok {
				suggestion = fmt.Sprintf("; did you mean %q?", known)
			}
			p.fault(n, at, "must be %s%s", either(s.choices), suggestion)
		}
		return
	}
	if s.check != nil {
		if err := s.check(n.Value); err != nil {
			p.fault(n, at, "%v", err)
			return
		}
	}
	if n.Tag != "!!str" {
		p.fault(n, at, "must be text; put it in quotes%s", hint(s))
	}
}

// unknown suggests the key of this object that was most likely meant, or else
// the place where a key of that name is known.
func (p *parser) unknown(at place, k *yaml.Node, s *shape) {
	names := keyNames(s)
	have := display(k.Value, "a key")
	if known, ok := Nearest(k.Value, names); ok {
		p.fault(k, at, "has %s, which is not known; did you mean %q?", have, known)
		return
	}
	if home, ok := homes()[k.Value]; ok && home != at.raw {
		where := "at the top of the file"
		if entries, ok := strings.CutSuffix(home, "[]"); ok {
			where = "in an entry of " + entries
		} else if home != "" {
			where = "under " + home
		}
		p.fault(k, at, "has %s, which is known only %s; move it there", have, where)
		return
	}
	p.fault(k, at, "has %s, which is not known; the keys here are %s", have, strings.Join(names, ", "))
}

// homes maps the name of each key to the one place where it is known; names
// known in several places are left out.
func homes() map[string]string {
	out, seen := map[string]string{}, map[string]int{}
	var walk func(path string, s *shape)
	walk = func(path string, s *shape) {
		for _, k := range s.keys {
			if seen[k.name]++; seen[k.name] == 1 {
				out[k.name] = path
			} else {
				delete(out, k.name)
			}
			walk(join(path, k.name), k.shape)
		}
		if s.item != nil {
			walk(path+"[]", s.item)
		}
	}
	walk("", file)
	return out
}

// quotedList is "a", "b" or "c" with the quotes.
func quotedList(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strconv.Quote(name)
	}
	return either(out)
}

func keyNames(s *shape) []string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	return names
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func requires(s *shape) bool {
	return s.effect || slices.ContainsFunc(s.keys, func(k key) bool { return k.required })
}

// sample shows how a key is written.
func sample(k key) string {
	if k.shape.example == "" {
		return k.name
	}
	return k.name + ": " + yamlScalar(k.shape.example)
}

func hint(s *shape) string {
	if s.example == "" {
		return ""
	}
	return ", such as " + yamlScalar(s.example)
}

// yamlScalar quotes what YAML would not read as this text.
func yamlScalar(s string) string {
	if strings.ContainsAny(s, `\*{}[]#&`) {
		return "'" + s + "'"
	}
	return s
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// display quotes a key that looks like a key, and only names the others.
func display(word, otherwise string) string {
	if quotable.MatchString(word) {
		return strconv.Quote(word)
	}
	return otherwise
}
