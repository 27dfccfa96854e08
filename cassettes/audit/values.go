package audit

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/klauspost/compress/gzip"

	"tapedeck/cassettes/foreign"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// Values are secrets to be found wherever they stand. They are never printed.
type Values struct {
	finder *redact.Finder
	names  []string
	// Skipped says what of the list is not searched for, one line each.
	Skipped []string
}

var assignment = regexp.MustCompile(`^(?:export )?([A-Za-z_][A-Za-z0-9_]*)=(.+)$`)

// longestValueLine bounds a line of the list, in bytes.
const longestValueLine = 1 << 20

// ReadValues reads a list of secrets: one to a line, or NAME=value as env prints them.
// Of named ones those are searched for whose name says that they are secret, or that
// look random.
func ReadValues(from io.Reader) (*Values, error) {
	v := &Values{}
	var values []string
	number, open := 0, 0
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, longestValueLine)
	for lines.Scan() {
		number++
		text := strings.TrimRight(lines.Text(), "\r")
		name := fmt.Sprintf("line %d", number)
		if at := assignment.FindStringSubmatch(text); at != nil {
			value := strings.Trim(at[2], `"'`)
			if strings.Trim(value, "=") != "" {
				if !redact.LooksSecret(at[1], value) {
					open++
					continue
				}
				name, text = at[1], value
			}
		}
		if text == "" {
			continue
		}
		values, v.names = append(values, text), append(v.names, name)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("the list of values: line %d cannot be read: %w", number+1, err)
	}
	if len(values) == 0 && open == 0 {
		return nil, fmt.Errorf("the list of values is empty; write one value to a line, or NAME=value")
	}
	var short []int
	v.finder, short = redact.NewFinder(values)
	for _, i := range short {
		v.Skipped = append(v.Skipped, fmt.Sprintf("%s is shorter than %d bytes, and would be found everywhere", v.names[i], redact.ShortestGiven))
	}
	if open > 0 {
		v.Skipped = append(v.Skipped, fmt.Sprintf("variables whose name and value do not look secret: %d; write a value alone on a line to search for it", open))
	}
	return v, nil
}

// values finds given values in everything that the file holds.
func (r *run) values(v *Values) []Finding {
	var out []Finding
	type place struct{ line, value int }
	seen := make(map[place]bool)
	for i := range r.units {
		u := &r.units[i]
		for _, p := range u.parts {
			for _, m := range v.search(p.Original(), maxUnfolded) {
				f := r.finding(u, p, m.Start, r.placeIn(u, p, m.Start), "given-value", "")
				f.Source, f.Why = fromValues, "the value of "+v.names[m.Value]+", "+m.Encoding
				seen[place{f.Line, m.Value}] = true
				out = append(out, f)
			}
		}
	}
	for _, m := range v.finder.Find(string(r.src)) {
		at := place{1 + strings.Count(string(r.src[:m.Start]), "\n"), m.Value}
		if !seen[at] && !seen[place{at.line - 1, m.Value}] {
			seen[at] = true
			out = append(out, Finding{File: r.file, Line: at.line, Place: "file", Rule: "given-value", Source: fromValues,
				Why: "the value of " + v.names[m.Value] + ", " + m.Encoding})
		}
	}
	return out
}

// placeIn is the place of the byte at offset of a part's original text.
func (r *run) placeIn(u *unit, p *foreign.Part, offset int) leaves.Place {
	if p.Kind == foreign.Body {
		if _, list, err := leaves.Body(u.in.ContentType(p.Direction), []byte(p.Original())); err == nil {
			for i := range list {
				if list[i].Start <= offset && offset < list[i].End {
					return list[i].Place
				}
			}
		}
	}
	return placeOf(p)
}

// How far search unfolds what it finds: levels, and bytes.
const (
	maxUnfolded      = 2
	maxUnfoldedBytes = 64 << 20
)

// gzipInBase64 is how every gzip file begins in base64.
const gzipInBase64 = "H4sI"

// search finds values in a text, and in the gzip that it holds in base64.
func (v *Values) search(s string, depth int) []redact.Match {
	out := v.finder.Find(s)
	for from := 0; depth > 0; {
		i := strings.Index(s[from:], gzipInBase64)
		if i < 0 {
			break
		}
		start := from + i
		end := start
		for end < len(s) && isBase64(s[end]) {
			end++
		}
		from = end
		std := strings.NewReplacer("-", "+", "_", "/").Replace(s[start:end])
		raw, err := base64.RawStdEncoding.DecodeString(std)
		if err != nil {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(string(raw)))
		if err != nil {
			continue
		}
		plain, _ := io.ReadAll(io.LimitReader(z, maxUnfoldedBytes)) // what of it can be read
		for _, m := range v.search(string(plain), depth-1) {
			out = append(out, redact.Match{Value: m.Value, Start: start, End: end, Encoding: "in gzip in base64"})
		}
	}
	return out
}

func isBase64(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '+' || c == '/' || c == '-' || c == '_'
}
