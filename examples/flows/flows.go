// Package flows serves, on this machine, the APIs whose flows are hard to
// replay once their secrets are gone: tokens that one answer hands out and the
// next request sends, users that only a credential tells apart, signatures that
// are made anew for every request.
//
//	credentials := flows.NewCredentials()
//	servers, err := flows.Start(dir, credentials, time.Now)
//	exec.Command("tapedeck", append(servers.Flags(), …)...)
//	servers.Stop()
//	servers.Secrets() // none of them may be found anywhere
//
// The servers check what they are given as the real ones do, and refuse what is
// wrong. All that is secret is random and new in each run; all else, ids
// included, is the same in each, so that two recordings differ in nothing but
// their secrets.
package flows

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"tapedeck/examples/canary"
	"tapedeck/examples/upstreams"
)

// The names the servers answer to.
const (
	Auth     = "auth.acme.dev"                       // OAuth: tokens
	Orders   = "api.acme.dev"                        // what the tokens are for, and users with tokens and passwords of their own
	Shop     = "shop.acme.dev"                       // a site with a login form, a session and CSRF tokens
	Stripe   = "api.stripe.com"                      // payments, cards, webhook endpoints
	Files    = "files.s3.eu-central-1.amazonaws.com" // signed URLs
	Twilio   = "api.twilio.com"
	Telegram = "api.telegram.org"
	Slack    = "hooks.slack.com"
)

var hosts = []string{Auth, Orders, Shop, Stripe, Files, Twilio, Telegram, Slack}

// Servers are running.
type Servers struct {
	// Address is where they all listen, such as "127.0.0.1:40123".
	Address string
	// CA is a file with the certificate that signed theirs, in PEM.
	CA string

	ledger *ledger
	server *http.Server
	ended  chan error
}

// Start starts the servers, which know the clients by their credentials. now is
// their clock. Certificates go into dir, which must exist.
func Start(dir string, c Credentials, now func() time.Time) (*Servers, error) {
	s := &Servers{CA: filepath.Join(dir, "ca.pem"), ledger: &ledger{}, ended: make(chan error, 1)}
	cert, key := filepath.Join(dir, "servers.pem"), filepath.Join(dir, "servers.key")
	if err := upstreams.Certificates(hosts, s.CA, cert, key); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.Address = listener.Addr().String()
	for _, known := range c.secrets() {
		s.ledger.note(known.Name, known.Value)
	}

	mux := http.NewServeMux()
	newOAuth(c, s.ledger, now).serve(mux)
	newPeople(c).serve(mux)
	newShop(c, s.ledger).serve(mux)
	newPayments(c, s.ledger).serve(mux)
	newStorage(c, s.ledger, now).serve(mux)
	newMessages(c).serve(mux)
	s.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	go func() { s.ended <- s.server.ServeTLS(listener, "", "") }()
	return s, nil
}

// Flags are what tapedeck needs to reach the servers under their real names.
func (s *Servers) Flags() []string {
	flags := []string{"--upstream-ca", s.CA}
	for _, host := range hosts {
		flags = append(flags, "--resolve", fmt.Sprintf("%s:443:%s", host, s.Address))
	}
	return flags
}

// Secrets are all that were used so far: the credentials and what the servers
// have handed out.
func (s *Servers) Secrets() []canary.Secret { return s.ledger.list() }

// Stop ends the servers and waits until they are gone. It may be called twice.
func (s *Servers) Stop() error {
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

// object is a JSON object in the making.
type object map[string]any

// answer writes a JSON answer. Members come in alphabetical order.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away
}

// refuse writes an error as most APIs do.
func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, object{"error": object{"code": code, "message": message}})
}
