package redact

import "strings"

// Text returns s as it may be shown: in report lines, misses and status phrases.
// Values that are learned, in every encoding, what a value rule finds, and the
// secrets of URLs give way to their placeholders, and a document in base64 or
// hexadecimal that holds a secret gives way to one mark. Clean text stays as it is.
func (v *Vault) Text(s string) string {
	p := &pass{v: v, names: true, byValue: true}
	s, _ = v.settle(s, func(s string) (string, error) {
		if strings.Contains(s, "://") {
			s = p.urls("text", s)
		}
		return p.text("text", anywhere, s), nil
	})
	return v.cover(s)
}

// cover writes the mark over what still holds a learned value: runs that are too
// long to be replaced by a placeholder, as what else they hold would be lost.
func (v *Vault) cover(s string) string {
	var b strings.Builder
	last := 0
	p := &pass{v: v}
	p.eachGap(s, func(start, end int) {
		var runs encodedRuns
		gap := s[start:end]
		v.mu.RLock()
		defer v.mu.RUnlock()
		v.index.scan(gap, func(i int, found pattern) bool {
			h := hit{start: i, end: i + len(found.text), spelling: found.spelling}
			if found.spelling != asText && !runs.widen(gap, &h) {
				return true
			}
			if h.shift(start); h.end <= last {
				return true
			}
			b.WriteString(s[last:max(h.start, last)])
			b.WriteString(mark)
			last = h.end
			return true
		})
	})
	if last == 0 {
		return s
	}
	b.WriteString(s[last:])
	return b.String()
}

// keptBy notes that a keep lets something stand that its rule has found.
func (v *Vault) keptBy(k *keep) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.kept == nil {
		v.kept = make([]bool, len(v.rules.keeps))
	}
	v.kept[k.nth] = true
}

// Kept lists the keeps that have let something stand.
func (v *Vault) Kept() []Keep {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []Keep
	for i, used := range v.kept {
		if used {
			out = append(out, v.rules.keeps[i].Keep)
		}
	}
	return out
}
