package audit

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tapedeck/cassettes/foreign"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// A run redacts one document, in memory.
type run struct {
	auditor *Auditor
	file    string
	src     []byte
	doc     *foreign.Document
	rules   *redact.Rules
	vault   *redact.Vault
	units   []unit
	// problems are what could not be replaced, by rule and place.
	problems []Finding

	// sources is which rule found what; nil until the document is redacted.
	sources map[string]string
	// leaky are the interactions whose URL holds something that only gitleaks knows.
	leaky map[*foreign.Interaction]bool
}

// A unit is what is redacted together: one part, or the parameters that stand together.
type unit struct {
	in    *foreign.Interaction // nil outside of one
	scope redact.Scope
	parts []*foreign.Part
}

func newRun(a *Auditor, file string, src []byte, doc *foreign.Document, rules *redact.Rules) *run {
	r := &run{auditor: a, file: file, src: src, doc: doc, rules: rules, vault: redact.NewVault(rules), leaky: make(map[*foreign.Interaction]bool)}
	r.vault.Reserve(src)
	for _, in := range doc.Interactions {
		r.add(in, in.Parts)
	}
	r.add(nil, doc.Rest)
	return r
}

func (r *run) add(in *foreign.Interaction, parts []*foreign.Part) {
	s := scopeOf(in)
	groups := make(map[int]int) // group → unit
	for _, p := range parts {
		if p.Kind == foreign.Query || p.Kind == foreign.Form {
			if i, ok := groups[p.Group]; ok {
				r.units[i].parts = append(r.units[i].parts, p)
				continue
			}
			groups[p.Group] = len(r.units)
		}
		r.units = append(r.units, unit{in: in, scope: s, parts: []*foreign.Part{p}})
	}
}

// scopeOf is what rules know a request by.
func scopeOf(in *foreign.Interaction) redact.Scope {
	if in == nil {
		return redact.Scope{}
	}
	s := redact.Scope{Method: in.Method()}
	rest := in.URL()
	if _, after, ok := strings.Cut(rest, "://"); ok {
		rest = after
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			s.Host, rest = rest[:i], rest[i:]
		} else {
			s.Host, rest = rest, ""
		}
		s.Host = s.Host[strings.LastIndexByte(s.Host, '@')+1:]
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	s.Path = rest
	return s
}

// maxRounds bounds how often a document is gone through again because something was
// learned at its end.
const maxRounds = 8

// redact replaces every secret that the rules find, everywhere in the document.
func (r *run) redact() {
	for range maxRounds {
		before, changed := r.vault.Learned(), false
		for i := range r.units {
			if r.unit(&r.units[i]) {
				changed = true
			}
		}
		if !changed && r.vault.Learned() == before {
			break
		}
	}
	r.check()
	r.sources = r.vault.Sources()
}

// unit redacts one unit and reports whether it has changed.
func (r *run) unit(u *unit) (changed bool) {
	r.clean(r.vault, u, (*foreign.Part).Text, func(p *foreign.Part, text string, err error) {
		if err != nil {
			r.refuse(u, p, err)
		} else if text != p.Text() {
			p.Set(text)
			changed = true
		}
	})
	return changed
}

// clean gives the redacted texts of a unit's parts, those that did not change perhaps
// left out. get says what a part's text is before.
func (r *run) clean(v *redact.Vault, u *unit, get func(*foreign.Part) string, set func(*foreign.Part, string, error)) {
	first := u.parts[0]
	dir := direction(first)
	header := func(name, value string) (string, error) {
		h, err := v.Header(u.scope, dir, http.Header{name: {value}})
		if err != nil {
			return value, err
		}
		return h[name][0], nil
	}
	switch first.Kind {
	case foreign.URL:
		text, err := v.URL(u.scope, dir, get(first))
		set(first, text, err)
	case foreign.Header:
		text, err := header(first.Name, get(first))
		set(first, text, err)
	case foreign.Cookie:
		name, start := "Cookie", first.Name+"="
		if dir == redact.InResponse {
			name = "Set-Cookie"
		}
		text, err := header(name, start+get(first))
		if after, ok := strings.CutPrefix(text, start); ok || err != nil {
			set(first, after, err)
		}
	case foreign.Body:
		if first.Opaque() != nil || first.BodyFile != "" {
			return
		}
		text, err := v.Body(u.scope, dir, u.in.ContentType(first.Direction), []byte(get(first)))
		set(first, string(text), err)
	case foreign.Comment:
		text, err := v.Body(u.scope, dir, "text/plain", []byte(get(first)))
		set(first, string(text), err)
	default:
		r.parameters(v, u, get, set)
	}
}

func direction(p *foreign.Part) redact.Direction {
	if p.Direction == foreign.Response {
		return redact.InResponse
	}
	return redact.InRequest
}

const formType = "application/x-www-form-urlencoded"

// parameters redacts named values as the form or query that they make together.
func (r *run) parameters(v *redact.Vault, u *unit, get func(*foreign.Part) string, set func(*foreign.Part, string, error)) {
	var fields []string
	for _, p := range u.parts {
		fields = append(fields, url.QueryEscape(p.Name)+"="+url.QueryEscape(get(p)))
	}
	joined := strings.Join(fields, "&")
	dir := direction(u.parts[0])
	var out string
	var err error
	if u.parts[0].Kind == foreign.Query {
		out, err = v.URL(u.scope, dir, "?"+joined)
		out = strings.TrimPrefix(out, "?")
	} else {
		var clean []byte
		clean, err = v.Body(u.scope, dir, formType, []byte(joined))
		out = string(clean)
	}
	if err != nil {
		set(u.parts[0], "", err)
		return
	}
	if fields = strings.Split(out, "&"); out == joined || len(fields) != len(u.parts) {
		return // the gate finds what is left
	}
	for i, p := range u.parts {
		_, value, _ := strings.Cut(fields[i], "=")
		if text, err := url.QueryUnescape(value); err == nil {
			set(p, text, nil)
		}
	}
}

// check is the last gate: every text is searched for what is known to be secret, in
// every encoding, and so is the rest of the file.
func (r *run) check() {
	for i := range r.units {
		u := &r.units[i]
		for _, p := range u.parts {
			if p.Opaque() != nil {
				r.problems = append(r.problems, r.finding(u, p, 0, placeOf(p), unreadableRule, "a body that cannot be looked into: "+p.Opaque().Error()))
				continue
			}
			if p.BodyFile != "" {
				r.bodyFile(u, p)
				continue
			}
			if err := r.vault.Check(string(placeOf(p)), []byte(p.Text())); err != nil {
				r.refuse(u, p, err)
			}
		}
	}
}

// unreadableRule is the rule of what cannot be looked into.
const unreadableRule = "content-encoding"

// bodyFile looks into a body that tapedeck stored beside the cassette.
func (r *run) bodyFile(u *unit, p *foreign.Part) {
	folder := strings.TrimSuffix(r.file, ".yaml") + ".bodies"
	name := filepath.Base(p.BodyFile)
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		r.problems = append(r.problems, r.finding(u, p, 0, "body", unreadableRule, "its body file cannot be read"))
		return
	}
	clean, err := r.vault.Body(u.scope, direction(p), u.in.ContentType(p.Direction), data)
	if err != nil {
		r.refuse(u, p, err)
		return
	}
	if string(clean) == string(data) {
		return
	}
	for _, h := range hitsIn(r.vault.Sources(), u.in.ContentType(p.Direction), string(data), string(clean)) {
		r.problems = append(r.problems, r.finding(u, p, 0, h.place, h.rule, r.auditor.reasons[h.rule]+"; it stands in the body file "+name))
	}
}

// refuse notes what could not be replaced.
func (r *run) refuse(u *unit, p *foreign.Part, err error) {
	rule, why := "redaction", "it could not be redacted"
	if refusal, ok := err.(*redact.Refusal); ok {
		rule, why = refusal.Rule, refusal.Reason
	}
	f := r.finding(u, p, 0, placeOf(p), rule, why)
	if !slices.Contains(r.problems, f) {
		r.problems = append(r.problems, f)
	}
}

// finding fills in where a part is. offset counts in its original text.
func (r *run) finding(u *unit, p *foreign.Part, offset int, place leaves.Place, rule, why string) Finding {
	f := Finding{File: r.file, Line: p.LineAt(offset), Place: string(place), Rule: rule, Source: fromTapedeck, Why: why}
	switch {
	case p.Kind == foreign.Comment:
	case u.in != nil:
		f.Place = p.Direction.String() + " " + f.Place
	}
	if u.in != nil {
		f.Interaction, f.of = u.in.ID, u.in
	}
	return f
}

// finish fills in what can be said only at the end, when everything secret is known:
// requests and places are shown clean.
func (r *run) finish(list []Finding) {
	shown := make(map[*foreign.Interaction]string)
	for i := range list {
		f := &list[i]
		if f.Place = r.show(f.Place); f.Place == "" {
			f.Place = "a place whose name is secret"
		}
		if f.Rule == redact.UnknownRule {
			f.Why = r.show(f.Why) // it holds a name and a host
		}
		if f.of == nil {
			continue
		}
		request, ok := shown[f.of]
		if !ok {
			request = f.of.Method()
			if u := r.show(bareURL(f.of.URL())); u != "" && !r.leaky[f.of] {
				request += " " + u
			}
			shown[f.of] = request
		}
		f.Request, f.of = request, nil
	}
}

// show returns text as it may be printed, "" when it may not.
func (r *run) show(s string) string {
	if v := r.auditor.cfg.Values; v != nil && len(v.search(s, maxUnfolded)) > 0 {
		return ""
	}
	return r.vault.Text(s)
}

// bareURL is a URL without query, fragment and user-info.
func bareURL(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	host, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	return scheme + "://" + host[strings.LastIndexByte(host, '@')+1:] + path
}

// placeOf is the place of a whole part, in the grammar that rules have.
func placeOf(p *foreign.Part) leaves.Place {
	switch p.Kind {
	case foreign.URL:
		return "url"
	case foreign.Header:
		return leaves.Place("header").Member(strings.ToLower(p.Name))
	case foreign.Cookie:
		if p.Direction == foreign.Response {
			return "header.set-cookie"
		}
		return "header.cookie"
	case foreign.Query:
		return leaves.Place("query").Member(p.Name)
	case foreign.Form:
		return leaves.Place("body").Member(p.Name)
	case foreign.Body:
		return "body"
	case foreign.Comment:
		return "comment"
	}
	if p.Name == "" {
		return "text"
	}
	return leaves.Place("text").Member(p.Name)
}
