package audit

import (
	"fmt"
	"net/http"

	"tapedeck/cassettes/foreign"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// suspects lists random-looking values under names that no rule knows, in what is left
// after redaction.
func (r *run) suspects() []Finding {
	watch := r.rules.Watch()
	type origin struct {
		u *unit
		p *foreign.Part
	}
	from := make(map[redact.Suspect]origin)
	for i := range r.units {
		u := &r.units[i]
		for _, p := range u.parts {
			if p.Opaque() != nil || !watchPart(watch, u, p) {
				continue
			}
			for _, s := range watch.List() {
				if _, ok := from[s]; !ok {
					from[s] = origin{u, p}
				}
			}
		}
	}
	var out []Finding
	for _, s := range watch.List() {
		at := from[s]
		offset := 0
		if at.p.Kind == foreign.Body {
			offset = offsetOf(at.u.in.ContentType(at.p.Direction), at.p.Original(), s.Place)
		}
		out = append(out, r.finding(at.u, at.p, offset, leaves.Place(s.Place), redact.UnknownRule,
			fmt.Sprintf("%d random-looking bytes (%s) under a name that no rule knows; redact.add: %s", s.Length, s.Kind, s.Rule)))
	}
	return out
}

// watchPart shows a part to the watch, as what it is.
func watchPart(w *redact.Watch, u *unit, p *foreign.Part) bool {
	switch p.Kind {
	case foreign.URL:
		w.URL(u.scope, p.Text())
	case foreign.Header:
		w.Header(u.scope, direction(p), http.Header{http.CanonicalHeaderKey(p.Name): {p.Text()}})
	case foreign.Body:
		w.Body(u.scope, direction(p), u.in.ContentType(p.Direction), []byte(p.Text()))
	default:
		return false // cookies are redacted, parameters stand in the URL or the body too
	}
	return true
}

// offsetOf is where the value at a place stands in a body, 0 if that is not known.
func offsetOf(contentType, body, place string) int {
	_, list, err := leaves.Body(contentType, []byte(body))
	if err != nil {
		return 0
	}
	for i := range list {
		if string(list[i].Place) == place {
			return list[i].Start
		}
	}
	return 0
}
