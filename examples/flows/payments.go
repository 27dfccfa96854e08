package flows

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
)

// payments is the part of Stripe's API in which secrets travel: an intent's
// client secret, a webhook's signing secret, and the numbers of cards, on
// which the answer depends.
type payments struct {
	key    string
	ledger *ledger

	mu      sync.Mutex
	secrets map[string]string // client secrets by the id of their intent
}

func newPayments(c Credentials, l *ledger) *payments {
	return &payments{key: c.StripeKey, ledger: l, secrets: map[string]string{}}
}

func (p *payments) serve(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"POST /v1/payment_intents":              p.createIntent,
		"POST /v1/setup_intents":                p.createIntent,
		"GET /v1/payment_intents/{id}":          p.readIntent,
		"POST /v1/payment_intents/{id}/confirm": p.confirmIntent,
		"POST /v1/client_secrets/check":         p.check,
		"POST /v1/webhook_endpoints":            p.createEndpoint,
		"POST /v1/charges":                      p.charge,
		"POST /v1/tokens":                       p.tokenize,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+Stripe+path, handler)
	}
}

// mayAct accepts the secret key. It answers if that is missing.
func (p *payments) mayAct(w http.ResponseWriter, r *http.Request) bool {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && equal(token, p.key) {
		return true
	}
	refuse(w, http.StatusUnauthorized, "api_key", "Invalid API Key provided")
	return false
}

func (p *payments) createIntent(w http.ResponseWriter, r *http.Request) {
	if !p.mayAct(w, r) {
		return
	}
	id := "pi_3NabCdEfGhIjKlMn0OpQrStU"
	if strings.Contains(r.URL.Path, "setup") {
		id = "seti_1NabCdEfGhIjKlMn0OpQrStU"
	}
	secret := p.ledger.mint("a client secret", id+"_secret_")
	p.mu.Lock()
	p.secrets[id] = secret
	p.mu.Unlock()
	answer(w, http.StatusOK, object{"id": id, "client_secret": secret, "amount": r.PostFormValue("amount"), "status": "requires_payment_method"})
}

// holds reports whether a client secret is that of the intent.
func (p *payments) holds(id, secret string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.secrets[id] != "" && equal(p.secrets[id], secret)
}

// readIntent needs no key but the intent's own secret, as Stripe's does for browsers.
func (p *payments) readIntent(w http.ResponseWriter, r *http.Request) {
	id, secret := r.PathValue("id"), r.URL.Query().Get("client_secret")
	if !p.holds(id, secret) {
		refuse(w, http.StatusUnauthorized, "payment_intent_unexpected_state", "The client_secret provided does not match")
		return
	}
	answer(w, http.StatusOK, object{"id": id, "client_secret": secret, "status": "requires_confirmation"})
}

func (p *payments) confirmIntent(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !p.holds(id, r.PostFormValue("client_secret")) {
		refuse(w, http.StatusUnauthorized, "payment_intent_unexpected_state", "The client_secret provided does not match")
		return
	}
	answer(w, http.StatusOK, object{"id": id, "status": "succeeded"})
}

// check takes a list of client secrets under a name that says nothing.
func (p *payments) check(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Intents []string `json:"intents"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "json", "the body is not JSON")
		return
	}
	good := make([]bool, len(asked.Intents))
	for i, secret := range asked.Intents {
		id, _, _ := strings.Cut(secret, "_secret_")
		good[i] = p.holds(id, secret)
	}
	answer(w, http.StatusOK, object{"good": good})
}

// createEndpoint hands out a signing secret once, as Stripe and Svix do: what
// follows "whsec_" is base64 there.
func (p *payments) createEndpoint(w http.ResponseWriter, r *http.Request) {
	if !p.mayAct(w, r) {
		return
	}
	secret := base64.StdEncoding.EncodeToString([]byte(randomHex(12)))
	p.ledger.note("a webhook's signing secret", secret)
	answer(w, http.StatusOK, object{"id": "we_1NabCdEfGhIjKlMn0OpQrStU", "url": r.PostFormValue("url"), "secret": "whsec_" + secret})
}

// declined are the cards and tokens that no payment is made with. All others
// that look like one are charged.
var declined = map[string]bool{
	"4000000000000002": true, "tok_chargeDeclined": true, // published by Stripe, for tests
	"4539578763621486": true, // looks like anybody's
}

func (p *payments) charge(w http.ResponseWriter, r *http.Request) {
	if !p.mayAct(w, r) {
		return
	}
	source := r.PostFormValue("source")
	if source == "" {
		source = r.PostFormValue("card[number]")
	}
	if declined[source] {
		refuse(w, http.StatusPaymentRequired, "card_declined", "Your card was declined.")
		return
	}
	answer(w, http.StatusOK, object{"id": "ch_3NabCdEfGhIjKlMn0OpQrStU", "amount": r.PostFormValue("amount"), "paid": true})
}

// tokenize is a second place for cards: a JSON body with a number among others.
func (p *payments) tokenize(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Card struct {
			Number string `json:"number"`
		} `json:"card"`
	}
	if !p.mayAct(w, r) {
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "json", "the body is not JSON")
		return
	}
	if declined[asked.Card.Number] {
		refuse(w, http.StatusPaymentRequired, "card_declined", "Your card was declined.")
		return
	}
	answer(w, http.StatusOK, object{"id": "tok_1NabCdEfGhIjKlMn0OpQrStU", "used": false})
}
