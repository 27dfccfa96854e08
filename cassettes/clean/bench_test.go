package clean

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/redact"
)

// What a payment API is asked and answers: about 2 KB together, with a key, a cookie
// and a client secret in it. Every %s is a secret.
const (
	benchForm = "amount=2000&currency=eur&customer=cus_NffrFeUfNV2Hib&payment_method_types[]=card&payment_method_types[]=sepa_debit&" +
		"metadata[order_id]=6735&metadata[run]=nightly&description=Order+6735+of+the+shop&receipt_email=jenny.rosen%40example.com&" +
		"shipping[name]=Jenny+Rosen&shipping[address][line1]=510+Townsend+St&shipping[address][city]=San+Francisco&confirm=false"

	benchIntent = `{
  "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
  "object": "payment_intent",
  "amount": 2000,
  "amount_capturable": 0,
  "amount_details": {"tip": {}},
  "amount_received": 0,
  "application": null,
  "application_fee_amount": null,
  "automatic_payment_methods": {"enabled": true},
  "canceled_at": null,
  "cancellation_reason": null,
  "capture_method": "automatic",
  "client_secret": "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_%s",
  "confirmation_method": "automatic",
  "created": 1680800504,
  "currency": "eur",
  "customer": "cus_NffrFeUfNV2Hib",
  "description": "Order 6735 of the shop",
  "last_payment_error": null,
  "latest_charge": null,
  "livemode": false,
  "metadata": {"order_id": "6735", "run": "nightly"},
  "next_action": null,
  "on_behalf_of": null,
  "payment_method": null,
  "payment_method_options": {
    "card": {"installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic"},
    "link": {"persistent_token": null}
  },
  "payment_method_types": ["card", "sepa_debit"],
  "processing": null,
  "receipt_email": "jenny.rosen@example.com",
  "review": null,
  "setup_future_usage": null,
  "shipping": {
    "address": {"city": "San Francisco", "country": "US", "line1": "510 Townsend St", "line2": null, "postal_code": "94103", "state": "CA"},
    "carrier": null, "name": "Jenny Rosen", "phone": null, "tracking_number": null
  },
  "source": null,
  "statement_descriptor": null,
  "status": "requires_payment_method",
  "transfer_data": null,
  "transfer_group": null
}
`
)

// A benchTraffic is one request and its answer, as they come off the wire.
type benchTraffic struct {
	request  *http.Request
	form     []byte
	response *http.Response
	intent   []byte
}

func newBenchTraffic(b *testing.B, key, session, secret string) benchTraffic {
	b.Helper()
	req, err := http.NewRequest("POST", "https://api.stripe.com/v1/payment_intents?expand[]=customer", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.RequestURI = "/v1/payment_intents?expand[]=customer"
	req.Header = http.Header{
		"Authorization":   {"Bearer sk_test_" + key},
		"Content-Type":    {"application/x-www-form-urlencoded"},
		"Stripe-Version":  {"2025-03-31.basil"},
		"Idempotency-Key": {"6f2a9f0e-7d0c-4a51-9a26-1f6f0f0d4b11"},
		"User-Agent":      {"Stripe/v1 GoBindings/82.0.0"},
		"Accept-Encoding": {"gzip"},
	}
	return benchTraffic{
		request: req, form: []byte(benchForm), intent: fmt.Appendf(nil, benchIntent, secret),
		response: &http.Response{
			Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ContentLength: int64(len(benchIntent)), Body: io.NopCloser(strings.NewReader("")),
			Header: http.Header{
				"Content-Type":                     {"application/json"},
				"Content-Length":                   {"1900"},
				"Date":                             {"Wed, 21 Oct 2026 07:28:00 GMT"},
				"Request-Id":                       {"req_aBcDeFgHiJkLmN"},
				"Idempotency-Key":                  {"6f2a9f0e-7d0c-4a51-9a26-1f6f0f0d4b11"},
				"Stripe-Version":                   {"2025-03-31.basil"},
				"Set-Cookie":                       {"machine_id=" + session + "; Path=/; Domain=stripe.com; Secure; HttpOnly; SameSite=Lax"},
				"Location":                         {"https://api.stripe.com/v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa"},
				"Strict-Transport-Security":        {"max-age=63072000; includeSubDomains; preload"},
				"Cache-Control":                    {"no-cache, no-store"},
				"Vary":                             {"Origin"},
				"Access-Control-Allow-Origin":      {"*"},
				"Access-Control-Allow-Credentials": {"true"},
			},
		},
	}
}

func benchCleaner(b *testing.B) *Cleaner {
	b.Helper()
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		b.Fatal(err)
	}
	stored := map[string]bool{"Authorization": true, "Stripe-Version": true, "Idempotency-Key": true}
	return &Cleaner{
		Vault:              redact.NewVault(rules),
		KeepRequestHeader:  func(_ redact.Scope, name string) bool { return stored[name] },
		DropResponseHeader: Noise,
	}
}

// benchSecret is the nth of many secrets.
func benchSecret(n int) string { return fmt.Sprintf("q%xZt2Lm%xvRb%x", n*2654435761, n*40503, n) }

func (t benchTraffic) redact(b *testing.B, c *Cleaner) Interaction {
	b.Helper()
	req, err := c.Request(t.request, t.form)
	if err != nil {
		b.Fatal(err)
	}
	in, err := c.Interaction(req, Answer{Response: t.response, Body: t.intent})
	if err != nil {
		b.Fatal(err)
	}
	return in
}

// BenchmarkRecord redacts a request and its answer: "known" with the secrets of the
// round before, "new" with a client secret that each answer invents.
func BenchmarkRecord(b *testing.B) {
	b.Run("known", func(b *testing.B) {
		c, t := benchCleaner(b), newBenchTraffic(b, benchSecret(1), benchSecret(2), benchSecret(3))
		b.SetBytes(int64(len(t.form) + len(t.intent)))
		b.ReportAllocs()
		for b.Loop() {
			t.redact(b, c)
		}
	})
	b.Run("new", func(b *testing.B) {
		c, n := benchCleaner(b), 2
		t := newBenchTraffic(b, benchSecret(0), benchSecret(1), "")
		b.SetBytes(int64(len(t.form) + len(t.intent)))
		b.ReportAllocs()
		for b.Loop() {
			t.intent = fmt.Appendf(nil, benchIntent, benchSecret(n))
			n++
			t.redact(b, c)
		}
	})
}

// BenchmarkGate is Check of what BenchmarkRecord makes, which every append pays too.
func BenchmarkGate(b *testing.B) {
	c := benchCleaner(b)
	in := newBenchTraffic(b, benchSecret(1), benchSecret(2), benchSecret(3)).redact(b, c)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Check(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay redacts a request whose secrets are known already.
func BenchmarkReplay(b *testing.B) {
	c, t := benchCleaner(b), newBenchTraffic(b, benchSecret(1), benchSecret(2), benchSecret(3))
	t.redact(b, c)
	b.SetBytes(int64(len(t.form)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Request(t.request, t.form); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkManySecrets records interactions of which each brings a new secret. What
// one costs must not depend on how many there are: the vault has learned all of them.
func BenchmarkManySecrets(b *testing.B) {
	for _, interactions := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(interactions), func(b *testing.B) {
			for b.Loop() {
				c := benchCleaner(b)
				t := newBenchTraffic(b, benchSecret(0), benchSecret(1), "")
				for n := range interactions {
					t.intent = fmt.Appendf(nil, benchIntent, benchSecret(n+2))
					if err := c.Check(t.redact(b, c)); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*interactions), "ns/interaction")
		})
	}
}
