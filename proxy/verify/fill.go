package verify

import (
	"strings"

	"tapedeck/cassettes/redact"
)

// A filler says what is sent for each value of one recorded request.
type filler struct {
	flow  *flow
	known *credentials
	fresh *fresh
	// expect says, while a run is planned, whether the answer at a position will be
	// there; nil when requests are sent.
	expect func(position int) bool
	// missing says why the answer at a position is not there.
	missing func(position int) *Lack
	at      aging
	host    string
}

// fill is the live value of a part. The error is a *Lack.
func (f *filler) fill(p part) (string, error) {
	if isIdempotencyKey(p) {
		return f.fresh.of(p.text), nil
	}
	found := redact.Placeholders(p.text)
	if len(found) == 0 {
		text, err := f.value(p)
		if err == nil && text == p.text {
			text = f.at.move(p)
		}
		return text, err
	}
	if whole, ok := f.flow.whole[p.text]; ok && !p.basic {
		return whole, nil
	}
	return f.placeholders(p, found)
}

// value puts live ids and cursors into a text that holds no placeholder.
func (f *filler) value(p part) (string, error) {
	keys := []key{key("value " + p.text)}
	if p.thing != "" {
		keys = append(keys, key("number "+p.thing+" "+p.text))
	}
	for _, k := range keys {
		if now, known, err := f.look(p, k, p.text); known || err != nil {
			return now, err
		}
	}
	if len(p.text) > maxWords {
		return p.text, nil
	}
	var b strings.Builder
	last := 0
	for start, end := range wordsOf(p.text) {
		word := p.text[start:end]
		if !isGenerated(word) {
			continue
		}
		now, known, err := f.look(p, key("value "+word), word)
		if err != nil {
			return "", err
		}
		if known {
			b.WriteString(p.text[last:start])
			b.WriteString(now)
			last = end
		}
	}
	b.WriteString(p.text[last:])
	return b.String(), nil
}

// look finds what stands for a value now. known is false for one that no answer gave.
func (f *filler) look(p part, k key, recorded string) (now string, known bool, err error) {
	if now, ok := f.flow.live[k]; ok {
		return now, true, nil
	}
	from, ok := f.flow.issued[k]
	if !ok {
		return recorded, false, nil
	}
	if f.expect != nil && f.expect(from.position) {
		return recorded, true, nil
	}
	return "", false, f.lack(p, from)
}

func (f *filler) lack(p part, from issue) *Lack {
	lack := f.missing(from.position)
	lack.Place = p.place
	return lack
}

// placeholders puts secrets in the place of placeholders, and live ids into the text
// around them.
func (f *filler) placeholders(p part, found []redact.Placeholder) (string, error) {
	var b strings.Builder
	last := 0
	for _, ph := range found {
		before := p.text[last:ph.Start]
		secret, cut, err := f.secret(p, ph, before)
		if err != nil {
			return "", err
		}
		between, err := f.value(part{place: p.place, name: p.name, text: before[:len(before)-cut]})
		if err != nil {
			return "", err
		}
		b.WriteString(between)
		b.WriteString(secret)
		last = ph.End
	}
	rest, err := f.value(part{place: p.place, name: p.name, text: p.text[last:]})
	if err != nil {
		return "", err
	}
	return b.String() + rest, nil
}

// secret is the live value of a placeholder. cut is how much of the text before it is
// a part of that value too: a placeholder leaves prefixes such as sk_test_ readable.
func (f *filler) secret(p part, ph redact.Placeholder, before string) (value string, cut int, err error) {
	if value, ok := f.flow.live[secretKey(ph.ID)]; ok {
		return value, 0, nil
	}
	if value, ok := f.known.value(ph, f.host); ok {
		if p.basic {
			pair, lack := f.known.pair(p, ph, value, before)
			if lack != nil {
				return "", 0, lack
			}
			return pair, 0, nil
		}
		return value, f.known.prefix(value, before), nil
	}
	if from, ok := f.flow.issued[secretKey(ph.ID)]; ok {
		if f.expect != nil && f.expect(from.position) {
			return "expected", 0, nil
		}
		lack := f.lack(p, from)
		if lack.Cure != "" {
			lack.Cure += ", or name the variable that holds the value with --secret " + ph.ID + "=VARIABLE"
		}
		return "", 0, lack
	}
	if isComputed(p.name) {
		return "", 0, &Lack{Place: p.place, Reason: "it is computed for each request, and only the program can do that", Cure: "leave such requests out with --only"}
	}
	return "", 0, f.known.lack(p, ph)
}

// isComputed tells the fields whose value a client makes from a secret and the request.
func isComputed(name string) bool {
	switch foldName.Replace(strings.ToLower(name)) {
	case "xamzsignature", "xamzcredential", "xamzsecuritytoken", "xgoogsignature", "xgoogcredential", "signature", "sig", "hmac", "clientassertion", "codeverifier":
		return true
	}
	return false
}

var foldName = strings.NewReplacer("-", "", "_", "", ".", "")
