package redact

import "strings"

// Check searches final bytes for every learned value and value rule in every
// encoding, and returns a Refusal on the first hit. Value rules that the
// configuration limits to some requests or places are left to CheckIn.
func (v *Vault) Check(place string, b []byte) error { return v.check(nil, place, b) }

// CheckIn is Check for a part of the request s or of its answer. place names the part
// as Refusals do: "request URL", "response headers", "request body" and so on.
func (v *Vault) CheckIn(s Scope, place string, b []byte) error {
	return v.check(&checked{target: v.scoped(s).target, in: partOf(place)}, place, b)
}

func (v *Vault) check(at *checked, place string, b []byte) error {
	s := string(b)
	var list []Placeholder
	if strings.Contains(s, word) {
		list = wordPlaceholders(s)
	}
	var refusal *Refusal
	gaps(s, list, func(start, end int) {
		if refusal == nil {
			refusal = v.checkGap(at, place, s, start, end)
		}
		if refusal == nil {
			refusal = v.checkWrapped(place, s[start:end])
		}
	})
	if refusal == nil {
		return nil
	}
	return refusal
}

func (v *Vault) checkGap(at *checked, place, s string, start, end int) (refusal *Refusal) {
	gap := s[start:end]
	v.mu.RLock()
	defer v.mu.RUnlock()
	v.index.scan(gap, func(i int, p pattern) bool {
		refusal = &Refusal{Rule: p.secret.rule, Place: place, Reason: spellingReason[p.spelling]}
		return false
	})
	if refusal != nil {
		return refusal
	}
	for _, h := range v.rules.search(gap) {
		one := h.rule
		switch {
		case (one.in != anywhere || one.On != "") && !at.covers(one, s, start+h.start):
		case v.keeps[gap[h.start:h.end]]:
		case one.shape == shapeCard && (bareNumber(s, start+h.start, start+h.end) || beginsInEscape(s, start+h.start, h.digits)):
		default:
			return &Refusal{Rule: one.ID, Place: place, Reason: "a value that the rule calls secret stands where it could not be replaced"}
		}
	}
	return nil
}

var spellingReason = map[spelling]string{
	asText:   "a secret that was seen elsewhere stands where it could not be replaced",
	asBase64: "a secret that was seen elsewhere stands in base64 text that could not be replaced",
	asHex:    "a secret that was seen elsewhere stands in hexadecimal text that could not be replaced",
}

// beginsInEscape reports that the first two digits of a card-like run are those
// of a percent escape ("%2245…" is a quote and 45…), and that the rest is no card.
func beginsInEscape(s string, start int, digits string) bool {
	return start > 0 && s[start-1] == '%' && len(digits) > 2 && !secretCard(digits[2:])
}

// bareNumber reports whether s[start:end] stands as a number of JSON or YAML
// does, or is all there is: numbers are never replaced, and an id may look like a
// card by chance. Groups of digits are no number.
func bareNumber(s string, start, end int) bool {
	if strings.Trim(s[start:end], "0123456789") != "" {
		return false
	}
	before, after := strings.TrimRight(s[:start], " "), strings.TrimLeft(s[end:], " ")
	if before == "" {
		return after == ""
	}
	return strings.ContainsRune(":,[\n", rune(before[len(before)-1])) &&
		(after == "" || strings.ContainsRune(",]}\n\r", rune(after[0])))
}
