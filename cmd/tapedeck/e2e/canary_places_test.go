//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tapedeck/examples/canary"
)

// A planted secret is one that the promise of docs/redaction.md covers.
type planted struct {
	canary.Secret
	// rule is the id of the rule without which the secret is stored as it is, ""
	// if more than one rule finds it.
	rule string
	// never says that it stands where nothing is stored, with rules or without.
	never bool
	// early says that it is seen under a neutral name before it is learned.
	early bool
}

// A planting makes up the secrets of one run. Two processes that know its seed
// make up the same ones.
type planting struct {
	seed    string
	secrets []planted
}

// random is the text that belongs to a name: 52 capitals and digits. Every third
// is a digit, since letters alone may look like words by chance, and what looks
// like words is not learned.
func (p *planting) random(name string) string {
	text := make([]byte, 52)
	for i := range text {
		if i%sha256.Size == 0 {
			sum := hmac.New(sha256.New, []byte(p.seed))
			fmt.Fprint(sum, i, name)
			copy(text[i:], sum.Sum(nil))
		}
		if i%3 == 2 {
			text[i] = '0' + text[i]%10
		} else {
			text[i] = 'A' + text[i]%26
		}
	}
	return string(text)
}

func (p *planting) add(s planted) string {
	p.secrets = append(p.secrets, s)
	return s.Value
}

// plant makes a secret that looks random, which rule alone finds.
func (p *planting) plant(name, rule string) string {
	return p.add(planted{Secret: canary.Secret{Name: name, Value: "cN" + p.random(name)[:24]}, rule: rule})
}

// odd makes one with the characters that encodings change.
func (p *planting) odd(name, rule string) string {
	r := p.random(name)
	// Five "?" give a "/" or "_" in base64 however they are aligned.
	return p.add(planted{Secret: canary.Secret{Name: name, Value: r[:12] + `/+"&<=%\?????` + r[12:24]}, rule: rule})
}

// weak makes one that is too short to be looked for elsewhere.
func (p *planting) weak(name, rule string) string {
	return p.add(planted{Secret: canary.Secret{Name: name, Value: p.random(name)[:11]}, rule: rule})
}

// never makes one for a place that is not stored.
func (p *planting) never(name string) string {
	return p.add(planted{Secret: canary.Secret{Name: name, Value: "cN" + p.random(name)[:24]}, never: true})
}

// shaped makes one of length characters for behind a prefix that tells what it is.
func (p *planting) shaped(name, rule string, length int) string {
	return p.add(planted{Secret: canary.Secret{Name: name, Value: (p.random(name) + p.random(name+" more"))[:length]}, rule: rule})
}

// hexadecimal is shaped with 32 hexadecimal digits.
func (p *planting) hexadecimal(name, rule string) string {
	return p.add(planted{Secret: canary.Secret{Name: name, Value: hex.EncodeToString([]byte(p.random(name)[:16]))}, rule: rule})
}

// card makes a number with a Visa prefix and a valid check digit, written with
// between after every four digits.
func (p *planting) card(name, rule, between string) string {
	digits := "453914"
	for _, c := range p.random(name)[:9] {
		digits += string('0' + c%10)
	}
	sum := 0
	for i, c := range digits { // Luhn: every second digit from the right, the first of 16 too
		d := int(c - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	digits += string(rune('0' + (10-sum%10)%10))
	groups := []string{digits[:4], digits[4:8], digits[8:12], digits[12:]}
	return p.add(planted{Secret: canary.Secret{Name: name, Value: strings.Join(groups, between)}, rule: rule})
}

// jwt makes a token with a secret signature and a secret claim.
func (p *planting) jwt(name, rule string) string {
	encode := base64.RawURLEncoding.EncodeToString
	claim := p.plant(name+", its claim", rule)
	signature := p.plant(name+", its signature", rule)
	return encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(`{"iat":1700000000,"jti":"`+claim+`"}`)) + "." + signature
}

// pem makes a private key. What is looked for is a line in the middle of it.
func (p *planting) pem(name, rule string) string {
	line := p.add(planted{Secret: canary.Secret{Name: name, Value: (p.random(name) + p.random(name+" more"))[:64]}, rule: rule})
	return "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n" + line + "\nAgMBAAECggEA\n-----END PRIVATE KEY-----\n"
}

// list is what a search looks for.
func (p *planting) list() []canary.Secret {
	out := make([]canary.Secret, len(p.secrets))
	for i, s := range p.secrets {
		out[i] = s.Secret
	}
	return out
}

// named is the secret of that name.
func (p *planting) named(name string) planted {
	for _, s := range p.secrets {
		if s.Name == name {
			return s
		}
	}
	return planted{}
}

// environment is the name and value of a variable that tapedeck is given.
const environmentVariable = "CANARY_DEPLOY_TOKEN"

// The hosts of the exchanges: one speaks TLS, one does not.
const (
	secureHost = "api.example.com"
	plainHost  = "plain.example.com"
)

// An exchange is a request and the answer that it gets.
type exchange struct {
	name     string
	plain    bool // plain HTTP, in absolute form
	method   string
	target   string // path and query; the path is the exchange's own
	userinfo string // with its @, in absolute form only
	header   http.Header
	body     string
	trailer  http.Header
	// upgrade asks for a WebSocket, on which both sides send these texts.
	upgrade []string

	status       int
	early        http.Header // of a 103 that comes first
	replyHeader  http.Header
	reply        []string // each is flushed
	replyTrailer http.Header
	raw          string // the whole answer, byte for byte
	// secrets are those that stand in this exchange.
	secrets []planted
}

func (e *exchange) path() string {
	path, _, _ := strings.Cut(e.target, "?")
	return path
}

// url is the absolute URL.
func (e *exchange) url() string {
	if e.plain {
		return "http://" + e.userinfo + plainHost + e.target
	}
	return "https://" + secureHost + e.target
}

// credentialHeaders are the request headers of docs/redaction.md, each with the
// rule that knows it.
var credentialHeaders = []struct{ name, rule string }{
	{"X-Api-Key", "header-api-key"}, {"Api-Key", "header-api-key"}, {"X-Goog-Api-Key", "header-api-key"},
	{"Dd-Api-Key", "header-api-key"}, {"Dd-Application-Key", "header-api-key"}, {"Ocp-Apim-Subscription-Key", "header-api-key"}, {"Acme-Api-Key", "header-api-key"},
	{"X-Auth-Token", "header-token"}, {"X-Access-Token", "header-token"}, {"X-Amz-Security-Token", "header-token"},
	{"X-Shopify-Access-Token", "header-token"}, {"X-Vault-Token", "header-token"}, {"Private-Token", "header-token"},
	{"X-Csrf-Token", "header-token"}, {"Acme-Session-Token", "header-token"},
	{"Acme-Secret", "header-secret"}, {"Acme-Password", "header-secret"}, {"Acme-Credential", "header-secret"},
	{"Stripe-Signature", "header-signature"}, {"X-Hub-Signature", "header-signature"}, {"X-Hub-Signature-256", "header-signature"},
	{"Paypal-Auth-Assertion", "header-signature"}, {"Acme-Signature", "header-signature"},
}

// fieldNames are names of form, JSON, XML and multipart fields.
var fieldNames = []struct{ name, rule string }{
	{"client_secret", "name-client-secret"}, {"secret", "name-client-secret"}, {"webhook_secret", "name-client-secret"}, {"signing-secret", "name-client-secret"},
	{"api_key", "name-api-key"}, {"apiKey", "name-api-key"}, {"secretAccessKey", "name-aws-credential"},
	{"access_token", "name-token"}, {"refreshToken", "name-token"}, {"id_token", "name-token"}, {"token", "name-token"}, {"sessionToken", "name-token"},
	{"code_verifier", "name-code-verifier"}, {"client_assertion", "name-assertion"}, {"assertion", "name-assertion"}, {"jwt", "name-assertion"}, {"SAMLResponse", "name-assertion"},
	{"password", "name-password"}, {"passwd", "name-password"}, {"pwd", "name-password"}, {"pin", "name-pin"}, {"otp", "name-pin"},
	{"sig", "name-signature"}, {"signature", "name-signature"}, {"X-Amz-Signature", "name-signature"}, {"X-Amz-Credential", "name-aws-credential"},
	{"cvc", "name-card-check"}, {"account_number", "name-account-number"}, {"private_key", "name-private-key"}, {"connection_string", "name-connection-string"},
}

// shapes are values that show what they are wherever they stand.
var shapes = []struct {
	before, rule string
	length       int
}{
	{"sk_test_51", "value-stripe-key", 24}, {"rk_test_", "value-stripe-key", 24}, {"sk_org_test_", "value-stripe-org-key", 24}, {"whsec_", "value-webhook-secret", 32},
	{"pi_3NabCdEf_secret_", "value-client-secret", 24}, {"cuss_secret_", "value-client-secret", 24}, {"AKIA", "value-aws-key-id", 16}, {"ASIA", "value-aws-key-id", 16},
	{"ghp_", "value-github-token", 36}, {"github_pat_", "value-github-pat", 40}, {"glpat-", "value-gitlab-token", 20}, {"AIza", "value-google-key", 35},
	{"ya29.", "value-google-token", 40}, {"npm_", "value-npm-token", 36}, {"pypi-", "value-pypi-token", 40}, {"sk-ant-api03-", "value-anthropic-key", 40},
	{"sk-proj-", "value-openai-key", 40}, {"hf_", "value-huggingface-token", 34}, {"xoxb-", "value-slack-token", 24}, {"SG.cN7QX4ZBRM5KUD2L.", "value-sendgrid-key", 30},
}

// exchanges lists every place in which the promise says that a secret is found.
// environment says whether tapedeck knows the variable of that name.
func (p *planting) exchanges() []*exchange {
	var list []*exchange
	from := len(p.secrets)
	add := func(e *exchange) {
		if e.method == "" {
			e.method = http.MethodGet
			if e.body != "" {
				e.method = http.MethodPost
			}
		}
		if e.status == 0 {
			e.status = http.StatusOK
		}
		if e.target == "" {
			e.target = "/" + url.PathEscape(strings.ReplaceAll(e.name, " ", "-"))
		}
		e.secrets = p.secrets[from:len(p.secrets):len(p.secrets)]
		from = len(p.secrets)
		list = append(list, e)
	}
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	type_ := func(t string) http.Header { return header("Content-Type", t) }

	// A value under a neutral name, which a later request shows to be secret.
	later := p.add(planted{Secret: canary.Secret{Name: "first under a neutral name", Value: "cN" + p.random("neutral")[:24]}, rule: "header-authorization", early: true})
	add(&exchange{name: "neutral", replyHeader: type_("application/json"), reply: []string{`{"object":"grant","ref":"` + later + `"}`}})
	add(&exchange{name: "learned", header: header("Authorization", "Bearer "+later)})

	// The request's URL.
	add(&exchange{name: "user-info", plain: true, userinfo: "deploy:" + p.plant("user-info", "userinfo-password") + "@"})
	add(&exchange{name: "path by rule", target: "/services/T0CANARY1/B0CANARY1/" + p.shaped("path of a Slack hook", "value-slack-hook", 24)})
	add(&exchange{name: "path of a bot", target: "/bot123456789:" + p.shaped("path of a Telegram bot", "value-telegram-bot", 35) + "/getMe"})
	add(&exchange{name: "path by shape", target: "/keys/sk_test_51" + p.shaped("path by its shape", "value-stripe-key", 24)})
	for _, one := range []string{"api_key", "access_token", "sig"} {
		rule := map[string]string{"api_key": "name-api-key", "access_token": "name-token", "sig": "name-signature"}[one]
		add(&exchange{name: "query " + one, target: "/query-" + one + "?page=1&" + one + "=" + p.plant("query "+one, rule)})
	}
	add(&exchange{name: "query odd", target: "/query-odd?secret=" + url.QueryEscape(p.odd("query, escaped", "name-client-secret")) + "&page=2"})
	add(&exchange{name: "query brackets", target: "/query-brackets?user[client_secret]=" + p.plant("query with brackets", "name-client-secret")})
	add(&exchange{name: "query url", target: "/query-url?next=" + url.QueryEscape("https://x.example.com/?token="+p.plant("query inside a URL", "name-token"))})
	add(&exchange{name: "oauth", method: "POST", header: type_("application/x-www-form-urlencoded"),
		body: "grant_type=authorization_code&code=" + p.plant("authorization code", "name-code")})

	// Request headers.
	for _, h := range credentialHeaders {
		add(&exchange{name: "header " + h.name, header: header(h.name, p.plant("request header "+h.name, h.rule))})
	}
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	add(&exchange{name: "bearer", header: header("Authorization", "Bearer "+p.plant("bearer token", "header-authorization"))})
	add(&exchange{name: "bare", header: header("Authorization", p.plant("authorization without a scheme", "header-authorization"))})
	add(&exchange{name: "token scheme", header: header("Authorization", `Token token="`+p.plant("a scheme of its own", "")+`"`)})
	add(&exchange{name: "basic", header: header("Authorization", basic("deploy", p.plant("basic password", "header-authorization")))})
	add(&exchange{name: "basic user", header: header("Authorization", basic("sk_test_51"+p.shaped("basic user", "", 24), ""))})
	add(&exchange{name: "weak basic", header: header("Authorization", basic("deploy", p.weak("weak basic password", "header-authorization")))})
	add(&exchange{name: "digest", header: header("Authorization", `Digest username="u", realm="r", nonce="n", uri="/", response="`+p.plant("digest response", "header-authorization")+`"`)})
	add(&exchange{name: "aws", header: header("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature="+p.hexadecimal("AWS signature", ""))})
	add(&exchange{name: "cookies", header: header("Cookie", "sid="+p.plant("cookie", "header-cookie")+`; theme=dark; remember="`+p.plant("quoted cookie", "header-cookie")+`"`)})
	add(&exchange{name: "weak cookie", header: header("Cookie", "lang="+p.weak("weak cookie", "header-cookie"))})
	add(&exchange{name: "referer", header: header("Referer", "https://u:"+p.plant("user-info in Referer", "")+"@x.example.com/?access_token="+p.plant("query in Referer", ""))})
	add(&exchange{name: "header jwt", header: header("X-Acme-Assertion", p.jwt("JWT in a header of another name", "value-jwt"))})
	add(&exchange{name: "header shaped", header: header("X-Acme-Note", "uses ghp_"+p.shaped("a header of another name", "value-github-token", 36)+" today")})
	add(&exchange{name: "request trailer", method: "POST", body: "x=1", header: type_("text/plain"), trailer: header("X-Acme-Signature", p.plant("request trailer", "header-signature"))})

	// Response headers.
	add(&exchange{name: "set cookie", replyHeader: http.Header{"Set-Cookie": {
		"sid=" + p.plant("Set-Cookie", "header-set-cookie") + "; Path=/; HttpOnly; SameSite=Lax", `r="` + p.plant("second Set-Cookie", "header-set-cookie") + `"; Max-Age=60`}}})
	add(&exchange{name: "location", status: http.StatusFound, replyHeader: header("Location",
		"https://x.example.com/cb?state=1&access_token="+p.plant("query of Location", "")+"#id_token="+p.plant("fragment of Location", ""))})
	add(&exchange{name: "location user", status: http.StatusFound, replyHeader: header("Location", "https://u:"+p.plant("user-info of Location", "")+"@x.example.com/")})
	add(&exchange{name: "link", replyHeader: header("Link", "<https://x.example.com/?page=2&token="+p.plant("URL of Link", "")+`>; rel="next"`)})
	add(&exchange{name: "response token", replyHeader: header("X-Auth-Token", p.plant("response header X-Auth-Token", "header-token"))})
	add(&exchange{name: "response secret", replyHeader: header("Acme-Client-Secret", p.plant("response header of a secret", "header-secret"))})
	add(&exchange{name: "authentication info", replyHeader: header("Authentication-Info", "nextnonce="+p.plant("Authentication-Info", "header-authentication-info"))})
	add(&exchange{name: "response shaped", replyHeader: header("X-Debug", "key glpat-"+p.shaped("response header of another name", "value-gitlab-token", 20))})
	add(&exchange{name: "response trailer", replyHeader: type_("text/plain"), reply: []string{"body"}, replyTrailer: header("X-Acme-Token", p.plant("response trailer", "header-token"))})
	add(&exchange{name: "early hints", early: header("Link", "</style.css>; rel=preload", "X-Acme-Token", p.plant("header of a 103", "header-token")), reply: []string{"body"}})
	add(&exchange{name: "early link", early: header("Link", "</s.css?token="+p.plant("URL in Link of a 103", "")+">; rel=preload"), reply: []string{"body"}})
	add(&exchange{name: "status line", plain: true, raw: "HTTP/1.1 200 npm_" + p.shaped("status line", "value-npm-token", 36) + "\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"})

	// Bodies, by name.
	var form, object, xml, parts []string
	for i, f := range fieldNames {
		form = append(form, fmt.Sprintf("a%d[%s]=%s", i, url.QueryEscape(f.name), url.QueryEscape(p.odd("form field "+f.name, f.rule))))
	}
	form = append(form, "weak[pin]="+p.weak("weak form field", "name-pin"))
	add(&exchange{name: "form", header: type_("application/x-www-form-urlencoded"), body: strings.Join(form, "&")})
	quote := func(v string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"` }
	for _, f := range fieldNames {
		object = append(object, `{"`+f.name+`":`+quote(p.odd("JSON member "+f.name, f.rule))+`,"n":1}`)
	}
	add(&exchange{name: "json request", header: type_("application/json"), body: `{"deep":{"list":[` + strings.Join(object, ",") + `]},"password":` + quote(p.weak("weak JSON member", "name-password")) + `}`})
	inner := `{"user":{"refresh_token":` + quote(p.plant("JSON in a JSON string", "name-token")) + `}}`
	add(&exchange{name: "json in json", header: type_("application/json"), body: `{"event":` + quote(inner) + `}`})
	add(&exchange{name: "json array", replyHeader: type_("application/json"), reply: []string{`[1,{"tokens":["x"],"access_token":"` + p.plant("JSON answer", "name-token") + `"},"pi_3NabCdEf_secret_` + p.shaped("JSON array element", "value-client-secret", 24) + `"]`}})
	add(&exchange{name: "json escaped", replyHeader: type_("application/json"), reply: []string{`{"access_token":"` + escapeAll(p.plant("JSON answer, every character escaped", "name-token")) + `"}`}})
	add(&exchange{name: "json cut", replyHeader: type_("application/json"), reply: []string{`{"object":"list","secret":"` + p.plant("JSON that is cut short", "name-client-secret") + `","da`}})
	for i, name := range []string{"password", "api_key", "token"} {
		rule := []string{"name-password", "name-api-key", "name-token"}[i]
		xml = append(xml, "<"+name+">"+p.plant("XML element "+name, rule)+"</"+name+">", `<user `+name+`="`+p.plant("XML attribute "+name, rule)+`"/>`)
	}
	add(&exchange{name: "xml request", header: type_("application/xml"), body: "<?xml version=\"1.0\"?>\n<r>" + strings.Join(xml, "\n") + "</r>"})
	add(&exchange{name: "xml answer", replyHeader: type_("text/xml; charset=utf-8"), reply: []string{"<r><a:client_secret xmlns:a=\"urn:a\">" + p.plant("XML answer", "name-client-secret") + "</a:client_secret></r>"}})
	for _, f := range fieldNames[:4] {
		parts = append(parts, "--bOuNdArY\r\nContent-Disposition: form-data; name=\""+f.name+"\"\r\n\r\n"+p.plant("multipart field "+f.name, f.rule)+"\r\n")
	}
	parts = append(parts,
		"--bOuNdArY\r\nContent-Disposition: form-data; name=\"upload\"; filename=\"ghp_"+p.shaped("multipart file name", "value-github-token", 36)+".txt\"\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xffglpat-"+p.shaped("multipart file", "value-gitlab-token", 20)+"\x00\r\n",
		"--bOuNdArY\r\nContent-Disposition: form-data; name=\"settings\"\r\nContent-Type: application/json\r\n\r\n{\"api_key\":\""+p.plant("JSON in a multipart field", "name-api-key")+"\"}\r\n--bOuNdArY--\r\n")
	add(&exchange{name: "multipart", header: type_("multipart/form-data; boundary=bOuNdArY"), body: strings.Join(parts, "")})
	add(&exchange{name: "ndjson", replyHeader: type_("application/x-ndjson"), reply: []string{"{\"n\":1,\"token\":\"" + p.plant("NDJSON", "name-token") + "\"}\n{\"n\":2}\n"}})
	event := "event: grant\ndata: {\"access_token\":\"" + p.plant("server-sent event", "name-token") + "\"}\n\n"
	shapedEvent := "data: use sk-proj-" + p.shaped("server-sent event by its shape", "value-openai-key", 40) + "\n\n"
	add(&exchange{name: "events", replyHeader: type_("text/event-stream"), reply: cut(event+": ping\n\n"+shapedEvent, len(event)-20, len(event)+30)})

	// Bodies, by shape: text, binary, packed.
	var shaped []string
	for _, s := range shapes {
		shaped = append(shaped, "see "+s.before+p.shaped("text with "+s.before, s.rule, s.length)+" there")
	}
	shaped = append(shaped, "key shpat_"+p.hexadecimal("text with shpat_", "value-shopify-token"), p.jwt("JWT in text", "value-jwt"), p.pem("PEM key", "value-private-key"),
		"card "+p.card("card number in text", "value-card-number", " ")+" and "+p.card("card number with hyphens", "value-card-number", "-"))
	add(&exchange{name: "text", replyHeader: type_("text/plain"), reply: []string{strings.Join(shaped, "\n")}})
	add(&exchange{name: "card form", header: type_("application/x-www-form-urlencoded"), body: "card[number]=" + p.card("card number in a form", "", "") + "&card[cvc]=314"})
	add(&exchange{name: "card json", header: type_("application/json"), body: `{"note":"` + p.card("card number in JSON", "value-card-number", "") + `"}`})
	add(&exchange{name: "protobuf request", header: type_("application/x-protobuf"), body: protobuf("sk_test_51" + p.shaped("protobuf request", "value-stripe-key", 24))})
	add(&exchange{name: "protobuf answer", replyHeader: type_("application/x-protobuf"), reply: []string{protobuf("ghp_" + p.shaped("protobuf answer", "value-github-token", 36))}})
	for _, coding := range []string{"gzip", "br", "zstd", "deflate"} {
		add(&exchange{name: coding + " answer", replyHeader: header("Content-Type", "application/json", "Content-Encoding", coding),
			reply: []string{canary.Pack(coding, `{"object":"grant","access_token":"`+p.plant(coding+" answer", "name-token")+`"}`)}})
	}
	add(&exchange{name: "gzip request", header: header("Content-Type", "application/json", "Content-Encoding", "gzip"),
		body: canary.Pack("gzip", `{"object":"grant","client_secret":"`+p.plant("gzip request", "name-client-secret")+`"}`)})
	add(&exchange{name: "two codings", replyHeader: header("Content-Type", "text/plain", "Content-Encoding", "br, gzip"),
		reply: []string{canary.Pack("gzip", canary.Pack("br", "the key is glpat-"+p.shaped("brotli in gzip", "value-gitlab-token", 20)+" today"))}})

	// A variable of tapedeck's own environment.
	add(&exchange{name: "environment", replyHeader: type_("text/plain"), reply: []string{"deployed with " + p.plant("environment variable", "") + " ok"}})

	// What was learned, in every encoding: one secret for each.
	for _, e := range promised() {
		value := p.odd("learned, then as "+e.Name, "header-authorization")
		slug := "/learned-" + url.PathEscape(strings.NewReplacer(" ", "-", ",", "", "<", "", ">", "", "&", "", "/", "").Replace(e.Name))
		add(&exchange{name: "learn " + e.Name, target: slug, header: header("Authorization", "Bearer "+value),
			replyHeader: type_("text/plain"), reply: []string{"as " + e.Encode(value) + " ok"}})
	}

	// What must not be stored whatever the rules are.
	add(&exchange{name: "hop by hop", plain: true, header: header("Proxy-Authorization", basic("somebody", p.never("Proxy-Authorization of a request")))})
	frame := p.never("WebSocket frame")
	add(&exchange{name: "websocket", plain: true, target: "/websocket?token=" + p.never("query of an upgrade"), upgrade: []string{frame},
		header: header("Authorization", "Bearer "+p.never("bearer token of an upgrade"))})
	return list
}

// promised are the encodings in which docs/redaction.md promises that a learned
// value is found.
func promised() []canary.Encoding {
	var list []canary.Encoding
	for _, e := range canary.Encodings() {
		switch e.Name {
		case "as it is", "hex", "URL query", "URL path", "URL query, twice", "URL path, twice", "JSON", "JSON with <, > and & escaped", "JSON with / escaped", "JSON in JSON", "HTML", "HTML with names",
			"base64, shifted by 0", "base64, shifted by 1", "base64, shifted by 2", "base64 URL, shifted by 0", "base64 URL, shifted by 1", "base64 URL, shifted by 2":
			list = append(list, e)
		}
	}
	return list
}

func escapeAll(v string) string {
	var b strings.Builder
	for _, c := range v {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return b.String()
}

// cut splits text at the given offsets.
func cut(text string, at ...int) []string {
	var out []string
	last := 0
	for _, i := range at {
		out = append(out, text[last:i])
		last = i
	}
	return append(out, text[last:])
}

// protobuf is a message with two fields: a number and a string.
func protobuf(text string) string {
	return "\x08\x96\x01\x12" + string(rune(len(text))) + text + "\x1a\x04\xff\xfe\x00\x01"
}
