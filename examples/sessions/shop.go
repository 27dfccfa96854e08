// Package sessions serves, on this machine, the shop that the test suites of
// this folder talk to: in Go, Python, Node and shell, all their tests at once,
// through one tapedeck that has a cassette for each test.
//
//	shop, err := sessions.Start(dir, key)
//	exec.Command("tapedeck", append([]string{"exec", "--cassettes", "cassettes"}, shop.Flags()...)...)
//	shop.Stop()
//
// The shop numbers the orders of all callers in one row. So the same request of
// two tests has two answers, and a test that is given the other's is found out.
package sessions

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"tapedeck/examples/upstreams"
)

// Host is the name that the shop answers to.
const Host = "api.shop.example"

// prices are in the smallest unit of each currency.
var prices = map[string]int{"EUR": 1250, "USD": 1375, "JPY": 2000}

// A Shop is running.
type Shop struct {
	address string // where it listens, such as "127.0.0.1:40123"
	ca      string // a file with the certificate that signed the shop's
	key     string
	server  *http.Server
	ended   chan error

	mu     sync.Mutex
	orders []*order
}

type order struct {
	ID       string `json:"id"`
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
	Currency string `json:"currency"`
	Total    int    `json:"total"`
	Status   string `json:"status"`
}

// Start starts a shop whose clients have this key. Certificates go into dir,
// which must exist.
func Start(dir, key string) (*Shop, error) {
	s := &Shop{ca: filepath.Join(dir, "ca.pem"), key: key, ended: make(chan error, 1)}
	cert, private := filepath.Join(dir, "shop.pem"), filepath.Join(dir, "shop.key")
	if err := upstreams.Certificates([]string{Host}, s.ca, cert, private); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(cert, private)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = listener.Addr().String()
	s.server = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	go func() { s.ended <- s.server.ServeTLS(listener, "", "") }()
	return s, nil
}

// Flags are what tapedeck needs to reach the shop under its name.
func (s *Shop) Flags() []string {
	return []string{"--upstream-ca", s.ca, "--resolve", Host + ":443:" + s.address}
}

// Orders counts the orders that were made.
func (s *Shop) Orders() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.orders)
}

// Stop ends the shop and waits until it is gone. It may be called twice.
func (s *Shop) Stop() error {
	if s.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	s.server = nil
	return err
}

func (s *Shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.add)
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.change(w, r, func(*order) {})
	})
	mux.HandleFunc("POST /orders/{id}/refund", func(w http.ResponseWriter, r *http.Request) {
		s.change(w, r, func(o *order) { o.Status = "refunded" })
	})
	want := []byte("Bearer " + s.key)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			refuse(w, http.StatusUnauthorized, "the key is not known")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Shop) add(w http.ResponseWriter, r *http.Request) {
	o := &order{Status: "open"}
	if err := json.NewDecoder(r.Body).Decode(o); err != nil || o.Item == "" || o.Quantity < 1 || prices[o.Currency] == 0 {
		refuse(w, http.StatusBadRequest, "an order has an item, a quantity and a currency")
		return
	}
	o.Total = o.Quantity * prices[o.Currency]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, o)
	o.ID = fmt.Sprintf("ord_%d", len(s.orders))
	answer(w, http.StatusCreated, o)
}

func (s *Shop) change(w http.ResponseWriter, r *http.Request, f func(*order)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if o.ID == r.PathValue("id") {
			f(o)
			answer(w, http.StatusOK, o)
			return
		}
	}
	refuse(w, http.StatusNotFound, "there is no such order")
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"error": message})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away
}
