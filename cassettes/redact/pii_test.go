package redact

import (
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/scope"
)

var shop = Scope{Method: "POST", Host: "api.acme.dev", Path: "/v1/orders"}

// What personal data becomes, in bodies: the format stays, and so does what is no
// person's.
func TestPersonalBodies(t *testing.T) {
	const xmlType = "application/xml"
	tests := []struct{ name, contentType, in, want string }{
		{"email", jsonType, `{"email":"anna.berg@acme.dev"}`, `{"email":"redacted-0001@example.com"}`},
		{"email under any name, and in text", jsonType, `{"note":"write to Anna.Berg@Acme.dev, please","to":"anna.berg@acme.dev"}`,
			`{"note":"write to redacted-0001@example.com, please","to":"redacted-0001@example.com"}`},
		{"two emails", jsonType, `["a.b@acme.dev","c.d@acme.dev","a.b@acme.dev"]`, `["redacted-0001@example.com","redacted-0002@example.com","redacted-0001@example.com"]`},
		{"test emails stay", jsonType, `{"email":"jenny.rosen@example.com","b":"x@shop.test","c":"y@example.org"}`, `{"email":"jenny.rosen@example.com","b":"x@shop.test","c":"y@example.org"}`},
		{"no emails", jsonType, `{"ssh_url":"git@github.com:octo/repo.git","img":"/logo@2x.png","pkg":"left-pad@1.2.3","at":"me @ home"}`,
			`{"ssh_url":"git@github.com:octo/repo.git","img":"/logo@2x.png","pkg":"left-pad@1.2.3","at":"me @ home"}`},
		{"email in a form", formType, `email=anna%2Bshop%40acme.dev&x=1`, `email=redacted-0001%40example.com&x=1`},
		{"email in a link", jsonType, `{"url":"https://acme.dev/unsubscribe?to=anna%40acme.dev"}`, `{"url":"https://acme.dev/unsubscribe?to=redacted-0001%40example.com"}`},
		{"email as a member's name", jsonType, `{"anna@acme.dev":1}`, `{"redacted-0001@example.com":1}`},
		{"email in XML", xmlType, `<c><Email>anna@acme.dev</Email></c>`, `<c><Email>redacted-0001@example.com</Email></c>`},

		{"names", jsonType, `{"first_name":"Anna","lastName":"Berg","full name":"x"}`, `{"first_name":"Redacted-0001","lastName":"Redacted-0002","full name":"x"}`},
		{"a name in an object that is a person", jsonType, `{"billing_details":{"name":"Anna Berg"},"product":{"name":"Lamp"},"name":"Order 7"}`,
			`{"billing_details":{"name":"Redacted-0001"},"product":{"name":"Lamp"},"name":"Order 7"}`},
		{"a name beside an email", jsonType, `{"data":[{"email":null,"name":"Anna Berg","coupon":{"name":"Spring"}}]}`, `{"data":[{"email":null,"name":"Redacted-0001","coupon":{"name":"Spring"}}]}`},
		{"equal names", jsonType, `{"billing":{"name":"Anna Berg"},"shipping":{"name":"Anna Berg"},"owner":{"name":"Bo Ek"}}`,
			`{"billing":{"name":"Redacted-0001"},"shipping":{"name":"Redacted-0001"},"owner":{"name":"Redacted-0002"}}`},
		{"names in a form", formType, `shipping[name]=Anna+Berg&items[0][name]=Lamp`, `shipping[name]=Redacted-0001&items[0][name]=Lamp`},
		{"contact of FastSpring", jsonType, `{"contact":{"first":"Anna","last":"Berg","company":"Acme"},"links":{"first":"/1","last":"/9"}}`,
			`{"contact":{"first":"Redacted-0001","last":"Redacted-0002","company":"Acme"},"links":{"first":"/1","last":"/9"}}`},
		{"an id is no name", jsonType, `{"customer":{"name":"cus_NffrFeUfNV2Hib"}}`, `{"customer":{"name":"cus_NffrFeUfNV2Hib"}}`},

		{"phones", jsonType, `{"phone":"+4915112345678","mobile":"(415) 555-2671","fax":"1-415-555-2671","tel":"030 901820"}`,
			`{"phone":"+19075550101","mobile":"(907) 555-0102","fax":"1-907-555-0102","tel":"+1 907-555-0103"}`},
		{"a number in groups of two", jsonType, `{"phone":"06 12 34 56 78"}`, `{"phone":"+19075550101"}`},
		{"an international phone is found again", jsonType, `{"phone":"+4915112345678","text":"call +4915112345678"}`, `{"phone":"+19075550101","text":"call +19075550101"}`},
		{"numbers of fiction stay", jsonType, `{"phone":"+1 212-555-0123","tel":"+15005550006","fax":"000000000"}`, `{"phone":"+1 212-555-0123","tel":"+15005550006","fax":"000000000"}`},
		{"no phones", jsonType, `{"phone":"required","headphone":"over-ear","phone_number_collection":true}`, `{"phone":"required","headphone":"over-ear","phone_number_collection":true}`},
		{"a phone as a number", jsonType, `{"phone":4915112345678}`, `{"phone":19075550101}`},

		{"an address", jsonType, `{"address":{"line1":"Hauptstr. 5","line2":null,"city":"Berlin","state":"BE","postal_code":"10115","country":"DE"}}`,
			`{"address":{"line1":"Redacted-0001","line2":null,"city":"Berlin","state":"BE","postal_code":"10100","country":"DE"}}`},
		{"postal codes", jsonType, `[{"street":"a 1","zip":"90210"},{"street":"a 1","zip":"SW1A 1AA"},{"street":"a 1","zip":"90210-1234"}]`,
			`[{"street":"Redacted-0001","zip":"90200"},{"street":"Redacted-0001","zip":"SW1A 0AA"},{"street":"Redacted-0001","zip":"90210-0000"}]`},
		{"a postal code alone stays", jsonType, `{"country":"US","postal_code":"90210"}`, `{"country":"US","postal_code":"90210"}`},

		{"birth dates", jsonType, `{"birth_date":"1990-05-17","dob":{"day":17,"month":5,"year":1990},"day":17}`, `{"birth_date":"1990-01-01","dob":{"day":1,"month":1,"year":1990},"day":17}`},
		{"birth dates of a form", formType, `individual[dob][day]=17&individual[dob][month]=05&individual[dob][year]=1990`, `individual[dob][day]=01&individual[dob][month]=01&individual[dob][year]=1990`},
		{"numbers of states", jsonType, `{"ssn_last_4":"4321","tax_id":"DE123456789","default_tax_ids":["txi_1NuRiCeZvKYlo2C"],"tax_ids":[{"type":"eu_vat","value":"DE123456789"}],"attribute":{"value":"red"}}`,
			`{"ssn_last_4":"Redacted-0001","tax_id":"Redacted-0002","default_tax_ids":["txi_1NuRiCeZvKYlo2C"],"tax_ids":[{"type":"eu_vat","value":"Redacted-0002"}],"attribute":{"value":"red"}}`},
		{"ids of tax objects stay", jsonType, `{"tax_id":"txi_1NuRiCeZvKYlo2C","taxId":"fd74a5c5-0163-469a-ae8e-031f0259b576"}`, `{"tax_id":"txi_1NuRiCeZvKYlo2C","taxId":"fd74a5c5-0163-469a-ae8e-031f0259b576"}`},

		{"IP addresses", jsonType, `{"buyerIp":"84.12.9.100","origin":"84.12.9.101","six":"2a02:8108:8a80:1::7","again":"84.12.9.100"}`,
			`{"buyerIp":"198.19.0.1","origin":"198.19.0.2","six":"2001:db8:edac:7ed::3","again":"198.19.0.1"}`},
		{"addresses of nobody stay", jsonType, `{"ip":"127.0.0.1","a":"10.1.2.3","b":"192.0.2.7","c":"2001:db8::1","d":"::1","app_version":"84.12.9.100","v":"1.2.3"}`,
			`{"ip":"127.0.0.1","a":"10.1.2.3","b":"192.0.2.7","c":"2001:db8::1","d":"::1","app_version":"84.12.9.100","v":"1.2.3"}`},
		{"addresses that proxies pass on", jsonType, `{"x-forwarded-for":"84.12.9.100, 10.0.0.1"}`, `{"x-forwarded-for":"198.19.0.1, 10.0.0.1"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := vault(t, Config{PII: true})
			out := body(t, v, shop, InRequest, tt.contentType, tt.in)
			if out != tt.want {
				t.Errorf("\n  in %s\n got %s\nwant %s", tt.in, out, tt.want)
			}
			if again := body(t, vault(t, Config{PII: true}), shop, InRequest, tt.contentType, out); again != out {
				t.Errorf("not idempotent:\n%s\n%s", out, again)
			}
			if err := v.Check("body", []byte(out)); err != nil {
				t.Error(err)
			}
			// Without personal data nothing of it is touched.
			if plain := body(t, vault(t, Config{}), shop, InRequest, tt.contentType, tt.in); plain != tt.in {
				t.Errorf("without pii: %s", plain)
			}
		})
	}
}

// Every form is found again, keeps its number when it is written, and takes another.
func TestFormsOfPlaceholders(t *testing.T) {
	for _, tt := range []struct{ in, id, renumbered string }{
		{"redacted-0001@example.com", "0001", "redacted-0042@example.com"},
		{"redacted-0001%40example.com", "0001", "redacted-0042%40example.com"},
		{`redacted-0001\u0040example.com`, "0001", `redacted-0042\u0040example.com`},
		{"redacted-a00010000@example.com", "A00010000", "redacted-0042@example.com"},
		{"Redacted-0001", "0001", "Redacted-0042"},
		{"Redacted-A00010000", "A00010000", "Redacted-0042"},
		{"redacted-0001", "0001", "redacted-0042"},
		{"+19075550101", "0001", "+19075550142"},
		{"19075550101", "0001", "19075550142"},
		{"%2B19075550101", "0001", "%2B19075550142"},
		{"+1 (808) 555-0107", "0107", "+1 (907) 555-0142"},
		{"(808)%20555-0107", "0107", "(907)%20555-0142"},
		{"808.555.0107", "0107", "907.555.0142"},
		{"198.19.1.0", "0256", "198.19.0.42"},
		{"2001:db8:edac:7ed::10", "0016", "2001:db8:edac:7ed::2a"},
		{"2001:db8:edac:7ed::1:0", "A00065536", "2001:db8:edac:7ed::2a"},
	} {
		for _, around := range []string{"", " ", `"`, "="} {
			s := around + tt.in + around
			list := Placeholders(s)
			if len(list) != 1 || list[0].ID != tt.id || s[list[0].Start:list[0].End] != tt.in {
				t.Errorf("%q: %+v", s, list)
				continue
			}
			if got := Renumber(s, map[string]string{tt.id: "0042"}); got != around+tt.renumbered+around {
				t.Errorf("%q renumbered: %q, want %q", s, got, tt.renumbered)
			}
			if got := Blank(s); got != around+mark+around {
				t.Errorf("%q blanked: %q", s, got)
			}
		}
	}
	for _, s := range []string{"redacted-001", "redacted-00012", "Redacted 0001", "2125550123", "+12125550123", "29075550101", "90755501012", "907 555 0201",
		"198.19.0.0", "198.18.0.1", "1198.19.0.1", "198.19.0.1.5", "2001:db8::1", "2001:db8:edac:7ed::01", "edacted-0001", "9075550100"} {
		if list := Placeholders(s); len(list) > 0 {
			t.Errorf("%q is taken for a placeholder: %+v", s, list)
		}
	}
}

// A form has room for many numbers, all different; where it ends, the plain form goes on.
func TestFormsHaveRoom(t *testing.T) {
	for f := formName; f <= formIPv6; f++ {
		seen := make(map[string]bool)
		for _, n := range []int{1, 2, 99, 100, 101, 9999, 10000, 10399, 10400, 65535, 65536, 99_999_999} {
			text := f.write(n, "")
			list := Placeholders(text)
			if seen[text] || len(list) != 1 || list[0].ID != Number(n) || list[0].Start != 0 || list[0].End != len(text) {
				t.Errorf("form %d, number %d: %q is read as %+v", f, n, text, list)
			}
			seen[text] = true
		}
	}
}

func TestPersonalHeadersAndURLs(t *testing.T) {
	v := vault(t, Config{PII: true})
	h, err := v.Header(shop, InResponse, http.Header{
		"X-Forwarded-For": {"84.12.9.100"}, "X-User": {"anna@acme.dev"}, "Location": {"https://acme.dev/u/anna%40acme.dev?mail=anna%40acme.dev"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"X-Forwarded-For": "198.19.0.2", "X-User": "redacted-0001@example.com",
		"Location": "https://acme.dev/u/redacted-0001%40example.com?mail=redacted-0001%40example.com",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	u, err := v.URL(shop, InRequest, "https://api.acme.dev/users/anna@acme.dev/orders?phone=%2B4915112345678&email=anna@acme.dev")
	if want := "https://api.acme.dev/users/redacted-0001@example.com/orders?phone=%2B19075550103&email=redacted-0001%40example.com"; err != nil || u != want {
		t.Errorf("%v\n got %s\nwant %s", err, u, want)
	}
}

// A value of a rule of the configuration keeps the format of its kind, at its place alone.
func TestPersonalRules(t *testing.T) {
	v := vault(t, Config{PII: true, Add: []Rule{
		{ID: "acme-customer", Name: "name", At: "body.name", On: "POST api.acme.dev/v1/customers/**", PII: "name"},
		{ID: "acme-line", Name: "line_number", PII: "phone"},
	}})
	customers := Scope{Method: "POST", Host: "api.acme.dev", Path: "/v1/customers"}
	if got, want := body(t, v, customers, InRequest, "application/json", `{"name":"Anna Berg","plan":{"name":"Gold"},"line_number":"+4930901820"}`),
		`{"name":"Redacted-0001","plan":{"name":"Gold"},"line_number":"+19075550102"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := body(t, v, shop, InRequest, "application/json", `{"name":"Anna Berg"}`), `{"name":"Anna Berg"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	off := vault(t, Config{Add: []Rule{{ID: "acme-customer", Name: "name", PII: "name"}}})
	if got := body(t, off, shop, InRequest, "application/json", `{"name":"Anna Berg"}`); strings.Contains(got, "edacted") {
		t.Errorf("without pii: %s", got)
	}
}

func TestPersonalKeepAndRemove(t *testing.T) {
	v := vault(t, Config{PII: true, Remove: []string{"pii-phone"}, Keep: []Keep{
		{Rule: "pii-email", On: "POST api.acme.dev/**", At: "body.support", Reason: "the shop's own"},
		{Rule: "pii-person-name", On: "POST api.acme.dev/**", At: "body.owner.name", Reason: "the shop's own"},
	}})
	in := `{"support":"help@acme.dev","owner":{"name":"Acme"},"phone":"+4930901820"}`
	if got := body(t, v, shop, InRequest, "application/json", in); got != in {
		t.Error(got)
	}
	if err := v.Check("body", []byte(in)); err != nil {
		t.Error(err)
	}
}

// Redaction of personal data is idempotent, and what it leaves passes the gate.
func FuzzPersonal(f *testing.F) {
	for _, s := range []string{
		`{"email":"anna@acme.dev","phone":"+4915112345678","customer":{"name":"Anna","address":{"line1":"x 1","postal_code":"10115"}},"ip":"84.12.9.100"}`,
		`{"dob":{"day":17},"birthday":"17.05.1990","tax_ids":[{"value":"DE1"}],"mobile":"90 75 55 01 07"}`,
		"anna%40acme.dev x@y.de 198.19.0.1 +1 (907) 555-0101 redacted-0001@example.com Redacted-0002",
	} {
		f.Add(s, "t3nant9x7k2m")
	}
	rules, err := Compile(Config{PII: true, Add: []Rule{{ID: "tenant", Host: `([a-z0-9-]+)\.hooks\.acme\.dev`}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s, tenant string) {
		for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain"} {
			v := NewVault(rules)
			once, err := v.Body(shop, InResponse, contentType, []byte(s))
			if err != nil {
				t.Fatal(err)
			}
			twice, err := v.Body(shop, InResponse, contentType, once)
			if err != nil || string(twice) != string(once) {
				t.Fatalf("%s: %q became %q and then %q (%v)", contentType, s, once, twice, err)
			}
			fresh, err := NewVault(rules).Body(shop, InResponse, contentType, once)
			if err != nil || string(fresh) != string(once) {
				t.Fatalf("%s: a fresh vault makes %q of %q (%v)", contentType, fresh, once, err)
			}
		}
		v := NewVault(rules)
		own := scope.Scope{Method: "GET", Host: tenant + ".hooks.acme.dev", Path: "/x"}
		once, err := v.URL(own, InRequest, "https://"+tenant+".hooks.acme.dev/x?a="+s)
		if err != nil {
			return // a host that holds another secret
		}
		if twice, err := NewVault(rules).URL(own, InRequest, once); err != nil || twice != once {
			t.Fatalf("%q became %q and then %q (%v)", tenant, once, twice, err)
		}
	})
}
