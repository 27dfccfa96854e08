// Package canary looks for values that must not be there: planted secrets, in
// every form in which a file or an output could carry them.
//
// It is written apart from the redactor on purpose. A shared list of encodings
// would share its gaps.
package canary

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A Secret is a value to look for. Its name stands in for it in reports.
type Secret struct{ Name, Value string }

// A Hit is one secret found.
type Hit struct {
	Secret   string // the name
	Encoding string // "as it is", or "as it is, inside gzip"
	Place    string // a file, or what Search was told
	Offset   int    // in bytes, in what was unpacked if it was
}

func (h Hit) String() string {
	return fmt.Sprintf("%s at byte %d: %s, %s", h.Place, h.Offset, h.Secret, h.Encoding)
}

// Search looks for all secrets in data; place is what hits call it.
func Search(secrets []Secret, place string, data []byte) []Hit {
	return NewSearcher(secrets).Search(place, data)
}

// SearchFiles looks into every regular file under root, and at every name. It
// returns how many files it read, so that a caller can tell an empty folder
// from a clean one.
func SearchFiles(secrets []Secret, root string) (hits []Hit, files int, err error) {
	return NewSearcher(secrets).SearchFiles(root)
}

// A Searcher looks for the same secrets many times, from several goroutines too.
type Searcher struct {
	exact, folded *table
	short         []form // of fewer bytes than a table takes

	// nothing holds runs of base64 in which nothing was found: the same ones come
	// again in every line of a report and in every state of a growing file.
	nothing sync.Map
}

// A form is a secret as one encoding writes it.
type form struct {
	secret, encoding string
	text             []byte
	folded           bool // text is in lower case and case does not count
}

// NewSearcher prepares a search. A form that several encodings share is called
// by the first of them.
func NewSearcher(secrets []Secret) *Searcher {
	s := &Searcher{exact: newTable(), folded: newTable()}
	encodings := Encodings()
	for _, secret := range secrets {
		known := map[string]bool{}
		for _, e := range encodings {
			if e.Packed || secret.Value == "" {
				continue
			}
			write := e.Encode
			if e.pattern != nil {
				write = e.pattern
			}
			text := write(secret.Value)
			if e.folded && known[text] || !e.folded && known["="+text] {
				continue
			}
			known[text], known["="+text] = true, true
			one := form{secret.Name, e.Name, []byte(text), e.folded}
			if e.folded {
				one.text = lower(one.text)
			}
			switch {
			case len(one.text) < keySize:
				s.short = append(s.short, one)
			case e.folded:
				s.folded.add(one)
			default:
				s.exact.add(one)
			}
		}
	}
	return s
}

// Search looks for all secrets in data, in what data holds in packed form, and
// across its line ends. Each secret is reported once for each encoding.
func (s *Searcher) Search(place string, data []byte) []Hit {
	var hits []Hit
	seen := map[[2]string]bool{}
	add := func(within string, f form, at int) {
		h := Hit{f.secret, f.encoding + within, place, at}
		if key := [2]string{h.Secret, h.Encoding}; !seen[key] {
			seen[key] = true
			hits = append(hits, h)
		}
	}
	s.search(data, "", 0, true, add)
	return hits
}

func (s *Searcher) search(data []byte, within string, depth int, whole bool, add func(string, form, int)) (found bool) {
	s.plain(data, func(f form, at int) {
		found = true
		add(within, f, at)
	})
	if squeezed := squeeze(data); !found && len(squeezed) < len(data) {
		s.plain(squeezed, func(f form, at int) {
			found = true
			add(" in lines"+within, f, at)
		})
	}
	if depth == maxDepth {
		return found
	}
	inside := func(how string, inner []byte, whole bool) bool {
		return s.search(inner, " inside "+how+within, depth+1, whole, add)
	}
	if uncompress(data, whole, inside) {
		found = true
	}
	for _, run := range base64Run.FindAll(data, -1) {
		if _, known := s.nothing.Load(string(run)); known {
			continue
		}
		if fromBase64(run, inside) {
			found = true
		} else if depth == 0 { // deeper ones were not searched to the same depth
			s.nothing.Store(string(run), true)
		}
	}
	return found
}

// plain finds the forms that are a run of bytes.
func (s *Searcher) plain(data []byte, found func(form, int)) {
	low := lower(data)
	s.exact.find(data, found)
	s.folded.find(low, found)
	for _, f := range s.short {
		haystack := data
		if f.folded {
			haystack = low
		}
		if at := bytes.Index(haystack, f.text); at >= 0 {
			found(f, at)
		}
	}
}

// SearchFiles is the function of that name for these secrets. A file that goes
// away meanwhile holds nothing.
func (s *Searcher) SearchFiles(root string) (hits []Hit, files int, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != root {
			return nil
		}
		if err != nil {
			return err
		}
		hits = append(hits, s.Search("the name "+path, []byte(path))...)
		if !entry.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		files++
		hits = append(hits, s.Search(path, data)...)
		return nil
	})
	return hits, files, err
}

// keySize is how many bytes of a form lead to it.
const keySize = 8

// A table finds many forms in one pass: most positions are ruled out by one bit.
type table struct {
	bits  [1 << 12]uint64
	forms map[uint64][]form
}

func newTable() *table { return &table{forms: map[uint64][]form{}} }

func (t *table) add(f form) {
	key := binary.LittleEndian.Uint64(f.text)
	word, bit := slot(key)
	t.bits[word] |= bit
	t.forms[key] = append(t.forms[key], f)
}

func slot(key uint64) (word int, bit uint64) {
	h := key * 0x9E3779B97F4A7C15 >> 46 // Fibonacci hashing
	return int(h >> 6), 1 << (h & 63)
}

func (t *table) find(data []byte, found func(form, int)) {
	for at := 0; at+keySize <= len(data); at++ {
		key := binary.LittleEndian.Uint64(data[at:])
		if word, bit := slot(key); t.bits[word]&bit == 0 {
			continue
		}
		for _, f := range t.forms[key] {
			if bytes.HasPrefix(data[at:], f.text) {
				found(f, at)
			}
		}
	}
}

// lower folds ASCII letters; every byte keeps its place.
func lower(data []byte) []byte {
	out := slices.Clone(data)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c | 0x20
		}
	}
	return out
}

// Names lists the secrets of hits, each once, for a report.
func Names(hits []Hit) string {
	var names []string
	for _, h := range hits {
		if !slices.Contains(names, h.Secret) {
			names = append(names, h.Secret)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
