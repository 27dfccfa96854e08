package audit

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/rs/zerolog"
	"github.com/zricethezav/gitleaks/v8/detect"
	"github.com/zricethezav/gitleaks/v8/logging"

	"tapedeck/cassettes/foreign"
	"tapedeck/cassettes/leaves"
)

// gitleaks is the library's detector with its default rules. They look for a name and
// a value on one line, so that is what they are given.
type gitleaks struct{ detector *detect.Detector }

// loading keeps the library's global configuration from being read twice at once.
var loading sync.Mutex

func newGitleaks() (*gitleaks, error) {
	loading.Lock()
	defer loading.Unlock()
	logging.Logger = zerolog.Nop() // it logs what it finds
	d, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		return nil, err
	}
	// A cassette cannot allow its own secrets.
	d.IgnoreGitleaksAllow = true
	return &gitleaks{d}, nil
}

// A line is one value, or a piece of one, as gitleaks sees it.
type line struct {
	start, end int // in the fragment
	from       int // of the piece in the value
	unit, part int
	place      leaves.Place
	offset     int // of the value in the part's original text
	text       bool
}

// largestFragment bounds what the library sees at once, in bytes: it picks its rules by
// the words that a fragment holds, so small ones are searched by few.
const largestFragment = 16 << 10

// leaks shows what is left after redaction to gitleaks.
func (r *run) leaks(g *gitleaks, kept map[hitKey]bool) (found, ignored []Finding) {
	var b strings.Builder
	var lines []line
	flush := func() {
		if b.Len() > 0 {
			f, i := r.fragment(g, b.String(), lines, kept)
			found, ignored = append(found, f...), append(ignored, i...)
		}
		b.Reset()
		lines = lines[:0]
	}
	var last *foreign.Interaction
	for i := range r.units {
		u := &r.units[i]
		if u.in != last {
			flush()
			last = u.in
		}
		for j, p := range u.parts {
			r.lines(u, p, func(name, value string, place leaves.Place, offset int, text bool) {
				for _, one := range parted(r.rules, value) {
					if !mayBeSecret(one.text) {
						continue
					}
					if b.Len()+len(one.text) > largestFragment {
						flush()
					}
					l := line{start: b.Len(), from: one.from, unit: i, part: j, place: place, offset: offset, text: text}
					b.WriteString(name + ` = "` + one.text + "\"\n")
					l.end = b.Len()
					lines = append(lines, l)
				}
			})
		}
	}
	flush()
	return found, ignored
}

// mayBeSecret reports whether a value is worth showing: prose, words and short numbers are
// most of an answer, and none of the library's rules finds a key in them.
func mayBeSecret(value string) bool {
	run, digit := 0, false
	for i := range len(value) {
		c := value[i]
		if c <= ' ' {
			run, digit = 0, false
			continue
		}
		run++
		digit = digit || '0' <= c && c <= '9'
		if run >= 20 || run >= 8 && digit {
			return true
		}
	}
	return false
}

// lines gives a part's values, each with its name.
func (r *run) lines(u *unit, p *foreign.Part, add func(name, value string, place leaves.Place, offset int, text bool)) {
	text := p.Text()
	if text == "" || p.Opaque() != nil {
		return
	}
	switch p.Kind {
	case foreign.Body:
		contentType := u.in.ContentType(p.Direction)
		_, list, err := leaves.Body(contentType, []byte(text))
		if err != nil || len(list) == 0 {
			if utf8.ValidString(text) {
				add("body", text, "body", 0, true)
			}
			return
		}
		_, old, err := leaves.Body(contentType, []byte(p.Original()))
		for i := range list {
			leaf := &list[i]
			if leaf.Kind != leaves.String && leaf.Kind != leaves.Raw && leaf.Kind != leaves.Blob || !utf8.ValidString(leaf.Value) {
				continue
			}
			offset := 0
			if err == nil && len(old) == len(list) {
				offset = old[i].Start
			}
			add(leaf.Name, leaf.Value, leaf.Place, offset, false)
		}
	case foreign.URL:
		base, query, _ := strings.Cut(text, "?")
		add("url", base, "url", 0, false)
		list, _ := leaves.Query(query)
		for i := range list {
			add(list[i].Name, list[i].Value, list[i].Place, 0, false)
		}
	case foreign.Comment:
		add("comment", text, "comment", 0, false)
	default:
		name := p.Name
		if name == "" {
			name = "text"
		}
		if utf8.ValidString(text) {
			add(name, text, placeOf(p), 0, false)
		}
	}
}

// fragment runs the library over one fragment.
func (r *run) fragment(g *gitleaks, text string, lines []line, kept map[hitKey]bool) (found, ignored []Finding) {
	seen := make(map[hitKey]bool)
	for _, leak := range g.detector.DetectString(text) {
		if r.rules.IsClean(leak.Secret) {
			continue // a placeholder as earlier versions wrote it
		}
		at := whereIs(text, leak.StartLine, leak.Match, leak.Secret)
		one, ok := lineAt(lines, at)
		if !ok {
			continue
		}
		u := &r.units[one.unit]
		p := u.parts[one.part]
		offset := one.offset
		if one.text {
			offset = sameLine(p.Original(), p.Text(), one.from+at-one.start-len(`body = "`))
		}
		key := hitKey{one.unit, one.part, one.place, leak.RuleID}
		f := r.finding(u, p, offset, one.place, leak.RuleID, leak.Description)
		f.Source = fromGitleaks
		if p.Kind == foreign.URL {
			r.leaky[u.in] = true
		}
		if key.rule = ""; kept[key] {
			continue // the place is listed as kept already
		}
		if key.rule = leak.RuleID; seen[key] {
			continue
		}
		seen[key] = true
		if r.auditor.cfg.Ignore.has(f) {
			f.Why = "it is listed in " + IgnoreFile
			ignored = append(ignored, f)
			continue
		}
		found = append(found, f)
	}
	return found, ignored
}

// whereIs is the offset of a finding's secret. The library says only on which line the
// match begins, counted from 0, and that may be the line before.
func whereIs(text string, startLine int, match, secret string) int {
	from := 0
	for ; startLine > 1; startLine-- {
		i := strings.IndexByte(text[from:], '\n')
		if i < 0 {
			break
		}
		from += i + 1
	}
	at := strings.Index(text[from:], match)
	if at < 0 {
		at = 0
	}
	at += from
	if i := strings.Index(text[at:], secret); i >= 0 {
		at += i
	}
	return at
}

func lineAt(lines []line, at int) (line, bool) {
	for _, one := range lines {
		if one.start <= at && at < one.end {
			return one, true
		}
	}
	return line{}, false
}

// sameLine is the offset in before of the line on which offset stands in after.
func sameLine(before, after string, offset int) int {
	n := strings.Count(after[:min(max(offset, 0), len(after))], "\n")
	at := 0
	for ; n > 0; n-- {
		i := strings.IndexByte(before[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	return at
}
