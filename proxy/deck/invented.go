package deck

import (
	"net/url"
	"strings"
	"sync"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// minInvented is the length in bytes below which a value is too common to be
// recognised elsewhere: an ignored "1" must not rewrite every 1 of an answer.
const minInvented = 8

// invented pairs values that the client made up when recording with those it
// makes up now, so that a value comes back in an answer as it was sent, and a
// request made of it is found. It lasts as long as the session.
type invented struct {
	mu       sync.Mutex
	live     map[string]string // recorded → live: the first that was paired with it
	recorded map[string]string // live → recorded
}

func (v *invented) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.live = make(map[string]string)
	v.recorded = make(map[string]string)
}

// heard are the invented values of one request. They come before those of the
// session in its answer: where a recording answers many requests, each gets its
// own values back. One goroutine uses it.
type heard struct {
	session *invented
	own     map[string]string // recorded → live
}

func (v *invented) hear() *heard { return &heard{v, nil} }

// translate returns the recorded value for which a live one stands.
func (h *heard) translate(live string) (string, bool) {
	h.session.mu.Lock()
	recorded, ok := h.session.recorded[live]
	h.session.mu.Unlock()
	if ok {
		h.keep(live, recorded)
	}
	return recorded, ok
}

func (h *heard) keep(live, recorded string) {
	if h.own == nil {
		h.own = make(map[string]string)
	}
	h.own[recorded] = live
}

// learn pairs the invented facts of a request with those of the recording that answers it.
func (h *heard) learn(live, recorded []matchers.Invented) {
	for i, l := range live {
		if i >= len(recorded) || recorded[i].Name != l.Name {
			// The lists differ in length: pair by name, where a name stands once.
			if r, ok := only(recorded, l.Name); ok {
				h.pair(l.Value, r)
			}
			continue
		}
		h.pair(l.Value, recorded[i].Value)
	}
}

func (h *heard) pair(live, recorded string) {
	if live == recorded {
		return
	}
	if len(redact.Placeholders(live)) > 0 || len(redact.Placeholders(recorded)) > 0 {
		return // secrets never echo
	}
	v := h.session
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(recorded) >= minInvented {
		h.keep(live, recorded)
		if _, taken := v.live[recorded]; !taken {
			v.live[recorded] = live
		}
	}
	if _, taken := v.recorded[live]; !taken && len(live) >= minInvented && recorded != "" {
		v.recorded[live] = recorded
	}
}

// learnKey pairs the Idempotency-Key of a request with the recorded one, which is
// known only where the recorded answer repeats it.
func (h *heard) learnKey(live, recorded string) {
	if live != "" && recorded != "" {
		h.pair(live, recorded)
	}
}

// lookup returns the live value to be sent in place of a recorded one.
func (h *heard) lookup(recorded string) (live string, ok bool) {
	if len(recorded) < minInvented {
		return "", false
	}
	if live, ok = h.own[recorded]; ok {
		return live, true
	}
	h.session.mu.Lock()
	defer h.session.mu.Unlock()
	live, ok = h.session.live[recorded]
	return live, ok
}

// none reports that there is nothing to replace.
func (h *heard) none() bool {
	h.session.mu.Lock()
	defer h.session.mu.Unlock()
	return len(h.own)+len(h.session.live) == 0
}

func only(list []matchers.Invented, name leaves.Place) (value string, ok bool) {
	for _, in := range list {
		if in.Name == name {
			if ok {
				return "", false
			}
			value, ok = in.Value, true
		}
	}
	return value, ok
}

// echo replaces recorded values by live ones where they stand as whole leaves of a body.
func (h *heard) echo(contentType string, body []byte) []byte {
	if len(body) == 0 || h.none() {
		return body
	}
	_, list, err := leaves.Body(contentType, body)
	if err != nil {
		return body
	}
	var out []byte
	last := 0
	for _, leaf := range list {
		live := h.text(leaf.Value)
		if live == leaf.Value || leaf.Start < last || leaf.Kind != leaves.String && leaf.Kind != leaves.Number {
			continue
		}
		out = append(out, body[last:leaf.Start]...)
		out = append(out, leaf.Quote(live)...)
		last = leaf.End
	}
	if out == nil {
		return body
	}
	return append(out, body[last:]...)
}

// echoText is echo for a header's value.
func (h *heard) echoText(value string) string {
	if h.none() {
		return value
	}
	return h.text(value)
}

// text replaces a value that is a recorded one, or the path segments and query
// values of a URL that are.
func (h *heard) text(value string) string {
	if live, ok := h.lookup(value); ok {
		return live
	}
	path, rest := value, ""
	if i := strings.IndexAny(value, "?#"); i >= 0 {
		path, rest = value[:i], value[i:]
	}
	if !strings.HasPrefix(path, "/") && !strings.Contains(path, "://") {
		return value
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if live, ok := h.lookup(segment); ok && url.PathEscape(live) == live {
			segments[i] = live
		}
	}
	query, fragment, hasFragment := strings.Cut(rest, "#")
	if hasFragment {
		fragment = "#" + fragment
	}
	fields := strings.Split(query, "&")
	for i, field := range fields {
		name, recorded, _ := strings.Cut(field, "=")
		if plain, err := url.QueryUnescape(recorded); err == nil {
			if live, ok := h.lookup(plain); ok {
				fields[i] = name + "=" + url.QueryEscape(live)
			}
		}
	}
	return strings.Join(segments, "/") + strings.Join(fields, "&") + fragment
}
