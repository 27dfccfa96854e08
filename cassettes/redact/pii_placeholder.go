package redact

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A form is how a placeholder is written where REDACTED-0001 would break the format
// that programs expect. The identity is the same number in all of them.
type form uint8

const (
	formPlain form = iota
	formName       // Redacted-0001: names of people and address lines
	formHost       // redacted-0001: a label of a host name, or a part of one
	formEmail      // redacted-0001@example.com
	formPhone      // +19075550123, in the groups that the number had
	formIPv4       // 198.19.0.1
	formIPv6       // 2001:db8:edac:7ed::1
)

// formWriters is every form: what its placeholders hold, and how they are found
// around that and written. hint is searched for first, as most texts hold none.
var formWriters = []struct {
	form form
	hint string
	// at reads the placeholder around the hint at i, which starts at floor or later.
	at func(s string, floor, i int) (Placeholder, bool)
}{
	{formName, "edacted-", wordFormAt}, // formHost and formEmail too
	{formPhone, "555", phoneAt},
	{formIPv4, ipv4Start, ipv4At},
	{formIPv6, ipv6Start, ipv6At},
}

// formPlaceholders finds the placeholders in s that are written in a form, in order.
func formPlaceholders(s string) []Placeholder {
	var all []Placeholder
	for i := range formWriters {
		w := &formWriters[i]
		var out []Placeholder
		for from := 0; ; {
			at := strings.Index(s[from:], w.hint)
			if at < 0 {
				break
			}
			at += from
			floor := 0
			if len(out) > 0 {
				floor = out[len(out)-1].End
			}
			ph, ok := w.at(s, floor, at)
			if !ok {
				from = at + 1
				continue
			}
			out = append(out, ph)
			from = ph.End
		}
		all = merged(all, out)
	}
	return all
}

// HoldsPersonal reports whether a placeholder for personal data stands in clean text.
func HoldsPersonal(s string) bool {
	return slices.ContainsFunc(formPlaceholders(s), func(ph Placeholder) bool { return ph.form != formHost })
}

// merged joins two lists of placeholders, each in order. Where two overlap, the first
// one counts.
func merged(a, b []Placeholder) []Placeholder {
	if len(a) == 0 || len(b) == 0 {
		return append(a, b...)
	}
	out := append(slices.Clone(a), b...)
	slices.SortStableFunc(out, func(a, b Placeholder) int { return a.Start - b.Start })
	n := 1
	for _, ph := range out[1:] {
		if ph.Start >= out[n-1].End {
			out[n] = ph
			n++
		}
	}
	return out[:n]
}

// write is the placeholder of number n. like is the text that it stands for, or
// another placeholder of this form: its groups stay. A number that the form has
// no room for is written plainly.
func (f form) write(n int, like string) string {
	number := shortNumber(Number(n))
	switch f {
	case formName:
		return "Redacted-" + number
	case formHost:
		return "redacted-" + strings.ToLower(number)
	case formEmail:
		at := "@"
		for _, escaped := range emailSigns[1:] {
			if len(escaped) > 1 && containsFold(like, escaped) {
				at = escaped
			}
		}
		return "redacted-" + strings.ToLower(number) + at + emailDomain
	case formPhone:
		if n/100 < len(phoneAreas) {
			return likePhone(like, phoneAreas[n/100]+"55501"+fmt.Sprintf("%02d", n%100))
		}
	case formIPv4:
		if n < 1<<16 {
			return ipv4Start + strconv.Itoa(n>>8) + "." + strconv.Itoa(n&255)
		}
	case formIPv6:
		return ipv6Number(n)
	}
	return word + "-" + number
}

// renumbered is the placeholder, which stands in s, with another identity.
func (ph Placeholder) renumbered(s, id string) string {
	n, ok := ParseNumber(id)
	if !ok {
		return id // a card's
	}
	if ph.idEnd > 0 {
		return s[ph.Start:ph.idStart] + ph.cased(ph.number(s, id)) + s[ph.idEnd:ph.End]
	}
	return ph.form.write(n, s[ph.Start:ph.End])
}

// emailDomain is reserved for examples (RFC 2606): no mail ever reaches anybody.
const emailDomain = "example.com"

// emailSigns are the ways to write the @ of an address in a text.
var emailSigns = []string{"@", "%40", `\u0040`, "&#64;", "&#x40;"}

// wordFormAt reads Redacted-0001, redacted-0001 or redacted-0001@example.com around
// the "edacted-" at i.
func wordFormAt(s string, floor, i int) (Placeholder, bool) {
	if i == floor && floor > 0 || i == 0 || s[i-1]|0x20 != 'r' {
		return Placeholder{}, false
	}
	from := i + len("edacted-")
	end, id := numberAtFold(s, from)
	if end == 0 {
		return Placeholder{}, false
	}
	ph := Placeholder{Start: i - 1, End: end, ID: id, idStart: from, idEnd: end, form: formName}
	if s[i-1] == 'R' {
		return ph, true
	}
	ph.form = formHost
	for _, sign := range emailSigns {
		if rest := s[end:]; hasPrefixFold(rest, sign) && hasPrefixFold(rest[len(sign):], emailDomain) {
			ph.form, ph.End = formEmail, end+len(sign)+len(emailDomain)
			break
		}
	}
	return ph, true
}

// numberAtFold is numberAt for a number whose letter may be small, as in host
// names. It returns the identity too.
func numberAtFold(s string, i int) (end int, id string) {
	if i < len(s) && s[i] == 'a' {
		if id, end = numberAt("A"+s[i+1:min(len(s), i+1+maxNumber)], 0); end == 0 {
			return 0, ""
		}
		return i + end, id
	}
	id, end = numberAt(s, i)
	return end, id
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// The numbers 555-0100 to 555-0199 are kept for fiction in every area of North America
// (https://nationalnanpa.com/number_resource_info/555_numbers.html). These areas are
// real, so that validators accept them, and seldom seen in test data: a number that
// a program made up itself should not be taken for a placeholder.
var phoneAreas = strings.Fields(`907 808 671 670 684 340 787 939 307 701 605 406 802 207 603 401 302 304 208 505
	575 775 402 308 531 785 316 620 405 918 580 479 501 870 601 662 228 318 225 337 985 251 256 334 205 850 352 386
	772 863 912 478 706 762 229 803 843 864 828 252 336 540 276 434 606 270 859 502 423 865 731 931 901 260 574 765
	812 217 309 618 815 563 641 712 319 515 507 218 320 920 715 608 906 231 989 810 517 269 419 567 740 937 814 570`)

var phoneArea = func() map[string]int {
	set := make(map[string]int, len(phoneAreas))
	for i, area := range phoneAreas {
		set[area] = i
	}
	return set
}()

// phoneAt reads (AAA) 555-01NN around the 555 at i, with the country's +1 before it if
// there is one, in whatever groups.
func phoneAt(s string, floor, i int) (Placeholder, bool) {
	end := i + 3
	last := make([]byte, 0, 4)
	for len(last) < 4 {
		end += phoneSeparator(s[end:])
		if end >= len(s) || !isDigit(s[end]) {
			return Placeholder{}, false
		}
		last = append(last, s[end])
		end++
	}
	if last[0] != '0' || last[1] != '1' || end < len(s) && isDigit(s[end]) {
		return Placeholder{}, false
	}
	start := i
	area := make([]byte, 3)
	for k := 2; k >= 0; k-- {
		start -= phoneSeparatorBefore(s[floor:start])
		if start <= floor || !isDigit(s[start-1]) {
			return Placeholder{}, false
		}
		start--
		area[k] = s[start]
	}
	index, ok := phoneArea[string(area)]
	n := index*100 + int(last[2]-'0')*10 + int(last[3]-'0')
	if !ok || n == 0 {
		return Placeholder{}, false
	}
	// The country, if there is one, and the bracket or sign that opens the number.
	open := start - phoneSeparatorBefore(s[floor:start])
	if open > floor && s[open-1] == '1' && boundary(s[floor:], open-1-floor) {
		start = open - 1
	} else if start > floor && !boundary(s[floor:], start-floor) {
		return Placeholder{}, false
	}
	for _, sign := range []string{"(", "%28", "+", "%2B", "%2b"} {
		if strings.HasSuffix(s[floor:start], sign) {
			start -= len(sign)
			break
		}
	}
	return Placeholder{Start: start, End: end, ID: Number(n), form: formPhone}, true
}

// phoneSeparators are what stands between the groups of a number, in texts and URLs.
var phoneSeparators = []string{" ", "-", ".", "(", ")", "/", "+", "%20", "%28", "%29", "%2F", "%2f", "%2B", "%2b"}

// phoneSeparator is the length of the separators, two at most, that s starts with;
// phoneSeparatorBefore of those that it ends with.
func phoneSeparator(s string) (n int) {
	for range 2 {
		for _, one := range phoneSeparators {
			if strings.HasPrefix(s[n:], one) {
				n += len(one)
				break
			}
		}
	}
	return n
}

func phoneSeparatorBefore(s string) (n int) {
	for range 2 {
		for _, one := range phoneSeparators {
			if strings.HasSuffix(s[:len(s)-n], one) {
				n += len(one)
				break
			}
		}
	}
	return n
}

// likePhone writes a number of ten digits as an earlier one was written. One of another
// country has groups that it does not fit.
func likePhone(written, digits string) string {
	old := phoneDigits(written)
	switch {
	case len(old) == 10 && !strings.Contains(written, "+"):
	case len(old) == 11 && old[0] == '1':
		digits = "1" + digits
	case strings.Trim(written, "+0123456789") == "":
		return "+1" + digits
	default:
		return "+1 " + digits[:3] + "-" + digits[3:6] + "-" + digits[6:]
	}
	var b strings.Builder
	rest := digits
	for i := 0; i < len(written); i++ {
		switch {
		case written[i] == '%' && i+2 < len(written) && isHex(written[i+1]) && isHex(written[i+2]):
			b.WriteString(written[i : i+3])
			i += 2
		case isDigit(written[i]):
			b.WriteByte(rest[0])
			rest = rest[1:]
		default:
			b.WriteByte(written[i])
		}
	}
	if list := formPlaceholders(b.String()); len(list) == 1 && list[0].Start == 0 && list[0].End == b.Len() {
		return b.String()
	}
	return "+1" + digits[len(digits)-10:]
}

// phoneDigits are the digits of a number, without those of percent escapes.
func phoneDigits(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			i += 2
		case isDigit(s[i]):
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// ipv4Start begins the upper half of 198.18.0.0/15, which is kept for measuring networks
// (RFC 2544) and, unlike 192.0.2.0/24, seldom stands in test data.
const ipv4Start = "198.19."

func ipv4At(s string, _, i int) (Placeholder, bool) {
	if i > 0 && (isDigit(s[i-1]) && !escapeBefore(s, i) || s[i-1] == '.') {
		return Placeholder{}, false
	}
	end := i
	for end < len(s) && end-i < len("198.19.255.255") && (isDigit(s[end]) || s[end] == '.') {
		end++
	}
	for end > i && s[end-1] == '.' {
		end-- // of a sentence
	}
	if end < len(s) && isDigit(s[end]) {
		return Placeholder{}, false
	}
	addr, err := netip.ParseAddr(s[i:end])
	if err != nil || !addr.Is4() {
		return Placeholder{}, false
	}
	b := addr.As4()
	n := int(b[2])<<8 | int(b[3])
	return Placeholder{Start: i, End: end, ID: Number(n), form: formIPv4}, n > 0
}

// escapeBefore reports that a percent escape ends at i.
func escapeBefore(s string, i int) bool {
	return i >= 3 && s[i-3] == '%' && isHex(s[i-2]) && isHex(s[i-1])
}

// ipv6Start begins a network in 2001:db8::/32, which is kept for documentation (RFC 3849).
const ipv6Start = "2001:db8:edac:7ed::"

func ipv6Number(n int) string {
	if n < 1<<16 {
		return ipv6Start + strconv.FormatInt(int64(n), 16)
	}
	return ipv6Start + strconv.FormatInt(int64(n>>16), 16) + ":" + strconv.FormatInt(int64(n&0xffff), 16)
}

func ipv6At(s string, _, i int) (Placeholder, bool) {
	end := i + len(ipv6Start)
	for end < len(s) && end-i < len(ipv6Start)+9 && (isHex(s[end]) || s[end] == ':') {
		end++
	}
	for end > i && s[end-1] == ':' {
		end--
	}
	if i > 0 && isAlnum(s[i-1]) && !escapeBefore(s, i) || end < len(s) && isHex(s[end]) {
		return Placeholder{}, false
	}
	addr, err := netip.ParseAddr(s[i:end])
	if err != nil {
		return Placeholder{}, false
	}
	b := addr.As16()
	n := int(b[12])<<24 | int(b[13])<<16 | int(b[14])<<8 | int(b[15])
	if ipv6Number(n) != s[i:end] || n == 0 || n > 99_999_999 {
		return Placeholder{}, false
	}
	return Placeholder{Start: i, End: end, ID: Number(n), form: formIPv6}, true
}
