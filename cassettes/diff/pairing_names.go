package diff

import (
	"net/url"
	"strings"
)

// A renaming is what is known of which new name stands for which old one.
type renaming struct {
	old map[string]known // by the new name
	new map[string]string
	// times are what stands for the times, digests and nonces that were seen last. They
	// count only for finding the interactions in which they are sent again.
	times map[string]string
	// version counts what was learned, so that a reading that nothing new is known for
	// need not be made again.
	version int
}

type known struct {
	name string
	// weak is what was seen in lists alone, whose elements may stand in another order.
	weak bool
}

func newRenaming() *renaming {
	return &renaming{old: map[string]known{}, new: map[string]string{}, times: map[string]string{}}
}

// learn notes that a new name stands for an old one; ok is false when either is known to
// stand for another.
func (r *renaming) learn(old, fresh string, weak bool) (ok bool) {
	k, isKnown := r.old[fresh]
	owner, isOwned := r.new[old]
	switch {
	case isKnown && k.name == old:
		if k.weak && !weak {
			r.old[fresh] = known{old, false}
		}
		return true
	case !isKnown && !isOwned:
	case weak:
		return true // what is known already is known better
	case (!isKnown || k.weak) && (!isOwned || r.old[owner].weak):
		if isKnown {
			delete(r.new, k.name)
		}
		if isOwned {
			delete(r.old, owner)
		}
	default:
		return false
	}
	r.old[fresh], r.new[old] = known{old, weak}, fresh
	r.version++
	return true
}

// fits reports whether a new name may stand for an old one.
func (r *renaming) fits(old, fresh string) bool {
	if k, ok := r.old[fresh]; ok {
		return k.name == old
	}
	_, taken := r.new[old]
	return !taken
}

// text is a text of the new recording with the names that the old one has for things.
func (r *renaming) text(s string) string {
	if len(r.old) == 0 || len(s) < 8 {
		return s
	}
	if k, ok := r.old[s]; ok {
		return k.name
	}
	s = r.parts(s)
	if strings.HasPrefix(s, "/") || strings.Contains(s, "://") {
		return r.url(s)
	}
	return s
}

// parts renames the generated names in a text: whole runs of letters, digits, _ and -,
// and the parts of such runs.
func (r *renaming) parts(s string) string {
	var b strings.Builder
	done := 0
	put := func(start, end int) bool {
		k, ok := r.old[s[start:end]]
		if ok {
			b.WriteString(s[done:start])
			b.WriteString(k.name)
			done = end
		}
		return ok
	}
	for i := 0; i < len(s); {
		if !tokenByte(s[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(s) && tokenByte(s[end]) {
			end++
		}
		if end-i >= 8 && !put(i, end) {
			r.tokenParts(s, i, end, put)
		}
		i = end
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// tokenParts offers the parts of a token: UUIDs, and what _ and - part.
func (r *renaming) tokenParts(s string, start, end int, put func(start, end int) bool) {
	if end-start >= uuidLength && strings.Count(s[start:end], "-") >= 4 {
		for _, p := range tokenPieces(nil, s[start:end], start) {
			put(p.start, p.end)
		}
		return
	}
	for at := start; at < end; {
		next := at
		for next < end && s[next] != '_' && s[next] != '-' {
			next++
		}
		if next-at >= 8 {
			put(at, next)
		}
		at = next + 1
	}
}

// url renames what stands whole in a segment of a path or as a value of a query, escaped
// as it needs to be there.
func (r *renaming) url(s string) string {
	var b strings.Builder
	for s != "" {
		end := strings.IndexAny(s, "/?&=#")
		if end < 0 {
			end = len(s)
		}
		if plain, err := url.QueryUnescape(s[:end]); err == nil && end >= 8 {
			if k, ok := r.old[plain]; ok {
				b.WriteString(url.QueryEscape(k.name))
			} else {
				b.WriteString(s[:end])
			}
		} else {
			b.WriteString(s[:end])
		}
		if end < len(s) {
			b.WriteByte(s[end])
			end++
		}
		s = s[end:]
	}
	return b.String()
}

// translate is text for matchers.Matcher.Read. Plain numbers are translated too where
// numbers is set: they may be ids, and a key that is found with them proves it.
func (r *renaming) translate(numbers bool) func(string) (string, bool) {
	return func(s string) (string, bool) {
		if isNumeral(s) {
			if k, ok := r.old[numberName+s]; ok && numbers {
				return k.name[len(numberName):], true
			}
		}
		if was, ok := r.times[s]; ok {
			return was, true
		}
		to := r.text(s)
		return to, to != s
	}
}

func (r *renaming) forget(fresh string) {
	if k, ok := r.old[fresh]; ok {
		delete(r.old, fresh)
		delete(r.new, k.name)
		r.version++
	}
}
