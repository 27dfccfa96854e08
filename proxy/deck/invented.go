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
// request made of it is found.
type invented struct {
	mu       sync.Mutex
	live     map[string]string // recorded → live
	recorded map[string]string // live → recorded
}

func (v *invented) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.live = make(map[string]string)
	v.recorded = make(map[string]string)
}

// translate returns the recorded value for which a live one stands.
func (v *invented) translate(live string) (string, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	recorded, ok := v.recorded[live]
	return recorded, ok
}

// learn pairs the invented facts of a request with those of the recording that answers it.
func (v *invented) learn(live, recorded []matchers.Invented) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, l := range live {
		if i >= len(recorded) || recorded[i].Name != l.Name {
			// The lists differ in length: pair by name, where a name stands once.
			if r, ok := only(recorded, l.Name); ok {
				v.pair(l.Value, r)
			}
			continue
		}
		v.pair(l.Value, recorded[i].Value)
	}
}

func (v *invented) pair(live, recorded string) {
	if live == recorded || len(live) < minInvented || len(recorded) < minInvented {
		return
	}
	if len(redact.Placeholders(live)) > 0 || len(redact.Placeholders(recorded)) > 0 {
		return // secrets never echo
	}
	if _, taken := v.live[recorded]; taken {
		return
	}
	if _, taken := v.recorded[live]; taken {
		return
	}
	v.live[recorded] = live
	v.recorded[live] = recorded
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
func (v *invented) echo(contentType string, body []byte) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.live) == 0 || len(body) == 0 {
		return body
	}
	_, list, err := leaves.Body(contentType, body)
	if err != nil {
		return body
	}
	var out []byte
	last := 0
	for _, leaf := range list {
		live := v.text(leaf.Value)
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
func (v *invented) echoText(value string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.live) == 0 {
		return value
	}
	return v.text(value)
}

// text replaces a value that is a recorded one, or the path segments of a URL
// that are.
func (v *invented) text(value string) string {
	if live, ok := v.live[value]; ok {
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
	changed := false
	for i, segment := range segments {
		if live, ok := v.live[segment]; ok && url.PathEscape(live) == live {
			segments[i], changed = live, true
		}
	}
	if !changed {
		return value
	}
	return strings.Join(segments, "/") + rest
}
