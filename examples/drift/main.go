// Command drift is a small API that has two versions. Version 2 drops, adds and
// retypes members, renames a value of an enumeration and takes an endpoint away, as
// APIs do while nobody looks. "tapedeck verify" finds it.
//
//	go run ./examples/drift -listen 127.0.0.1:8082 -version 1
//
// Ids, tokens and cursors are new in every process, and so is the seller's data: what
// one process gave out is unknown to the next. Who calls proves it with an access
// token, which the client "shop" gets for the secret in the variable SHOP_SECRET.
package main

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8082", "`address` to listen on; port 0 takes a free one")
	version := flag.Int("version", 1, "`which` version to be: 1 or 2")
	busy := flag.Bool("busy", false, "answer every other request with 429")
	flag.Parse()
	secret := os.Getenv("SHOP_SECRET")
	if secret == "" || *version < 1 || *version > 2 {
		log.Fatal("set SHOP_SECRET, and -version to 1 or 2")
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	handler := newAPI(*version, secret).routes()
	if *busy {
		handler = everyOther(handler)
	}
	log.Fatal(http.Serve(listener, handler))
}

// everyOther turns every other request away for a moment.
func everyOther(next http.Handler) http.Handler {
	var mu sync.Mutex
	away := false
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		away = !away
		now := away
		mu.Unlock()
		if now {
			w.Header().Set("Retry-After", "0")
			refuse(w, http.StatusTooManyRequests, "slow down")
			return
		}
		next.ServeHTTP(w, r)
	})
}

type object = map[string]any

// An api holds what one process has given out.
type api struct {
	version int
	secret  string

	mu       sync.Mutex
	token    string
	products []object
	cursors  map[string]int // where the page behind a cursor starts
	orders   map[string]object
}

func newAPI(version int, secret string) *api {
	a := &api{version: version, secret: secret, cursors: map[string]int{}, orders: map[string]object{}}
	for i, name := range []string{"loom", "engine", "mill", "press", "wheel"} {
		a.products = append(a.products, a.product(name, 1999+500*i))
	}
	return a
}

// product is where the versions differ most.
func (a *api) product(name string, cents int) object {
	p := object{"id": newID("prod"), "name": name, "status": "active", "price": cents, "weight_grams": 1200, "updated_at": now()}
	if a.version == 2 {
		delete(p, "weight_grams")
		p["currency"] = "eur"
		p["price"] = fmt.Sprintf("%d.%02d", cents/100, cents%100)
		p["status"] = "live"
	}
	return p
}

func (a *api) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", a.issue)
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /v1/products":       a.listProducts,
		"GET /v1/products/{id}":  a.getProduct,
		"POST /v1/orders":        a.createOrder,
		"GET /v1/orders/{id}":    a.getOrder,
		"DELETE /v1/orders/{id}": a.deleteOrder,
		"GET /v1/report":         a.report,
	} {
		mux.HandleFunc(pattern, a.guarded(handler))
	}
	return mux
}

// issue is the token endpoint (RFC 6749, 4.4).
func (a *api) issue(w http.ResponseWriter, r *http.Request) {
	if client, secret, _ := r.BasicAuth(); client != "shop" || secret != a.secret {
		refuse(w, http.StatusUnauthorized, "unknown client")
		return
	}
	a.mu.Lock()
	a.token = rand.Text()
	token := a.token
	a.mu.Unlock()
	answer(w, http.StatusOK, object{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

func (a *api) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.token == "" || r.Header.Get("Authorization") != "Bearer "+a.token {
			refuse(w, http.StatusUnauthorized, "a valid access token is needed")
			return
		}
		next(w, r)
	}
}

// perPage is how many products a page of the list holds.
const perPage = 2

func (a *api) listProducts(w http.ResponseWriter, r *http.Request) {
	start := 0
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		var known bool
		if start, known = a.cursors[cursor]; !known {
			refuse(w, http.StatusBadRequest, "unknown cursor")
			return
		}
	}
	end := min(start+perPage, len(a.products))
	page := object{"data": a.products[start:end], "has_more": end < len(a.products)}
	if end < len(a.products) {
		next := newID("cur")
		a.cursors[next] = end
		page["next_cursor"] = next
	}
	answer(w, http.StatusOK, page)
}

func (a *api) getProduct(w http.ResponseWriter, r *http.Request) {
	for _, p := range a.products {
		if p["id"] == r.PathValue("id") {
			answer(w, http.StatusOK, p)
			return
		}
	}
	refuse(w, http.StatusNotFound, "no such product")
}

func (a *api) createOrder(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Product  string `json:"product"`
		Quantity int    `json:"quantity"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "the body is not JSON")
		return
	}
	for _, p := range a.products {
		if p["id"] != in.Product {
			continue
		}
		id := newID("ord")
		a.orders[id] = object{
			"id": id, "product": in.Product, "quantity": in.Quantity, "status": "open", "created": now(),
			"client_secret": id + "_secret_" + rand.Text(), "number": len(a.orders) + 1,
		}
		answer(w, http.StatusCreated, a.orders[id])
		return
	}
	refuse(w, http.StatusUnprocessableEntity, "no such product")
}

func (a *api) getOrder(w http.ResponseWriter, r *http.Request) {
	order, known := a.orders[r.PathValue("id")]
	if !known {
		refuse(w, http.StatusNotFound, "no such order")
		return
	}
	answer(w, http.StatusOK, order)
}

func (a *api) deleteOrder(w http.ResponseWriter, r *http.Request) {
	if _, known := a.orders[r.PathValue("id")]; !known {
		refuse(w, http.StatusNotFound, "no such order")
		return
	}
	delete(a.orders, r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

// report is gone in version 2.
func (a *api) report(w http.ResponseWriter, _ *http.Request) {
	if a.version == 2 {
		refuse(w, http.StatusGone, "reports have moved")
		return
	}
	answer(w, http.StatusOK, object{"products": len(a.products), "generated_at": now()})
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

func newID(prefix string) string { return prefix + "_" + strings.ToLower(rand.Text()[:16]) + "7k" }

func answer(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", newID("req"))
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, object{"error": object{"message": message}})
}
