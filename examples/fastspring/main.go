// Command fastspring is a small server that behaves like FastSpring's "create
// session": enough of it to record, and nothing that needs an account.
//
//	go run ./examples/fastspring -listen 127.0.0.1:8081
//
// What a caller may set depends on who calls: tags, the order of payment
// methods and hidden ones need FastSpring's basic credentials, and so does an
// address of the buyer that overrides the country.
// See https://developer.fastspring.com/reference/createsession.
package main

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "`address` to listen on; port 0 takes a free one")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(http.Serve(listener, routes()))
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/checkouts/{store}/{checkout}/sessions", createSession)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "not_found", "No such endpoint.")
	})
	return mux
}

// order is the body of a request.
type order struct {
	Language            string            `json:"language"`
	Country             string            `json:"country"`
	BuyerIP             string            `json:"buyerIp"`
	Live                *bool             `json:"live"`
	Customer            map[string]any    `json:"customer"`
	OrderTags           map[string]string `json:"orderTags"`
	Cart                cart              `json:"cart"`
	PaymentMethodsOrder []paymentMethod   `json:"paymentMethodsOrder"`
	HidePaymentMethods  []paymentMethod   `json:"hidePaymentMethods"`
}

type cart struct {
	Items   []item   `json:"items"`
	Coupons []string `json:"coupons,omitempty"`
}

type item struct {
	Product  string `json:"product"`
	Quantity int    `json:"quantity"`
}

type paymentMethod struct {
	Type string `json:"type"`
}

// session is the answer.
type session struct {
	ID             string            `json:"id"`
	CheckoutPath   string            `json:"checkoutPath"`
	CheckoutStatus string            `json:"checkoutStatus"`
	CheckoutURLs   map[string]string `json:"checkoutUrls"`
	Language       string            `json:"language"`
	Country        string            `json:"country"`
	Currency       string            `json:"currency"`
	Live           bool              `json:"live"`
	Customer       map[string]any    `json:"customer,omitempty"`
	OrderTags      map[string]string `json:"orderTags,omitempty"`
	PaymentMethods []paymentMethod   `json:"paymentMethods"`
	Cart           cart              `json:"cart"`
	Totals         totals            `json:"totals"`
	Created        int64             `json:"created"` // milliseconds
	Expires        int64             `json:"expires"` // milliseconds
	// Account is what only the seller sees.
	Account *account `json:"account,omitempty"`
}

type totals struct {
	Subtotal float64 `json:"subtotal"`
	Tax      float64 `json:"tax"`
	Total    float64 `json:"total"`
}

type account struct {
	Seller string  `json:"seller"`
	Payout float64 `json:"payout"`
}

var prices = map[string]float64{"falcon": 19.9, "falcon-support": 5, "heron": 120}

var taxes = map[string]float64{"DE": 0.19, "JP": 0.1, "SE": 0.25, "US": 0}

var currencies = map[string]string{"DE": "EUR", "JP": "JPY", "SE": "SEK", "US": "USD"}

// countries locates the networks reserved for documentation (RFC 5737, RFC 3849).
var countries = map[string]string{
	"192.0.2.0/24":    "US",
	"198.51.100.0/24": "DE",
	"203.0.113.0/24":  "JP",
	"2001:db8::/32":   "SE",
}

// methods is the shop's own order of payment methods.
var methods = []paymentMethod{{"card"}, {"paypal"}, {"wire"}, {"sepa"}}

func createSession(w http.ResponseWriter, r *http.Request) {
	user, password, hasCredentials := r.BasicAuth()
	if hasCredentials && (user == "" || password == "") {
		w.Header().Set("WWW-Authenticate", `Basic realm="FastSpring"`)
		refuse(w, http.StatusUnauthorized, "unauthorized", "The credentials are not valid.")
		return
	}
	store := r.PathValue("store")
	if store != "acme" {
		refuse(w, http.StatusNotFound, "not_found", "There is no store of this name.")
		return
	}

	var in order
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_body", err.Error())
		return
	}
	if field := in.restricted(); field != "" && !hasCredentials {
		refuse(w, http.StatusForbidden, "authentication_required", field+" requires an authenticated request.")
		return
	}
	country, err := in.buyerCountry(hasCredentials)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_buyer_ip", err.Error())
		return
	}
	subtotal, err := in.Cart.subtotal()
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_cart", err.Error())
		return
	}

	now := time.Now()
	path := store + "/" + r.PathValue("checkout")
	id := rand.Text()
	out := session{
		ID:             id,
		CheckoutPath:   path,
		CheckoutStatus: "ready",
		CheckoutURLs:   map[string]string{"webcheckoutUrl": "https://acme.onfastspring.com/" + path + "/session/" + id},
		Language:       in.Language,
		Country:        country,
		Currency:       currencies[country],
		Live:           in.Live == nil || *in.Live,
		Customer:       in.Customer,
		OrderTags:      in.OrderTags,
		PaymentMethods: in.paymentMethods(),
		Cart:           in.Cart,
		Created:        now.UnixMilli(),
		Expires:        now.Add(24 * time.Hour).UnixMilli(),
	}
	tax := cents(subtotal * taxes[country])
	out.Totals = totals{Subtotal: subtotal, Tax: tax, Total: cents(subtotal + tax)}
	if hasCredentials {
		out.Account = &account{Seller: store, Payout: cents(subtotal * 0.941)}
	}
	answer(w, http.StatusCreated, out)
}

// restricted is the first field that needs credentials, or "".
func (o order) restricted() string {
	switch {
	case o.OrderTags != nil:
		return "orderTags"
	case o.PaymentMethodsOrder != nil:
		return "paymentMethodsOrder"
	case o.HidePaymentMethods != nil:
		return "hidePaymentMethods"
	}
	return ""
}

// buyerCountry infers the country from the buyer's address. An address sent
// with credentials overrides a country; one sent without only fills it in.
func (o order) buyerCountry(authenticated bool) (string, error) {
	if o.Country != "" && (o.BuyerIP == "" || !authenticated) {
		return o.Country, nil
	}
	if o.BuyerIP == "" {
		return "US", nil
	}
	buyer, err := netip.ParseAddr(o.BuyerIP)
	if err != nil {
		return "", fmt.Errorf("buyerIp is not an IP address")
	}
	for network, country := range countries {
		if netip.MustParsePrefix(network).Contains(buyer) {
			return country, nil
		}
	}
	return "US", nil
}

// paymentMethods puts the named methods first, in the order given, and leaves
// out those that are hidden. Methods that the shop has not are suppressed.
func (o order) paymentMethods() []paymentMethod {
	out := []paymentMethod{}
	for _, method := range slices.Concat(o.PaymentMethodsOrder, methods) {
		offered := slices.Contains(methods, method) && !slices.Contains(o.HidePaymentMethods, method)
		if offered && !slices.Contains(out, method) {
			out = append(out, method)
		}
	}
	return out
}

func (c cart) subtotal() (float64, error) {
	var sum float64
	for _, item := range c.Items {
		price, ok := prices[item.Product]
		if !ok {
			return 0, fmt.Errorf("there is no product %q", item.Product)
		}
		if item.Quantity < 1 {
			return 0, fmt.Errorf("the quantity of %q must be 1 or more", item.Product)
		}
		sum += price * float64(item.Quantity)
	}
	if slices.ContainsFunc(c.Coupons, func(code string) bool { return strings.EqualFold(code, "SPRING") }) {
		sum *= 0.9
	}
	return cents(sum), nil
}

func cents(amount float64) float64 { return float64(int64(amount*100+0.5)) / 100 }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", rand.Text())
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}
