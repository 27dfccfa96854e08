package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// startServer runs the program in this process and returns its address; stop ends
// it as a signal would, and gives the exit code and all that it said.
func startServer(t *testing.T, args ...string) (address string, stop func() (int, string)) {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "address")
	ctx, cancel := context.WithCancel(t.Context())
	var said syncBuffer
	ended := make(chan int, 1)
	go func() {
		args := append(append([]string{"tapedeck"}, args...), "--listen", "127.0.0.1:0", "--ready-file", ready)
		ended <- run(ctx, args, stdio{strings.NewReader(""), io.Discard, &said})
	}()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if data, err := os.ReadFile(ready); err == nil {
			address = strings.TrimSpace(string(data))
			break
		}
		select {
		case code := <-ended:
			t.Fatalf("it ended with %d: %s", code, said.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not listen: %s", said.String())
		}
	}
	return address, func() (int, string) {
		cancel()
		return <-ended, said.String()
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// clientOf makes a client whose requests belong to a session. It speaks HTTP/1.1: Go's
// HTTP/2 server gives a new connection two seconds for its settings, which 200 at once
// can miss on a machine that does much else.
func clientOf(t *testing.T, address, session string, pool *x509.CertPool) *http.Client {
	t.Helper()
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: address, User: url.UserPassword(session, "x")}),
		TLSClientConfig: &tls.Config{RootCAs: pool},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func authorityOf(t *testing.T, address string) *x509.CertPool {
	t.Helper()
	resp, err := http.Get("http://" + address + "/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(data) {
		t.Fatalf("no certificate: %v", err)
	}
	return pool
}

// TestManySessions lets 200 sessions call one proxy at once. The first half has
// been recorded and is played; the other half is recorded. Each session sends its
// own name and must get answers about that name only, in its own order.
func TestManySessions(t *testing.T) {
	const sessions, requests = 200, 4
	var mu sync.Mutex
	served := make(map[string]int)
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		served[string(who)]++
		n := served[string(who)]
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"who":%q,"n":%d}`, who, n)
	}))
	defer api.Close()
	dir := t.TempDir()
	upstreamCA := filepath.Join(dir, "upstream.pem")
	if err := os.WriteFile(upstreamCA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HOME": dir, "XDG_CACHE_HOME": dir, "XDG_CONFIG_HOME": dir, "CI": "",
		"TAPEDECK_TOKEN": "a token for this test",
	} {
		t.Setenv(name, value)
	}
	args := []string{"proxy", "--mode", "record-once", "--cassettes", filepath.Join(dir, "tapes"), "--config", "/dev/null",
		"--resolve", "example.com:443:" + strings.TrimPrefix(api.URL, "https://"), "--upstream-ca", upstreamCA}
	call := func(address string, first, last int) {
		pool := authorityOf(t, address)
		var all sync.WaitGroup
		for i := first; i < last; i++ {
			name := fmt.Sprintf("suite/test-%d", i)
			client := clientOf(t, address, name, pool)
			all.Go(func() {
				for n := 1; n <= requests; n++ {
					resp, err := client.Post("https://example.com/", "text/plain", strings.NewReader(name))
					if err != nil {
						t.Error(err)
						return
					}
					got, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if want := fmt.Sprintf(`{"who":%q,"n":%d}`, name, n); err != nil || string(got) != want {
						t.Errorf("%s got %s (%v), want %s", name, got, err, want)
						return
					}
				}
			})
		}
		all.Wait()
	}

	address, stop := startServer(t, args...)
	call(address, 0, sessions/2)
	if code, said := stop(); code != 0 || t.Failed() {
		t.Fatalf("recording the first half ended with %d: %s", code, said)
	}
	address, stop = startServer(t, args...)
	call(address, 0, sessions)
	for _, c := range []struct {
		session, mode    string
		played, recorded int
	}{
		{"suite/test-7", "replay-only", requests, 0},
		{fmt.Sprintf("suite/test-%d", sessions-1), "record-only", 0, requests},
	} {
		req, _ := http.NewRequest("GET", "http://"+address+"/sessions/"+c.session, nil)
		req.Header.Set("Authorization", "Bearer a token for this test")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Mode             string
			Played, Recorded int
		}
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got.Mode != c.mode || got.Played != c.played || got.Recorded != c.recorded {
			t.Errorf("session %s: %+v, want %+v", c.session, got, c)
		}
	}
	if code, said := stop(); code != 0 || t.Failed() {
		t.Fatalf("the mixed run ended with %d: %s", code, said)
	}
	for name, n := range served {
		if n != requests {
			t.Errorf("the API saw %d requests of %s, want %d", n, name, requests)
		}
	}
	if len(served) != sessions {
		t.Errorf("the API saw %d sessions, want %d", len(served), sessions)
	}
	files, err := filepath.Glob(filepath.Join(dir, "tapes", "suite", "*.yaml"))
	if err != nil || len(files) != sessions {
		t.Errorf("%d cassettes (%v), want %d", len(files), err, sessions)
	}
}
