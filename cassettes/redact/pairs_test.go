package redact

import (
	"strings"
	"testing"
)

// Names count in log lines, pages and XML, in all the ways in which a value stands
// behind its name there. § stands for a random value; without a want the text stays.
func TestPairsInText(t *testing.T) {
	tests := []struct{ name, contentType, in, want string }{
		{"form in a log line", "text/plain", "POST /token client_secret=hunter2&grant_type=x HTTP", "POST /token client_secret=REDACTED-0001&grant_type=x HTTP"},
		{"form at the end", "text/plain", "a=1&client_secret=hunter2", "a=1&client_secret=REDACTED-0001"},
		{"brackets", "text/plain", "sent card[cvc]=123&card%5Bcvv%5D=124&x=1", "sent card[cvc]=REDACTED-0001&card%5Bcvv%5D=REDACTED-0002&x=1"},
		{"form in JSON", jsonType, `{"m":"sent client_secret=hunter2&a=b"}`, `{"m":"sent client_secret=REDACTED-0001&a=b"}`},
		{"setting", "text/plain", "db.host=x\ndb.password=hunter2\nuser=bob\n", "db.host=x\ndb.password=REDACTED-0001\nuser=bob\n"},
		{"logfmt", "text/plain", `level=info token=§ msg="x"`, `level=info token=REDACTED-0001 msg="x"`},
		{"quoted setting", "text/plain", "password = \"hunter2\"\ntoken='abc'", "password = \"REDACTED-0001\"\ntoken='REDACTED-0002'"},
		{"end of a sentence", "text/plain", "I set password=hunter2. Why", "I set password=REDACTED-0001. Why"},
		{"random in code", "text/javascript", "x(token=§);", "x(token=REDACTED-0001);"},
		{"code", "text/javascript", "token=getToken(); a.password=b.value; if(token==x){}; f(password=password, token=token); n,token=e,t=1", ""},
		{"nothing", "text/plain", "password= token==x =password= pin=", ""},
		{"id", "text/plain", "token=tok_visa&source=tok_visa&amount=5", ""},
		{"XML attribute", "application/xml", `<Login user="bob" password="a&amp;b" ns:token='abc'/>`, `<Login user="bob" password="REDACTED-0001" ns:token='REDACTED-0002'/>`},
		{"XML attribute with spaces", "application/xml", `<Login password = "hunter2" />`, `<Login password = "REDACTED-0001" />`},
		{"card in an attribute", "application/xml", `<Card number="` + card1 + `" n="5"/>`, `<Card number="4988438843884305" n="5"/>`},
		{"CDATA", "application/xml", "<a><password><![CDATA[a<b&c]]></password></a>", "<a><password><![CDATA[REDACTED-0001]]></password></a>"},
		{"input", "text/html", `<form><input type="hidden" name="csrf_token" value="hunter2"><input name="q" value="x"></form>`, `<form><input type="hidden" name="csrf_token" value="REDACTED-0001"><input name="q" value="x"></form>`},
		{"input, value first", "text/html", `<input value='hunter2' name='user[password]'/>`, `<input value='REDACTED-0001' name='user[password]'/>`},
		{"input of type password", "text/html", `<input type=password name=p value=hunter2>`, `<input type=password name=p value=REDACTED-0001>`},
		{"empty input", "text/html", `<input type="password" name="password" placeholder="Password" value="">`, ""},
		{"meta", "text/html", `<meta name="csrf-token" content="hunter2" />`, `<meta name="csrf-token" content="REDACTED-0001" />`},
		{"key and value", "application/xml", `<add key="ApiKey" value="hunter2"/><property name="password">hunter3</property>`, `<add key="ApiKey" value="REDACTED-0001"/><property name="password">REDACTED-0002</property>`},
		{"page about passwords", "text/html", `<label for="password">password</label><a href="/reset?x=1">Forgot password?</a><p class="token">token</p>`, ""},
		{"prose", "text/plain", "a password is a secret; token, code=5 and x=1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := strings.ReplaceAll(tt.in, "§", random1)
			want := tt.want
			if want == "" {
				want = in
			}
			if got := body(t, vault(t, Config{}), stripe, InResponse, tt.contentType, in); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

// A login page: what was sent under a name is replaced where a name says so, and the
// word stays everywhere else.
func TestWeakValuesStayElsewhere(t *testing.T) {
	v := vault(t, Config{})
	page := `<h1>password</h1><label for="password">Your password</label><input name="password" type="password"><script>var password = form.password;</script>`
	answer := `{"field":"password","message":"password is too common","hints":["password","12345"]}`
	if got := body(t, v, stripe, InRequest, formType, "user=bob&password=password"); got != "user=bob&password=REDACTED-0001" {
		t.Error(got)
	}
	if got := body(t, v, stripe, InResponse, "text/html", page); got != page {
		t.Error(got)
	}
	if got := body(t, v, stripe, InResponse, jsonType, answer); got != answer {
		t.Error(got)
	}
	if got := body(t, v, stripe, InResponse, jsonType, `{"password":"password"}`); got != `{"password":"REDACTED-0001"}` {
		t.Error(got)
	}
	if n := v.Learned(); n != 0 {
		t.Errorf("%d weak values were learned", n)
	}
}
