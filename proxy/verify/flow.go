package verify

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// A flow knows which recorded answer first gave a value that later requests send, and
// what the live answers gave in its place.
type flow struct {
	issued map[key]issue
	// live holds what stands now for a value, by its key. Of a placeholder it is the
	// secret alone, without what the placeholder left readable around it.
	live map[key]string
	// whole holds whole live values for recorded ones that hold a placeholder and more.
	whole map[string]string
	// secrets are the live values that came in the place of placeholders.
	secrets map[string]bool
}

// An issue is the answer that a value came from first.
type issue struct {
	position int
	place    leaves.Place
}

// newFlow reads a recording: a value that a request held before any answer did is the
// client's own and is sent as it is.
func newFlow(list []clean.Interaction) (*flow, error) {
	f := &flow{issued: make(map[key]issue), live: make(map[key]string), whole: make(map[string]string), secrets: make(map[string]bool)}
	own := make(map[key]bool)
	for i, in := range list {
		s, err := in.Stored()
		if err != nil {
			return nil, fmt.Errorf("interaction %d: %w", in.ID, err)
		}
		_, err = rewrite(s, func(p part) (string, error) {
			for _, k := range keysOf(p) {
				own[k] = true
			}
			return p.text, nil
		})
		var lack *Lack
		if err != nil && !isLack(err, &lack) {
			return nil, err
		}
		for _, one := range givens(in.Request().URL().Path, s.ResponseHeader, s.ResponseBody) {
			for _, k := range one.keys() {
				if _, known := f.issued[k]; !known && !own[k] {
					f.issued[k] = issue{i, one.place}
				}
			}
		}
		for _, ph := range redact.Placeholders(textOf(s)) {
			if k := secretKey(ph.ID); !own[k] {
				if _, known := f.issued[k]; !known {
					f.issued[k] = issue{i, "body"}
				}
			}
		}
	}
	return f, nil
}

// textOf is the body of an answer that has no structure, "" for all others.
func textOf(s clean.Stored) string {
	if leaves.FormatOf(s.ResponseHeader.Get("Content-Type"), s.ResponseBody) != leaves.Text || len(s.ResponseBody) > maxWords {
		return ""
	}
	return string(s.ResponseBody)
}

// keys are those of a value that an answer gives.
func (g given) keys() []key {
	var out []key
	for _, ph := range redact.Placeholders(g.text) {
		out = append(out, secretKey(ph.ID))
	}
	if k, ok := keyOf(g.name, g.thing, g.kind, g.text); ok {
		out = append(out, k)
	}
	return out
}

// keysOf are the keys of all values in a part of a request.
func keysOf(p part) []key {
	var out []key
	for _, ph := range redact.Placeholders(p.text) {
		out = append(out, secretKey(ph.ID))
	}
	if len(out) > 0 || len(p.text) > maxWords {
		return out
	}
	out = append(out, key("value "+p.text))
	if p.thing != "" {
		out = append(out, key("number "+p.thing+" "+p.text))
	}
	for start, end := range wordsOf(p.text) {
		if word := p.text[start:end]; isGenerated(word) {
			out = append(out, key("value "+word))
		}
	}
	return out
}

// learn pairs what a recorded answer gave with what the live one gave at the same
// place. Ids come first: they stand in front of many secrets.
func (f *flow) learn(path string, recorded clean.Stored, header http.Header, body []byte) {
	live := givens(path, header, body)
	at := make(map[leaves.Place]string, len(live))
	there := make(map[string]bool, len(live))
	for _, one := range live {
		at[one.place] = one.text
		there[one.text] = true
	}
	old := givens(path, recorded.ResponseHeader, recorded.ResponseBody)
	var words string
	for _, one := range old {
		if one.place == "body.words" {
			words = one.text
		}
	}
	sameWords := words != "" && at["body.words"] == words
	for _, secrets := range []bool{false, true} {
		for _, one := range old {
			if holdsPlaceholder(one.text) != secrets {
				continue
			}
			now, ok := at[one.place]
			ok = ok && (!one.counted || sameWords)
			switch {
			case ok && secrets:
				f.pairSecret(one.text, now)
			case !secrets && (ok || there[one.text]):
				f.pair(one, now, there[one.text])
			}
		}
	}
	if text := textOf(recorded); text != "" && !sameWords {
		f.pairText(text, string(body))
	}
}

// pair notes what stands for an id or a cursor now. One that the live answer still
// holds somewhere is itself, whatever has taken its place: lists grow.
func (f *flow) pair(one given, now string, there bool) {
	k, ok := keyOf(one.name, one.thing, one.kind, one.text)
	if !ok {
		return
	}
	if _, ours := f.issued[k]; !ours {
		return
	}
	if there {
		now = one.text
	}
	if strings.ContainsAny(now, " \t\r\n") || now == "" {
		return
	}
	f.live[k] = now
}

// pairSecret notes the secrets for which the placeholders of a recorded value stand.
func (f *flow) pairSecret(recorded, now string) {
	found := redact.Placeholders(recorded)
	f.whole[recorded] = now
	if len(found) > 1 {
		if strings.Contains(recorded, "://") {
			return // its parts are listed by themselves
		}
		pattern, last := "^(?s:", 0
		for _, ph := range found {
			pattern += regexp.QuoteMeta(recorded[last:ph.Start]) + "(.+?)"
			last = ph.End
		}
		values := regexp.MustCompile(pattern + regexp.QuoteMeta(recorded[last:]) + ")$").FindStringSubmatch(now)
		for i, ph := range found {
			if values != nil {
				f.setSecret(ph.ID, values[i+1])
			}
		}
		return
	}
	ph := found[0]
	before, after := recorded[:ph.Start], recorded[ph.End:]
	if n := len(before); n > 0 && !strings.HasPrefix(now, before) {
		// The prefix holds an id that is another now: pi_3Nab_secret_…
		if before = f.words(before); !strings.HasPrefix(now, before) {
			if before = prefixLike(recorded[:n], now); before == "" {
				f.secrets[now] = f.secrets[now] || !strings.ContainsAny(now, "/ ")
				return
			}
		}
	}
	if part := now[len(before):]; strings.HasSuffix(part, after) && len(part) > len(after) {
		f.setSecret(ph.ID, part[:len(part)-len(after)])
	}
}

func (f *flow) setSecret(id, value string) {
	f.live[secretKey(id)] = value
	f.secrets[value] = true
}

// words puts live ids in the place of recorded ones, also where one is only the
// beginning of a word.
func (f *flow) words(text string) string {
	for start, end := range wordsOf(text) {
		word := text[start:end]
		for n := len(word); n >= 8; n-- {
			if now, ok := f.live[key("value "+word[:n])]; ok {
				return text[:start] + now + text[start+n:]
			}
		}
	}
	return text
}

// letters and digits are what prefixes of secrets differ by: sk_test_ and sk_live_.
var lettersOrDigits = regexp.MustCompile(`[A-Za-z]+|[0-9]+|[^A-Za-z0-9]+`)

// prefixLike is the beginning of a live value that is made like a prefix: letters for
// letters, digits for digits; "" if there is none.
func prefixLike(prefix, now string) string {
	return regexp.MustCompile("^" + likePrefix(prefix)).FindString(now)
}

func likePrefix(prefix string) string {
	return lettersOrDigits.ReplaceAllStringFunc(prefix, func(run string) string {
		switch c := run[0]; {
		case c >= '0' && c <= '9':
			return "[0-9]+"
		case 'a' <= c|0x20 && c|0x20 <= 'z':
			return "[A-Za-z]+"
		}
		return regexp.QuoteMeta(run)
	})
}

// maxBefore and maxAfter are how much text around a placeholder says where it stands, in
// bytes. What stands behind only has to end the value.
const (
	maxBefore = 48
	maxAfter  = 4
)

// pairText finds the secrets of a page in another version of it: what stands between
// the same text on both sides, where that stands only once.
func (f *flow) pairText(recorded, now string) {
	found := redact.Placeholders(recorded)
	for i, ph := range found {
		from, to := 0, len(recorded)
		if i > 0 {
			from = found[i-1].End
		}
		if i+1 < len(found) {
			to = found[i+1].Start
		}
		before := recorded[max(from, ph.Start-maxBefore):ph.Start]
		after := recorded[ph.End:min(to, ph.End+maxAfter)]
		if line := strings.IndexByte(after, '\n'); line > 0 {
			after = after[:line]
		}
		if before == "" || after == "" || strings.Count(now, before) != 1 {
			continue
		}
		_, rest, _ := strings.Cut(now, before)
		if end := strings.Index(rest, after); end > 0 && end <= maxGiven {
			f.setSecret(ph.ID, rest[:end])
		}
	}
}

// liveSecrets are the values that answers gave in the place of placeholders, sorted.
func (f *flow) liveSecrets() []string {
	out := make([]string, 0, len(f.secrets))
	for value := range f.secrets {
		out = append(out, value)
	}
	slices.Sort(out)
	return out
}
