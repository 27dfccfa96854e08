package redact

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// canary makes secrets that occur nowhere else.
type canary struct {
	n       int
	planted []string
}

func (c *canary) plant() string {
	c.n++
	digest := sha256.Sum256(fmt.Append(nil, "canary ", c.n))
	c.planted = append(c.planted, "cN7"+hex.EncodeToString(digest[:11]))
	return c.planted[len(c.planted)-1]
}

// Every place that this package handles gets a secret of its own; then nothing
// that comes out may hold any of them, in any encoding.
func TestCanary(t *testing.T) {
	c := &canary{}
	v := vault(t, Config{Env: []string{"CANARY_TOKEN=" + c.plant()}})
	environment := c.planted[0]
	var out []string
	keep := func(s string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

	request := http.Header{
		"Authorization":       {"Bearer " + c.plant(), "Basic " + b64("user:"+c.plant()), "Token " + c.plant(), c.plant()},
		"Proxy-Authorization": {"Basic " + b64(c.plant()+":"+c.plant())},
		"Cookie":              {"a=" + c.plant() + "; b=\"" + c.plant() + "\""},
		"X-Env":               {"x" + environment + "y"},
		"Referer":             {"https://u:" + c.plant() + "@x.dev/?access_token=" + c.plant()},
	}
	for _, name := range []string{"X-Api-Key", "Api-Key", "X-Auth-Token", "X-Access-Token", "X-Amz-Security-Token", "X-Goog-Api-Key",
		"X-Shopify-Access-Token", "X-Vault-Token", "Private-Token", "X-Csrf-Token", "Stripe-Signature", "X-Hub-Signature-256",
		"Paypal-Auth-Assertion", "Dd-Api-Key", "Ocp-Apim-Subscription-Key", "My-Password", "My-Secret", "My-Credential"} {
		request[name] = []string{c.plant()}
	}
	response := http.Header{
		"Set-Cookie":          {"sid=" + c.plant() + "; Path=/"},
		"Authentication-Info": {"nextnonce=" + c.plant()},
		"Location":            {"/cb?state=1&code=" + c.plant() + "#id_token=" + c.plant()},
		"Link":                {"<https://x.dev/?token=" + c.plant() + ">; rel=next"},
	}
	for i, h := range []http.Header{request, response} {
		clean, err := v.Header(stripe, Direction(i), h)
		if err != nil {
			t.Fatal(err)
		}
		for _, values := range clean {
			out = append(out, values...)
		}
	}

	keep(v.URL(stripe, InRequest, "https://user:"+c.plant()+"@x.dev/v1/pi_1_secret_"+c.plant()+"/x?api_key="+c.plant()+"&q=https%3A%2F%2Fy.dev%2F%3Fsig%3D"+c.plant()+"#token="+c.plant()))
	keep(v.URL(stripe, InRequest, "https://"+c.plant()+"@x.dev/services/T01234567/B01234567/"+c.plant()))

	names := []string{"client_secret", "secret", "api_key", "apiKey", "access_token", "refreshToken", "id_token", "token", "code_verifier", "client_assertion",
		"assertion", "password", "passwd", "pwd", "pin", "otp", "sig", "signature", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token",
		"jwt", "SAMLResponse", "cvc", "cvv", "account_number", "private_key", "webhook_secret", "signing-secret", "connection_string",
		"secretAccessKey", "sessionToken"}
	var form, json, parts, xml strings.Builder
	for i, name := range names {
		fmt.Fprintf(&form, "a[%s]=%s&", name, c.plant())
		fmt.Fprintf(&json, `"o%d":{"%s":"%s","n":1},`, i, name, c.plant())
		fmt.Fprintf(&parts, "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", name, c.plant())
		fmt.Fprintf(&xml, "<%s>%s</%s>", name, c.plant(), name)
	}
	post := func(contentType, s string) {
		t.Helper()
		b, err := v.Body(stripe, InRequest, contentType, []byte(s))
		keep(string(b), err)
	}
	post(formType, form.String()+"grant_type=x&code="+c.plant())
	post(jsonType, "{"+json.String()+`"neutral":"`+c.planted[1]+`","hex":"`+hex.EncodeToString([]byte(c.planted[2]))+`","b":"`+b64("xy"+c.planted[3])+`"}`)
	post(jsonType, "{"+json.String()) // cut short: a text
	post("multipart/form-data; boundary=b", parts.String()+"--b--\r\n")
	post("application/xml", "<r>"+xml.String()+"</r>")
	post("text/event-stream", "data: {\"token\":\""+c.plant()+"\"}\n\n")
	post("application/octet-stream", "\x00\xffsk_live_"+c.plant()+"\x00")
	for _, prefix := range []string{"sk_test_", "rk_live_", "whsec_", "cuss_secret_", "ghp_", "github_pat_", "glpat-", "ya29.", "sk-ant-api03-", "sk-proj-", "xoxb-", "SG." + c.plant() + "."} {
		post("text/plain", "see "+prefix+c.plant()+" there")
	}

	// Sweeping catches what was written before it was learned.
	early := c.plant()
	b, _ := v.Body(stripe, InResponse, jsonType, []byte(`{"ref":"`+early+`"}`))
	post(formType, "token="+early)
	swept, changed, err := v.Sweep(jsonType, b)
	if !changed {
		t.Error("Sweep leaves what was learned later")
	}
	keep(string(swept), err)

	all := strings.Join(out, "\n")
	lower := strings.ToLower(all)
	for i, secret := range c.planted {
		found := func(spelling, text string) {
			if strings.Contains(all, text) {
				t.Errorf("canary %d (%s) stands %s in the output", i, secret, spelling)
			}
		}
		found("raw", secret)
		found("URL-escaped", url.QueryEscape(secret))
		found("HTML-escaped", html.EscapeString(secret))
		if strings.Contains(lower, hex.EncodeToString([]byte(secret))) {
			t.Errorf("canary %d stands in hex", i)
		}
		for _, text := range base64Spellings(secret) {
			found("in base64", text)
		}
	}
	for _, text := range out {
		if err := v.Check("output", []byte(text)); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

func FuzzBody(f *testing.F) {
	secret := "cN7" + random2
	for _, s := range []string{`{"a":"%","token":"%"}`, `a=%&token=%`, `x % y`, `{"token":"%`, "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n%\r\n--b--\r\n",
		`{"url":"https://u:%@h/?token=%#%","card":"` + card1 + `"}`, `<token>%</token>`, `a_secret_%`, `REDACTED-0001%`, `%REDACTED-0001`, `sk_test_%77`, `eyJhbGciOiJIUzI1NiJ9.e30.%`,
		`{"Authorization":"Basic dXNlcjpwYXNz","password":"x REDACTED-0002"}`, `token=sk_test_1&token=REDACTED000000000001`, "\x00\x9e\x00%", "REDACTED-DAC1%TED-0001%"} {
		for kind := range byte(5) {
			f.Add(s, kind)
		}
	}
	types := []string{jsonType, formType, "text/plain", "multipart/form-data; boundary=b", ""}
	f.Fuzz(func(t *testing.T, text string, kind byte) {
		v := vault(t, Config{})
		body(t, v, stripe, InRequest, formType, "token="+secret)
		contentType := types[int(kind)%len(types)]
		once, err := v.Body(stripe, InRequest, contentType, []byte(strings.ReplaceAll(text, "%", secret)))
		if err != nil {
			return
		}
		if strings.Contains(string(once), secret) {
			t.Errorf("%s of %q holds the secret: %q", contentType, text, once)
		}
		if err := v.Check("body", once); err != nil {
			t.Errorf("%s of %q: %v: %q", contentType, text, err, once)
		}
		twice, _ := v.Body(stripe, InRequest, contentType, once)
		if string(twice) != string(once) {
			t.Errorf("%s not idempotent:\n in    %q\n once  %q\n twice %q", contentType, text, once, twice)
		}
	})
}

func FuzzHeaderAndURL(f *testing.F) {
	secret := "cN7" + random2
	for _, s := range []string{"Bearer %", "a=%; b=%", "https://u:%@h/%?token=%&a=%#%", "/x?code=%&state=1", "<https://x/?sig=%>; rel=x", "Basic dTpw", "%", "sk_test_%", "REDACTED-0001", "Bearer REDACTED-0001 x",
		"Bearer  REDACTED-X-0000000001", "a=\"REDACTED-0001", "//u:p@h", "?#", "https://h/%2F%"} {
		f.Add(s)
	}
	names := []string{"Authorization", "Cookie", "Set-Cookie", "Location", "Link", "X-Api-Key", "X-Other"}
	f.Fuzz(func(t *testing.T, text string) {
		v := vault(t, Config{})
		body(t, v, stripe, InRequest, formType, "token="+secret)
		live := strings.ReplaceAll(text, "%", secret)
		for _, d := range []Direction{InRequest, InResponse} {
			in := http.Header{}
			for _, name := range names {
				in[name] = []string{live}
			}
			once, err := v.Header(stripe, d, in)
			if err != nil {
				t.Fatal(err)
			}
			twice, _ := v.Header(stripe, d, once)
			for _, name := range names {
				if strings.Contains(once[name][0], secret) {
					t.Errorf("%s of %q holds the secret: %q", name, text, once[name][0])
				}
				if twice[name][0] != once[name][0] {
					t.Errorf("%s not idempotent:\n in    %q\n once  %q\n twice %q", name, live, once[name][0], twice[name][0])
				}
			}
		}
		once, err := v.URL(stripe, InRequest, live)
		if err != nil {
			return
		}
		if strings.Contains(once, secret) {
			t.Errorf("URL of %q holds the secret: %q", text, once)
		}
		if twice, err := v.URL(stripe, InRequest, once); err != nil || twice != once {
			t.Errorf("URL not idempotent:\n in    %q\n once  %q\n twice %q, %v", live, once, twice, err)
		}
	})
}
