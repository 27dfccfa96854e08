// Command digitalriver is a small server that behaves like Digital River's
// Customers resource: enough of it to record, and nothing that needs an account.
//
//	go run ./examples/digitalriver -listen 127.0.0.1:8082
//
// It remembers: the same GET has another answer after an update, and none after
// a delete. Identifiers and times are new in every run.
package main

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8082", "`address` to listen on; port 0 takes a free one")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(http.Serve(listener, (&customers{byID: map[string]*customer{}}).routes()))
}

// customer is what the API returns.
type customer struct {
	ID                   string       `json:"id"`
	CreatedTime          time.Time    `json:"createdTime"`
	UpdatedTime          time.Time    `json:"updatedTime"`
	Email                string       `json:"email,omitempty"`
	DefaultSourceID      string       `json:"defaultSourceId,omitempty"`
	RequestToBeForgotten bool         `json:"requestToBeForgotten"`
	Type                 string       `json:"type"`
	Locale               string       `json:"locale,omitempty"`
	Enabled              bool         `json:"enabled"`
	LiveMode             bool         `json:"liveMode"`
	Sources              []attachment `json:"sources,omitempty"`
	TaxIdentifiers       []attachment `json:"taxIdentifiers,omitempty"`
}

// attachment is a payment source or a tax identifier held by a customer.
type attachment struct {
	ID           string    `json:"id"`
	AttachedTime time.Time `json:"attachedTime"`
}

// changes is the body of a create or an update: what is absent stays.
type changes struct {
	ID                   *string `json:"id"`
	Email                *string `json:"email"`
	DefaultSourceID      *string `json:"defaultSourceId"`
	RequestToBeForgotten *bool   `json:"requestToBeForgotten"`
	Type                 *string `json:"type"`
	Locale               *string `json:"locale"`
	Enabled              *bool   `json:"enabled"`
}

type customers struct {
	mu   sync.Mutex
	byID map[string]*customer
}

func (cs *customers) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /customers", cs.create)
	mux.HandleFunc("GET /customers/{id}", cs.with(cs.get))
	mux.HandleFunc("POST /customers/{id}", cs.with(cs.update))
	mux.HandleFunc("DELETE /customers/{id}", cs.with(cs.remove))
	sources := func(c *customer) *[]attachment { return &c.Sources }
	mux.HandleFunc("POST /customers/{id}/sources/{attachment}", cs.with(attach(sources)))
	mux.HandleFunc("DELETE /customers/{id}/sources/{attachment}", cs.with(detach(sources)))
	taxIdentifiers := func(c *customer) *[]attachment { return &c.TaxIdentifiers }
	mux.HandleFunc("POST /customers/{id}/tax-identifiers/{attachment}", cs.with(attach(taxIdentifiers)))
	mux.HandleFunc("DELETE /customers/{id}/tax-identifiers/{attachment}", cs.with(detach(taxIdentifiers)))
	return cs.authenticated(mux)
}

// authenticated refuses who brings no bearer token, and serves one at a time.
func (cs *customers) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || token == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "unauthorized", "A bearer token is required.")
			return
		}
		cs.mu.Lock()
		defer cs.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// with finds the customer named in the path.
func (cs *customers) with(do func(http.ResponseWriter, *http.Request, *customer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := cs.byID[r.PathValue("id")]
		if !ok {
			refuse(w, http.StatusNotFound, "not_found", "Customer not found.")
			return
		}
		do(w, r, c)
	}
}

func (cs *customers) create(w http.ResponseWriter, r *http.Request) {
	in, ok := read(w, r)
	if !ok {
		return
	}
	now := time.Now().UTC().Truncate(time.Second)
	c := &customer{ID: newID(), CreatedTime: now, UpdatedTime: now, Type: "individual", Enabled: true}
	if in.ID != nil {
		c.ID = *in.ID
	}
	if _, taken := cs.byID[c.ID]; taken {
		refuse(w, http.StatusConflict, "already_exists", "A customer with this id exists.")
		return
	}
	c.apply(in)
	cs.byID[c.ID] = c
	w.Header().Set("Location", "/customers/"+c.ID)
	answer(w, http.StatusCreated, c)
}

func (cs *customers) get(w http.ResponseWriter, _ *http.Request, c *customer) {
	answer(w, http.StatusOK, c)
}

func (cs *customers) update(w http.ResponseWriter, r *http.Request, c *customer) {
	in, ok := read(w, r)
	if !ok {
		return
	}
	c.apply(in)
	c.touch()
	answer(w, http.StatusOK, c)
}

func (cs *customers) remove(w http.ResponseWriter, _ *http.Request, c *customer) {
	delete(cs.byID, c.ID)
	w.WriteHeader(http.StatusNoContent)
}

func attach(list func(*customer) *[]attachment) func(http.ResponseWriter, *http.Request, *customer) {
	return func(w http.ResponseWriter, r *http.Request, c *customer) {
		id := r.PathValue("attachment")
		if slices.ContainsFunc(*list(c), func(a attachment) bool { return a.ID == id }) {
			refuse(w, http.StatusConflict, "already_attached", "It is attached already.")
			return
		}
		added := attachment{ID: id, AttachedTime: time.Now().UTC().Truncate(time.Second)}
		*list(c) = append(*list(c), added)
		c.touch()
		answer(w, http.StatusOK, added)
	}
}

func detach(list func(*customer) *[]attachment) func(http.ResponseWriter, *http.Request, *customer) {
	return func(w http.ResponseWriter, r *http.Request, c *customer) {
		id := r.PathValue("attachment")
		held := len(*list(c))
		*list(c) = slices.DeleteFunc(*list(c), func(a attachment) bool { return a.ID == id })
		if len(*list(c)) == held {
			refuse(w, http.StatusNotFound, "not_found", "It is not attached.")
			return
		}
		c.touch()
		w.WriteHeader(http.StatusNoContent)
	}
}

func (c *customer) apply(in changes) {
	set(&c.Email, in.Email)
	set(&c.DefaultSourceID, in.DefaultSourceID)
	set(&c.RequestToBeForgotten, in.RequestToBeForgotten)
	set(&c.Type, in.Type)
	set(&c.Locale, in.Locale)
	set(&c.Enabled, in.Enabled)
}

// touch moves the time of the last update on, by a second at least: whoever
// reads twice must see that something happened.
func (c *customer) touch() {
	now := time.Now().UTC().Truncate(time.Second)
	if !now.After(c.UpdatedTime) {
		now = c.UpdatedTime.Add(time.Second)
	}
	c.UpdatedTime = now
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// newID is a number of ten digits, as in the documentation's examples.
func newID() string {
	n, err := rand.Int(rand.Reader, big.NewInt(9_000_000_000))
	if err != nil {
		panic(err) // crypto/rand never fails on the systems Go supports
	}
	return fmt.Sprint(n.Int64() + 1_000_000_000)
}

func read(w http.ResponseWriter, r *http.Request) (in changes, ok bool) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_body", err.Error())
		return in, false
	}
	return in, true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{
		"type":   "error",
		"errors": []map[string]string{{"code": code, "message": message}},
	})
}
