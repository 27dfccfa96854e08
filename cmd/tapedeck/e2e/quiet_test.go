//go:build e2e

package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapedeck/examples/upstreams"
)

// inventive stands before stripe-mock and answers as the real API does: every object that
// is made gets an id of its own, every answer its time and its request id. It returns
// the flags with which tapedeck finds it.
func inventive(t *testing.T, apis *upstreams.APIs) []string {
	t.Helper()
	transport, err := apis.Transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "https", Host: upstreams.Stripe})
			r.Out.Host = upstreams.Stripe
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: invent,
	}
	dir := t.TempDir()
	ca, cert, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := upstreams.Certificates([]string{upstreams.Stripe}, ca, cert, key); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: proxy}
	go server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}}))
	t.Cleanup(func() { server.Close() })
	return []string{"--upstream-ca", ca, "--resolve", fmt.Sprintf("%s:443:%s", upstreams.Stripe, listener.Addr())}
}

var (
	mockID      = regexp.MustCompile(`"id": "([a-z]+)_([0-9A-Za-z]+)"`)
	mockCreated = regexp.MustCompile(`"(created|created_at|start_date)": \d{10}`)
)

// invent rewrites an answer of stripe-mock, which gives the same one each time.
func invent(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return err
	}
	resp.Header.Set("Request-Id", "req_"+rand.Text()[:14])
	if resp.Request.Method == "POST" && strings.Count(strings.Trim(resp.Request.URL.Path, "/"), "/") < 3 {
		known := map[string]string{}
		body = mockID.ReplaceAllFunc(body, func(found []byte) []byte {
			m := mockID.FindSubmatch(found)
			id := string(m[1]) + "_" + string(m[2])
			if strings.Contains(resp.Request.URL.Path, id) {
				return found // it was made before
			}
			if known[id] == "" {
				known[id] = string(m[1]) + "_1" + rand.Text()[:16]
			}
			return []byte(`"id": "` + known[id] + `"`)
		})
		for id, invented := range known {
			body = bytes.ReplaceAll(body, []byte(id+"_secret_"), []byte(invented+"_secret_"))
		}
	}
	body = mockCreated.ReplaceAll(body, []byte(`"$1": `+strconv.FormatInt(time.Now().Unix(), 10)))
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// manyPy is 64 clients at once: each makes a customer and a payment of its own, and looks
// at both.
const manyPy = `
import os, sys, threading, concurrent.futures, requests
api = "https://api.stripe.com/v1/"
gate = threading.Barrier(64)
def shop(n):
    with requests.Session() as s:
        s.headers["Authorization"] = "Bearer " + os.environ["STRIPE_API_KEY"]
        s.headers["User-Agent"] = "shop/" + os.environ["SDK"]
        out = []
        def send(method, path, **data):
            r = s.request(method, api + path, data=data or None, headers={"Idempotency-Key": os.urandom(8).hex()})
            out.append((method, path.split("/")[0], r.status_code, r.json().get("object")))
            return r.json().get("id", "none")
        gate.wait()
        customer = send("POST", "customers", name="client %d" % n)
        send("GET", "customers/" + customer)
        intent = send("POST", "payment_intents", amount=1000 + n, currency="eur", customer=customer)
        send("GET", "payment_intents/" + intent)
        return n, out
with concurrent.futures.ThreadPoolExecutor(64) as pool:
    for n, out in pool.map(shop, range(64)):
        print("==", n, out)
`

// TestQuiet records Stripe's flows again and again: every id, time and request id is a new
// one, and no byte of the file changes.
func TestQuiet(t *testing.T) {
	apis := startAPIs(t)
	w := newWorkspace(t)
	key, rotated := w.secret("the key that recorded", "sk_test_51"), w.secret("the key that recorded again", "sk_test_51")
	w.learn(t, apis)
	flags := inventive(t, apis)
	many := filepath.Join(w.dir, "many.py")
	if err := os.WriteFile(many, []byte(manyPy), 0o644); err != nil {
		t.Fatal(err)
	}
	all := append(clients(), client{name: "many", argv: []string{programs.python, many}})
	for _, c := range all {
		switch c.name {
		case "curl-http1.1", "node-stripe", "many":
		default:
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			record := func(mode, key, sdk string) string {
				t.Helper()
				r := w.exec(t, c, mode, c.name, append(c.env, "STRIPE_API_KEY="+key, "SDK="+sdk), flags...)
				r.mustEnd(t, 0)
				if strings.Contains(r.stderr, "not carried over") {
					t.Errorf("the values were not carried over: %s", r)
				}
				return read(t, w.cassette(c.name))
			}
			before := record("record-only", key, "1.0")
			if strings.Count(before, "Request-Id:") != interactions(t, w.cassette(c.name)) {
				t.Fatalf("not every answer has a request id: nothing was invented\n%s", shorten(before))
			}
			if after := record("record-only", rotated, "2.0"); after != before {
				a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
				for i := range min(len(a), len(b)) {
					if a[i] != b[i] {
						t.Fatalf("line %d of %d, now %d:\n- %s\n+ %s", i+1, len(a), len(b), a[i], b[i])
					}
				}
				t.Fatalf("%d lines have become %d", len(a), len(b))
			}
			r := w.exec(t, c, "replay-only", c.name, append(c.env, "STRIPE_API_KEY="+key, "SDK=4.0"))
			r.mustEnd(t, 0)
			if got := len(r.steps()); got == 0 {
				t.Errorf("nothing was replayed: %s", r)
			}
		})
	}
	w.mustHoldNoSecret(t)
}
