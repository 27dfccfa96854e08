package redact

import (
	"fmt"
	"strings"
	"testing"
)

// stripeObject is about 2 KB of JSON as an API answers it.
var stripeObject = func() string {
	var b strings.Builder
	b.WriteString(`{"id":"cs_test_a1YS1URlnFJ3bSDpHwi6EWMVUG5Lt2tRgAY6","object":"checkout.session","client_secret":"cs_test_a1YS1URl_secret_fidwbEhqYWAnPydmcHZxamgneCUl","line_items":[`)
	for i := range 10 {
		fmt.Fprintf(&b, `{"id":"li_1Nab%08d","amount_total":%d,"currency":"eur","description":"A thing of some length","price":{"id":"price_1Nab%08d","active":true,"metadata":{}}},`, i, i*100, i)
	}
	b.WriteString(`null],"url":"https://checkout.stripe.com/c/pay/cs_test_a1YS1URl","customer":"cus_Nab123","livemode":false}`)
	return b.String()
}()

func BenchmarkBodyJSON(b *testing.B) {
	for _, learned := range []int{0, 100, 10000} {
		b.Run(fmt.Sprintf("%d known", learned), func(b *testing.B) {
			v := benchVault(b, learned)
			in := []byte(stripeObject)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Body(stripe, InResponse, jsonType, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCleanJSON is the usual case: nothing in the body is secret.
func BenchmarkCleanJSON(b *testing.B) {
	v := benchVault(b, 100)
	in, err := v.Body(stripe, InResponse, jsonType, []byte(stripeObject))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Body(stripe, InResponse, jsonType, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, learned := range []int{0, 100, 10000} {
		b.Run(fmt.Sprintf("%d known", learned), func(b *testing.B) {
			v := benchVault(b, learned)
			clean, err := v.Body(stripe, InResponse, jsonType, []byte(stripeObject))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(clean)))
			b.ReportAllocs()
			for b.Loop() {
				if err := v.Check("entry", clean); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkText(b *testing.B) {
	v := benchVault(b, 100)
	page := []byte(strings.Repeat(`<div class="row"><a href="/x/y?page=2">A link to somewhere</a> and "some": "text" in it.</div>`+"\n", 1000))
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if _, err := v.Body(stripe, InResponse, "text/html", page); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkURL(b *testing.B) {
	v := benchVault(b, 100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.URL(stripe, InRequest, "https://api.stripe.com/v1/customers/cus_123/sources?limit=3&expand[]=data"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLarge redacts bodies of 1 MB in which a few secrets stand.
func BenchmarkLarge(b *testing.B) {
	const size = 1 << 20
	fill := func(start, one, secret, end string) []byte {
		var out strings.Builder
		out.WriteString(start)
		for n := 0; out.Len() < size; n++ {
			if n%1000 == 500 {
				fmt.Fprintf(&out, secret, n, random2, n)
			} else {
				fmt.Fprintf(&out, one, n)
			}
		}
		out.WriteString(end)
		return []byte(out.String())
	}
	const charge = `{"id":"ch_3Mt%08d","object":"charge","amount":2000,"captured":true,"created":1680800504,"currency":"eur","description":"Order of the shop",` +
		`"billing_details":{"address":{"city":null,"country":"DE"},"email":"jenny.rosen@example.com","name":null},"failure_code":null,"livemode":false,"metadata":{},` +
		`"outcome":{"network_status":"approved_by_network","risk_level":"normal","seller_message":"Payment complete.","type":"authorized"},"paid":true,"receipt_url":"https://pay.stripe.com/receipts/x"`
	for _, c := range []struct {
		name, contentType string
		body              []byte
	}{
		{"JSON", jsonType, fill(`{"object":"list","url":"/v1/charges","data":[`, charge+"},\n", charge+`,"client_secret":"pi_3Nab_secret_%s%d"},`+"\n", "null]}")},
		{"HTML", "text/html", fill("<!DOCTYPE html>\n<html><body>\n",
			`<div class="row"><a href="/x/y?page=%d">A link to somewhere</a> and "some": "text" in it.</div>`+"\n",
			`<div class="row" id="%d">The key is sk_test_%s%d here.</div>`+"\n", "</body></html>\n")},
		{"SSE", "text/event-stream", fill("",
			`data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1720000000,"choices":[{"index":0,"delta":{"content":" word %d"},"finish_reason":null}]}`+"\n\n",
			`data: {"id":"%d","session":{"client_secret":"%s%d"}}`+"\n\n", "data: [DONE]\n\n")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := vault(b, Config{}).Body(stripe, InResponse, c.contentType, c.body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchVault(b *testing.B, learned int) *Vault {
	b.Helper()
	v := vault(b, Config{})
	for i := range learned {
		secret := fmt.Sprintf("%x%s%d", i*2654435761, random2[i%7:], i)
		v.learn(secret, "name-token", secret)
	}
	return v
}

// BenchmarkConfigured redacts the usual body, in which nothing is secret, with what
// people add to the rules: an expression with and without a literal start, a rule about
// hosts, personal data.
func BenchmarkConfigured(b *testing.B) {
	for _, c := range []struct {
		name string
		cfg  Config
	}{
		{"plain", Config{}},
		{"literal", Config{Add: []Rule{{ID: "acp", Value: `acp_\w{30}`, Reason: "x"}}}},
		{"loose", Config{Add: []Rule{{ID: "acp", Value: `(?i)\bacp-[a-z]+-\w{30}`, Reason: "x"}}}},
		{"host", Config{Add: []Rule{{ID: "tenant", Host: `([a-z0-9]+)\.acme\.dev`, Reason: "x"}}}},
		{"pii", Config{PII: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			v := vault(b, c.cfg)
			in, err := v.Body(stripe, InResponse, jsonType, []byte(stripeObject))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Body(stripe, InResponse, jsonType, in); err != nil {
					b.Fatal(err)
				}
				if err := v.Check("body", in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
