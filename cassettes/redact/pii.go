package redact

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
)

// Kinds of personal data: each has placeholders of its own format.
const (
	piiEmail   = "email"       // redacted-0001@example.com
	piiName    = "name"        // Redacted-0001
	piiPhone   = "phone"       // a number of fiction, in the groups that it had
	piiAddress = "address"     // a street and house: Redacted-0001
	piiPostal  = "postal-code" // the first half stays, as town and country do
	piiBirth   = "birth-date"  // the year stays
	piiID      = "id-number"   // Redacted-0001
	piiIP      = "ip"          // of a range that nobody uses
)

// PIIKinds are the kinds of personal data that Rule.PII can name.
func PIIKinds() []string {
	return []string{piiEmail, piiName, piiPhone, piiAddress, piiPostal, piiBirth, piiID, piiIP}
}

// company says what must stand around a value for a name to mean a person's.
type company uint8

const (
	alone       company = iota // the name alone says it
	ofPerson                   // in an object that is a person, or beside one's email or phone
	ofAddress                  // beside a street or a person's name
	ofBirthDate                // in an object that is a birth date
	ofTaxID                    // in an object that is a tax identifier
)

// piiNames say that a value is personal data by the name it stands under. Names
// are folded as in nameRules. They are in force with Config.PII.
//
// Countries, states and towns stay: they decide taxes, prices and languages, and do
// not tell who somebody is. A sex, a title and a company's name stay too.
var piiNames = []struct {
	id, names, kind string
	company         company
	reason          string
}{
	{"pii-email", "email emailaddress mail contactemail customeremail receiptemail", piiEmail, alone, "an email address; those of example.com and of test domains stay"},
	{"pii-person-name", "firstname lastname givenname familyname surname middlename maidenname fullname fullnamelocal firstnamekana firstnamekanji lastnamekana lastnamekanji " +
		"cardholdername cardholder nameoncard accountholdername bankaccountholdername holdername contactname recipientname shippingname billingname shiptoname billtoname buyername customername patientname guestname passengername",
		piiName, alone, "a person's name"},
	{"pii-person-name", "name first last", piiName, ofPerson, "a person's name, in an object that is one; products and companies have names too"},
	{"pii-phone", "phone *phone phonenumber *phonenumber telephone telephonenumber tel mobile mobilenumber cell cellphone fax faxnumber msisdn", piiPhone, alone, "a telephone number; those kept for fiction stay"},
	{"pii-address", "line1 line2 line3 addressline1 addressline2 addressline3 address1 address2 address3 street street1 street2 streetaddress streetname streetnumber housenumber streetline1 streetline2",
		piiAddress, alone, "a street and house; town, state and country stay"},
	{"pii-address", "address", piiAddress, ofPerson, "a street and house, where the whole address is one text"},
	{"pii-postal-code", "postalcode postcode zip zipcode plz", piiPostal, ofAddress, "may be a single house; its first half stays"},
	{"pii-birth-date", "dob dateofbirth birthdate birthday bday", piiBirth, alone, "a birth date; its year stays"},
	{"pii-birth-date", "day month", piiBirth, ofBirthDate, "a birth date in parts; its year stays"},
	{"pii-id-number", "ssn ssnlast4 socialsecuritynumber nationalid nationalidnumber nationalidentificationnumber nationalinsurancenumber personalid personalidnumber idnumber " +
		"passport passportnumber driverslicense driverslicensenumber driverlicensenumber licencenumber taxid taxidnumber taxnumber taxpayerid vatid vatnumber vatidnumber " +
		"tin cpf curp nif nie dni fiscalcode codicefiscale pesel steuerid steuernummer", piiID, alone, "a number by which a state knows a person or a trader; ids of objects stay"},
	{"pii-id-number", "value", piiID, ofTaxID, "a tax number in an object of its own"},
	{"pii-ip-address", "ip ipaddress *ipaddress clientip remoteip remoteaddr buyerip customerip userip lastip ipv4 ipv6", piiIP, alone, "the address of somebody's line; private and reserved ranges stay"},
	{"pii-ip-address", "xforwardedfor xrealip cfconnectingip trueclientip forwarded xclientip xclusterclientip", piiIP, alone, "the address of somebody's line, as proxies pass it on"},
}

// piiValues find personal data by its shape.
var piiValues = []struct{ id, value, kind, reason string }{
	{"pii-email", `[A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`, piiEmail, "an email address; those of example.com and of test domains stay"},
	{"pii-ip-address", `an IPv4 or IPv6 address that is a whole value`, piiIP, "the address of somebody's line; private and reserved ranges stay"},
}

// addPersonal adds the built-in rules for personal data. Their ids are known without
// them too, so that a file can remove one of them whatever --pii says.
func (r *Rules) addPersonal(on bool, removed, ids map[string]bool) {
	for _, row := range piiNames {
		ids[row.id] = true
		if !on || removed[row.id] {
			continue
		}
		for _, name := range strings.Fields(row.names) {
			r.addName(&rule{company: row.company, Rule: Rule{ID: row.id, Reason: row.reason, Name: name, PII: row.kind, Source: builtInSource}})
		}
	}
	for _, row := range piiValues {
		ids[row.id] = true
		if !on || removed[row.id] {
			continue
		}
		one := &rule{in: anywhere, Rule: Rule{ID: row.id, Reason: row.reason, Value: row.value, PII: row.kind, Source: builtInSource}}
		r.list = append(r.list, one.Rule)
		if row.kind == piiEmail {
			r.email = one
		} else {
			r.wholeIP = one
		}
	}
}

// personObjects are the names, folded, of objects that hold what is known of a person.
var personObjects = func() map[string]bool {
	set := make(map[string]bool)
	for _, name := range strings.Fields(`billingdetails billing billto shipping shippingdetails shippinginformation shipto customer customers customerdetails
		customerinfo owner owners address contact contacts contactdetails contactinfo recipient recipients individual person persons people buyer shopper payer payee
		sender receiver beneficiary cardholder accountholder representative guest guests traveler travelers traveller passenger passengers patient
		employee user users member profile billingcontact shippingcontact collectedinformation`) {
		set[name] = true
	}
	return set
}()

var birthObjects = map[string]bool{"dob": true, "dateofbirth": true, "birthdate": true, "birthday": true}

var taxObjects = map[string]bool{"taxid": true, "taxids": true, "taxiddata": true, "customertaxids": true,
	"taxidentifier": true, "taxidentifiers": true, "verifiedtaxid": true}

// besidePersonal are the names that tell whose object they stand in.
func besidePersonal(folded string) beside {
	switch folded {
	case "email", "emailaddress", "phone", "phonenumber", "firstname", "lastname", "givenname", "familyname", "dob", "dateofbirth", "birthdate":
		return besidePerson
	case "line1", "addressline1", "address1", "street", "street1", "streetaddress", "address":
		return besideStreet
	case "name", "recipient", "attention":
		return besideName
	}
	return 0
}

// keepsCompany reports whether what stands around a leaf makes its name a person's.
func (p *pass) keepsCompany(r *rule, around *siblings, place leaves.Place) bool {
	if r.company == alone {
		return true
	}
	parent := parentName(place)
	person := personObjects[parent] || strings.HasSuffix(parent, "address") || strings.HasSuffix(parent, "contact") || strings.HasSuffix(parent, "customer")
	switch r.company {
	case ofPerson:
		return person || around.of(place)&besidePerson != 0 || r.Name == "name" && around.of(place)&besideStreet != 0
	case ofAddress:
		beside := around.of(place)
		return beside&(besidePerson|besideStreet) != 0 || beside&besideName != 0 && person
	case ofBirthDate:
		return birthObjects[parent]
	case ofTaxID:
		return taxObjects[parent]
	}
	return false
}

// parentName is the name, folded, of the member that holds the one at place.
func parentName(place leaves.Place) string {
	s := parentOf(place)
	for strings.HasSuffix(s, "]") && !strings.HasSuffix(s, `"]`) {
		s = s[:strings.LastIndexByte(s, '[')] // an element of an array
	}
	s = strings.TrimSuffix(s, `"]`)
	return fold(s[strings.LastIndexAny(s, `."`)+1:])
}

// maxPersonal is the longest name or address line, in bytes.
const maxPersonal = 512

// personal redacts a value that a rule for personal data has found. What is not of
// the rule's kind after all comes back as it is.
func (p *pass) personal(r *rule, place leaves.Place, value string) string {
	trimmed := strings.TrimSpace(value)
	if trimmed == "" {
		return value
	}
	if len(value) > maxPersonal {
		return p.text(place, anywhere, value) // a file, such as the picture of a passport
	}
	if len(trimmed) < len(value) {
		at := strings.Index(value, trimmed)
		return value[:at] + p.personal(r, place, trimmed) + value[at+len(trimmed):]
	}
	if p.isClean(value) {
		p.v.reserve(Placeholders(value))
		return value
	}
	switch r.PII {
	case piiEmail:
		return p.text(place, anywhere, value) // as wherever it stands
	case piiPhone:
		return p.phone(r, value)
	case piiIP:
		return p.addresses(r, value)
	case piiPostal:
		return halfPostalCode(value)
	case piiBirth:
		return birthYear(value)
	}
	if isPublished(value) || isReference(value) || isObjectID(value) || uuid.MatchString(value) || strings.Contains(value, "://") {
		return value
	}
	if clean := p.text(place, anywhere, value); clean != value {
		return clean // an email for a name
	}
	return p.v.formed(p.v.secretOf(formName, value, r.ID), value)
}

// secretOf returns the entry of a personal value. Values of one form never share an
// entry with those of another: a name may be somebody's password.
func (v *Vault) secretOf(f form, value, rule string, learned ...string) *secret {
	identity := f.identity(value)
	v.mu.Lock()
	defer v.mu.Unlock()
	sec := v.enter(identity, rule, "")
	if sec.form == formPlain && sec.id == "" {
		sec.form = f
	}
	before := v.index.size
	for _, text := range learned {
		v.index.add(text, sec)
	}
	if v.index.size > before {
		v.learned++
	}
	return sec
}

// identity is what makes two values of a form the same.
func (f form) identity(value string) string {
	switch f {
	case formName:
		return "name " + value
	case formPhone:
		digits := strings.TrimPrefix(phoneDigits(value), "00")
		if len(digits) == 11 && digits[0] == '1' {
			digits = digits[1:] // with or without the country
		}
		return "phone " + digits
	case formIPv4, formIPv6:
		return "ip " + value
	}
	return strings.ToLower(value)
}

// formed writes what stands for a secret in place of a text.
func (v *Vault) formed(sec *secret, like string) string {
	if n, ok := ParseNumber(v.id(sec)); ok && sec.form != formPlain {
		return sec.form.write(n, like)
	}
	return v.placeholder(sec, byItself)
}

// phone redacts a telephone number.
func (p *pass) phone(r *rule, value string) string {
	digits := phoneDigits(value)
	if len(digits) < 6 || len(digits) > 17 || strings.Trim(value, "0123456789+-.()/ \u00a0") != "" || isFiction(digits) {
		return value
	}
	var learned []string
	if value[0] == '+' && len(digits) >= 10 && len(digits) == len(value)-1 {
		learned = []string{value} // nothing else is written so
	}
	return p.v.formed(p.v.secretOf(formPhone, value, r.ID, learned...), value)
}

// isFiction reports numbers that reach nobody: those of films, and Twilio's for tests
// (https://www.twilio.com/docs/iam/test-credentials).
func isFiction(digits string) bool {
	if len(digits) == 11 && digits[0] == '1' {
		digits = digits[1:]
	}
	switch {
	case strings.Trim(digits, digits[:1]) == "", strings.HasPrefix(digits, "5005550") && len(digits) == 10:
		return true
	case strings.HasPrefix(digits, "447700900"), strings.HasPrefix(digits, "07700900"):
		return true
	}
	return len(digits) == 10 && digits[3:6] == "555" && (digits[6:8] == "01" || digits[:3] == "555")
}

// addresses redacts an IP address, or a list of some as proxies write it.
func (p *pass) addresses(r *rule, value string) string {
	parts := strings.Split(value, ",")
	for i, part := range parts {
		one := strings.TrimSpace(part)
		if clean := p.address(r, one); clean != one {
			parts[i] = strings.Replace(part, one, clean, 1)
		}
	}
	return strings.Join(parts, ",")
}

func (p *pass) address(r *rule, value string) string {
	addr, err := netip.ParseAddr(strings.Trim(value, "[]"))
	if err != nil || !isSomebodys(addr) {
		return value
	}
	f, text := formIPv4, addr.WithZone("").String()
	var learned []string
	if !addr.Is4() {
		f = formIPv6
		if len(text) >= minStrong {
			learned = []string{text}
		}
	}
	clean := p.v.formed(p.v.secretOf(f, text, r.ID, learned...), text)
	return strings.Replace(value, strings.Trim(value, "[]"), clean, 1)
}

// reservedRanges are those that no line of a person's has: for documentation, for
// measuring (where placeholders are), shared by providers, and for later.
var reservedRanges = func() (out []netip.Prefix) {
	for _, s := range strings.Fields("0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 198.18.0.0/15 240.0.0.0/4 2001:db8::/32 3fff::/20 64:ff9b::/96") {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

func isSomebodys(addr netip.Addr) bool {
	if addr = addr.Unmap(); !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc(reservedRanges, func(r netip.Prefix) bool { return r.Contains(addr) })
}

// wholeAddress redacts a value that is an IP address under whatever name; a version may
// look like one.
func (p *pass) wholeAddress(place leaves.Place, value string) (string, bool) {
	r := p.v.rules.wholeIP
	if r == nil || !mayBeAddress(value) {
		return "", false
	}
	if _, err := netip.ParseAddr(value); err != nil || containsFold(string(place), "version") || p.kept(r.ID, p.place(place)) {
		return "", false
	}
	clean := p.address(r, value)
	return clean, clean != value
}

// mayBeAddress tells from a look at a few characters that most values are no IP address.
func mayBeAddress(value string) bool {
	if len(value) < 7 || len(value) > 45 {
		return false
	}
	parted := false
	for i := range len(value) {
		switch c := value[i]; {
		case c == '.' || c == ':':
			parted = true
		case c == '%':
			return parted // the name of a zone follows
		case !isHex(c):
			return false
		}
	}
	return parted
}

// halfPostalCode keeps the first half of a postal code, which says as much as the
// town does, and its shape.
func halfPostalCode(value string) string {
	n := 0
	for i := range len(value) {
		switch {
		case isAlnum(value[i]):
			n++
		case value[i] != ' ' && value[i] != '-':
			return value
		}
	}
	if n < 3 || n > 10 || !strings.ContainsAny(value, "0123456789") {
		return value
	}
	b, kept := []byte(value), 0
	for i, c := range b {
		if !isAlnum(c) {
			continue
		}
		if kept++; 2*kept <= n+1 {
			continue
		}
		switch {
		case isDigit(c):
			b[i] = '0'
		case c >= 'a':
			b[i] = 'a'
		default:
			b[i] = 'A'
		}
	}
	return string(b)
}

var (
	isoDate   = regexp.MustCompile(`^(\d{4})([-/.])(\d\d?)([-/.])(\d\d?)((?:[T ].*)?)$`)
	localDate = regexp.MustCompile(`^(\d\d?)([-/.])(\d\d?)([-/.])(\d{4})$`)
)

// birthYear makes a birth date the first of January of its year; a day or a month
// alone becomes 1.
func birthYear(value string) string {
	one := func(n int) string { return strings.Repeat("0", n-1) + "1" }
	if m := isoDate.FindStringSubmatch(value); m != nil {
		return m[1] + m[2] + one(len(m[3])) + m[4] + one(len(m[5])) + m[6]
	}
	if m := localDate.FindStringSubmatch(value); m != nil {
		return one(len(m[1])) + m[2] + one(len(m[3])) + m[4] + m[5]
	}
	switch {
	case len(value) == 8 && strings.Trim(value, "0123456789") == "":
		return value[:4] + "0101"
	case len(value) <= 2 && strings.Trim(value, "0123456789") == "":
		return one(len(value))
	}
	return value
}

// personalNumber redacts personal data that stands as a JSON number, by another number.
func (p *pass) personalNumber(around *siblings, leaf *leaves.Leaf, in places) (clean string, changed bool) {
	r := p.rule(around, leaf, in)
	if r == nil || r.PII == "" || strings.Trim(leaf.Value, "0123456789") != "" {
		return leaf.Value, false
	}
	switch r.PII {
	case piiBirth:
		clean = birthYear(leaf.Value)
		if len(clean) <= 2 {
			clean = "1"
		}
	case piiPhone:
		clean = strings.TrimPrefix(p.phone(r, leaf.Value), "+")
	default:
		return leaf.Value, false
	}
	return clean, clean != leaf.Value && strings.Trim(clean, "0123456789") == ""
}

// emails appends the addresses that stand in s to found.
func (r *Rules) emails(found []hit, s string) []hit {
	if r.email == nil {
		return found
	}
	for _, sign := range emailSigns {
		if len(sign) > 1 && !strings.Contains(s, sign[:2]) {
			continue
		}
		for from := 0; ; {
			i := strings.Index(s[from:], sign)
			if i < 0 {
				break
			}
			i += from
			from = i + len(sign)
			if start, end, ok := emailAround(s, i, from); ok {
				found = append(found, hit{start: start, end: end, secretStart: start, secretEnd: end, rule: r.email})
				from = end
			}
		}
	}
	return found
}

// maxLocal is the longest part before the @ (RFC 5321, section 4.5.3.1.1), in bytes.
const maxLocal = 64

// emailAround finds the address whose @ stands in s[at:after].
func emailAround(s string, at, after int) (start, end int, ok bool) {
	start = at
	for start > 0 && at-start < maxLocal && (isNameByte(s[start-1]) || strings.IndexByte(".+-'", s[start-1]) >= 0) {
		start--
	}
	// A percent escape ends where the local part seems to begin: %22anna.
	if start > 0 && s[start-1] == '%' && at-start > 2 && isHex(s[start]) && isHex(s[start+1]) {
		start += 2
	} else if start > 1 && s[start-1] == '\\' && at-start > 1 && strings.IndexByte("nrt", s[start]) >= 0 {
		start++
	} else if start > 0 && s[start-1] == '\\' && at-start > 5 && s[start] == 'u' {
		start += 5
	}
	for start < at && strings.IndexByte(".-'", s[start]) >= 0 {
		start++
	}
	if start == at || strings.HasSuffix(s[:start], "//") {
		return 0, 0, false // a URL's user, or none
	}
	end = after
	for end < len(s) && end-after < 255 && (isAlnum(s[end]) || s[end] == '.' || s[end] == '-') {
		end++
	}
	for end > after && (s[end-1] == '.' || s[end-1] == '-') {
		end--
	}
	local, domain := strings.ToLower(s[start:at]), strings.ToLower(s[after:end])
	return start, end, isMailDomain(domain) && local != "git"
}

// fileEndings are the ends of file names that look like domains: logo@2x.png.
var fileEndings = map[string]bool{"png": true, "jpg": true, "jpeg": true, "gif": true, "svg": true, "webp": true, "avif": true, "ico": true,
	"js": true, "mjs": true, "css": true, "ts": true, "json": true, "yaml": true, "yml": true, "html": true, "tgz": true, "gz": true, "zip": true, "map": true, "pdf": true}

// testDomains are those that no mail reaches anybody at (RFC 2606 and 6761).
var testDomains = []string{"example.com", "example.org", "example.net", "example", "test", "invalid", "localhost", "local"}

func isMailDomain(domain string) bool {
	dot := strings.LastIndexByte(domain, '.')
	if dot <= 0 || len(domain)-dot < 3 || strings.Trim(domain[dot+1:], "abcdefghijklmnopqrstuvwxyz") != "" && !strings.HasPrefix(domain[dot+1:], "xn--") ||
		fileEndings[domain[dot+1:]] || strings.Contains(domain, "..") {
		return false
	}
	for _, test := range testDomains {
		if domain == test || strings.HasSuffix(domain, "."+test) {
			return false
		}
	}
	return true
}

// formReplacement writes the placeholder of an email address or host that was found in
// a text, and says where the text goes on. limit is as for replacement.
func (p *pass) formReplacement(s string, h hit, limit int) (text string, end int) {
	if h.rule.host {
		// A placeholder's number must not run on into digits that follow it.
		for h.end < limit && isDigit(s[h.end]) {
			h.end++
		}
		text = p.hostLabel(h.rule, s[h.start:h.end])
		if settingOf(s, h.start, h.end) == within {
			text = lengthened(text)
		}
		return text, h.end
	}
	text = s[h.start:h.end]
	address := text
	for _, sign := range emailSigns[1:] {
		if at := strings.Index(address, sign); at >= 0 {
			address = address[:at] + "@" + address[at+len(sign):]
		}
	}
	return p.v.formed(p.v.secretOf(formEmail, address, h.rule.ID, address, strings.ToLower(address)), text), h.end
}

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// isObjectID reports ids that say what they are of: cus_NffrFeUfNV2Hib, txi_1NuRiC.
func isObjectID(value string) bool {
	return len(value) <= 100 && prefixedID.MatchString(value)
}

var prefixedID = regexp.MustCompile(`^[a-z]{2,12}(?:_[a-z]{2,12}){0,2}_[A-Za-z0-9]{6,}$`)
