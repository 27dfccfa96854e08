package redact

import (
	"strings"

	"tapedeck/cassettes/leaves"
)

// Body returns the redacted form of a body whose Content-Encoding has been removed.
// All bytes that are not secret stay as they are.
func (v *Vault) Body(s Scope, d Direction, contentType string, body []byte) ([]byte, error) {
	return v.body(v.pass(s, d), contentType, body)
}

// Sweep replaces every learned value in text that is already redacted: what
// was learned after it was written. It reports whether anything changed.
func (v *Vault) Sweep(contentType string, b []byte) ([]byte, bool, error) {
	out, err := v.body(&pass{v: v, byValue: true}, contentType, b)
	return out, err == nil && string(out) != string(b), err
}

func (v *Vault) body(p *pass, contentType string, body []byte) ([]byte, error) {
	if len(body) == 0 {
		return body, nil
	}
	before := string(body)
	if leaves.FormatOf(contentType, body) == leaves.Form {
		if whole := p.wholeFirst("body", inBody, before); whole != before {
			clean, err := v.body(p, contentType, []byte(whole))
			return clean, err
		}
	}
	if text, w, ok := wideText(before); ok {
		clean, err := v.body(p, contentType, []byte(text))
		if err != nil {
			return body, err
		}
		if string(clean) != text {
			return []byte(w.write(string(clean))), nil
		}
		// Nothing was found; it may be bytes that only look like UTF-16.
	}
	var after string
	if wireOf(contentType) == wireNone && !v.thorough {
		after = p.settled(contentType, before)
	} else {
		var err error
		if after, err = v.settle(before, func(s string) (string, error) { return p.framed(contentType, s) }); err != nil {
			return nil, err
		}
	}
	if after == before {
		return body, nil
	}
	return []byte(after), nil
}

// body redacts a body without frames, in one round.
func (p *pass) body(contentType, s string) string {
	o := outlines.Get().(*leaves.Outline)
	defer recycle(o)
	if !p.outline(o, contentType, s) {
		return p.plain("body", s)
	}
	return p.outlined(s, o, inBody)
}

// leaf redacts one leaf. Null, booleans and empty values have nothing to hide;
// a number only when it is a card's.
func (p *pass) leaf(around *siblings, leaf *leaves.Leaf, in places) (clean string, changed bool) {
	value := leaf.Value
	switch leaf.Kind {
	case leaves.String, leaves.Raw, leaves.Blob:
	case leaves.Number:
		return p.number(around, leaf, in)
	default:
		return value, false
	}
	if value == "" {
		return value, false
	}
	r := p.rule(around, leaf, in)
	switch {
	case r == nil:
	case r.reading == readPersonal:
		clean = p.personal(r, leaf.Place, value)
		return clean, clean != value
	case r.reading == readCard:
		if digits, ok := r.cardIn(value); ok {
			clean = likeCard(value, p.v.card(digits, r.ID))
			return clean, clean != value
		}
	case leaf.Kind == leaves.Blob && len(value) > maxFileSecret:
	case r.reading == readCredentials:
		clean = p.credentials(r, leaf.Place, value)
		return clean, clean != value
	case r.reading == readSetCookie && strings.Contains(value, "="):
		clean = p.setCookie(r, leaf.Place, in, value)
		return clean, clean != value
	case r.reading == readSetCookie: // a word about cookies
	default:
		clean = p.secret(r, leaf.Place, value)
		return clean, clean != value
	}
	if leaf.Kind == leaves.Blob {
		clean = p.plain(leaf.Place, value)
	} else {
		clean = p.value(leaf.Place, in, value)
	}
	return clean, clean != value
}

// maxFileSecret is the largest file that can be a secret as a whole, in bytes; a
// larger one under a secret name is searched like any file.
const maxFileSecret = 4 << 10

// number redacts a JSON number: only a card's, by another card's, as the type must
// stay.
func (p *pass) number(around *siblings, leaf *leaves.Leaf, in places) (clean string, changed bool) {
	if p.v.rules.email != nil {
		if clean, changed = p.personalNumber(around, leaf, in); changed {
			return clean, true
		}
	}
	if len(leaf.Value) < 12 || len(leaf.Value) > 19 {
		return leaf.Value, false
	}
	id, known := p.v.knownCard(leaf.Value)
	if !known {
		r := p.rule(around, leaf, in)
		if r == nil || r.reading != readCard {
			return leaf.Value, false
		}
		digits, ok := r.cardIn(leaf.Value)
		if !ok {
			return leaf.Value, false
		}
		id = p.v.card(digits, r.ID)
	}
	if !IsCard(id) {
		return leaf.Value, false // the pool is used up; Check refuses the number
	}
	return id, true
}

// cardIn returns the digits of a card number that stands under a card's name. Any
// issuer will do, unless the name is as common as "number".
func (r *rule) cardIn(value string) (digits string, ok bool) {
	digits, ok = cardDigits(value)
	if !ok || !luhn(digits) || pooled[digits] || publishedCard(digits) || strings.Trim(digits, "0") == "" {
		return "", false
	}
	return digits, r.Name != "number" || cardBrand(digits) != ""
}

// rule returns the name rule in force for a leaf, or nil.
func (p *pass) rule(around *siblings, leaf *leaves.Leaf, in places) *rule {
	if !p.names {
		return nil
	}
	r := p.v.rules.named(leaf.Name, in, p.target)
	if r == nil {
		r = p.conditionally(around, leaf, in)
	}
	if r == nil {
		r = p.labelled(around, leaf, in)
	}
	if r == nil || len(p.keeps) > 0 && p.kept(r.ID, p.place(leaf.Place)) {
		return nil
	}
	if r.reading == readCode && !p.isCode(around, leaf, in) {
		return nil
	}
	if r.Name == "token" && !strong(leaf.Value) && around.of(leaf.Place)&besideScore != 0 {
		return nil // a piece of text, as models and search engines count them
	}
	if p.dir == InResponse && strings.Contains(leaf.Value, " ") && aboutAFault(leaf.Place) {
		return nil // {"errors":{"password":["is too short"]}}
	}
	return r
}

// aboutAFault reports whether a place stands below a member that holds messages.
func aboutAFault(place leaves.Place) bool {
	s := strings.ToLower(string(place))
	return strings.Contains(s, "errors.") || strings.Contains(s, "error_messages.") || strings.Contains(s, "errormessages.")
}

// isCode reports whether a member called code is an authorization code: in the
// path of an OAuth exchange, or beside the other members of one. An answer's code is
// more often a word ("invalid_grant"), so there it must be random.
func (p *pass) isCode(around *siblings, leaf *leaves.Leaf, in places) bool {
	if p.dir == InResponse && in == inBody && !strong(leaf.Value) && !strings.HasPrefix(leaf.Value, word) {
		return false
	}
	if p.oauth {
		return true
	}
	beside := around.of(leaf.Place)
	return beside&besideGrant != 0 || in == inQuery && beside&besideState != 0
}

// beside says what stands in the same object as a leaf.
type beside uint8

const (
	besideGrant  beside = 1 << iota // the members of an OAuth exchange
	besideState                     // in a query, of the redirect that brings the code
	besideScore                     // what makes a token a piece of text
	besidePerson                    // of a person: see besidePersonal
	besideStreet
	besideName
)

var besideNames = map[string]beside{
	"granttype": besideGrant, "redirecturi": besideGrant, "clientid": besideGrant, "state": besideState,
	"logprob": besideScore, "startoffset": besideScore,
}

// siblings knows what stands beside each of a text's leaves. It is read once, when
// the first leaf asks.
type siblings struct {
	list     []leaves.Leaf
	outline  *leaves.Outline // instead of the list
	byParent map[string]beside
	byLabel  map[string]*rule
}

func (around *siblings) of(place leaves.Place) beside {
	if around.byParent == nil {
		around.byParent = make(map[string]beside)
		add := func(name string, place func() leaves.Place) {
			name = fold(name)
			if one := besideNames[name] | besidePersonal(name); one != 0 {
				around.byParent[parentOf(place())] |= one
			}
		}
		for i := range around.list {
			add(around.list[i].Name, func() leaves.Place { return around.list[i].Place })
		}
		if o := around.outline; o != nil {
			for i := range o.Len() {
				add(o.Name(i), func() leaves.Place { return o.Place(i) })
			}
		}
	}
	return around.byParent[parentOf(place)]
}

func parentOf(place leaves.Place) string {
	s := string(place)
	if i := strings.LastIndexAny(s, ".["); i >= 0 {
		return s[:i]
	}
	return s
}

// oauthPath reports whether a path is one of an OAuth exchange.
func oauthPath(path string) bool {
	if !strings.ContainsAny(path, "oO") {
		return false // each of the words below has one
	}
	for _, segment := range strings.Split(strings.ToLower(path), "/") {
		if strings.Contains(segment, "oauth") || segment == "token" || segment == "authorize" || segment == "authorization" {
			return true
		}
	}
	return false
}

// plain redacts a text or binary without structure that is known.
func (p *pass) plain(place leaves.Place, s string) string {
	if !p.fixed && isBinary(s) {
		return p.binary(place, s)
	}
	s = p.wholeFirst(place, inBody, s)
	if p.names {
		s = p.pairs(place, s)
	}
	if mayHoldURL(s) && p.depth < maxDepth {
		s = p.urls(place, s)
	}
	for range maxRounds {
		learned := p.v.Learned()
		if p.noText.is(string(place), s, learned) && !p.v.thorough {
			break
		}
		out := p.textOnce(place, inBody, s)
		if out == s {
			p.noText = quietText{string(place), s, learned}
			break
		}
		s = out
	}
	return s
}
