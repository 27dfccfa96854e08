package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tapedeck": main,
		"fetch":    func() { os.Exit(fetch(os.Args[1:])) },
		"waitfile": func() { os.Exit(waitFile(os.Args[1])) },
	})
}

// TestScripts runs each testdata/script/*.txtar: whole scenarios of the command
// line, against an upstream that lives in this process and counts.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			server := httptest.NewTLSServer(upstream())
			env.Defer(server.Close)
			address := strings.TrimPrefix(server.URL, "https://")
			ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			file := filepath.Join(env.WorkDir, "upstream.pem")
			if err := os.WriteFile(file, ca, 0o644); err != nil {
				return err
			}
			// The certificate of httptest is for example.com.
			env.Setenv("TAPEDECK_RESOLVE", "example.com:443:"+address)
			env.Setenv("TAPEDECK_UPSTREAM_CA", file)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			env.Setenv("SECRET", upstreamSecret)
			env.Setenv("KEY", "sk_test_4eC39HqLyjWDarjtT1zdp7dcAAAA")
			env.Setenv("CI", "")
			// Two people, what is played of the first, and one address where two were sent.
			env.Setenv("ANNA", `{"email":"anna.berg@acme.dev","billing":{"name":"Anna Berg","phone":"+4915112345678","address":{"line1":"Hauptstr. 5","postal_code":"10115","city":"Berlin"}},"buyerIp":"84.12.9.100","receipt_to":"anna.berg@acme.dev"}`)
			env.Setenv("BO", `{"email":"bo.ek@acme.dev","billing":{"name":"Bo Ek","phone":"+4915187654321","address":{"line1":"Ring 9","postal_code":"10179","city":"Berlin"}},"buyerIp":"84.12.9.7","receipt_to":"bo.ek@acme.dev"}`)
			env.Setenv("PLAYED", `{"email":"redacted-0001@example.com","billing":{"name":"Redacted-0002","phone":"+19075550103","address":{"line1":"Redacted-0004","postal_code":"10100","city":"Berlin"}},"buyerIp":"198.19.0.5","receipt_to":"redacted-0001@example.com"}`)
			env.Setenv("MIXED", strings.Replace(env.Getenv("BO"), `"receipt_to":"bo`, `"receipt_to":"no.bo`, 1))
			env.Setenv("DATA", `{"t":"acp_Hd83kfPq0sVnZmW5tRxLbY","note":"shh","inner":{"note":"shh"},"token":"4711-kept","pin":"1234","password":"hunter2"}`)
			for _, name := range []string{"PLAIN", "OTHER"} {
				local := httptest.NewServer(upstream())
				env.Defer(local.Close)
				env.Setenv(name, strings.Replace(strings.TrimPrefix(local.URL, "http://"), "127.0.0.1", "localhost", 1))
				tenant := map[string]string{"PLAIN": "x7f9k2m4q8zt", "OTHER": "a1b2c3d4e5f6"}[name]
				env.Setenv("TAPEDECK_RESOLVE", env.Getenv("TAPEDECK_RESOLVE")+","+tenant+".hooks.example.com:80:"+strings.TrimPrefix(local.URL, "http://"))
			}
			env.Values["upstream"] = server
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// stop-upstream makes the network a place where nothing answers.
			"stop-upstream": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Value("upstream").(*httptest.Server).Close()
			},
		},
	})
}

const upstreamSecret = "cuss_secret_QXhWeUEtZoDV8FHnNbPiBHmAkXKnqYLGMGq7LLf8ODSQ8gL"

func upstream() http.Handler {
	var n atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"n":%d,"client_secret":%q}`, n.Add(1), upstreamSecret)
	})
	// /echo answers with what it is sent, as an API does that stores it.
	mux.HandleFunc("/echo/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Write(body)
	})
	mux.HandleFunc("/brotli", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "secret-squeeze")
		io.WriteString(w, "not readable")
	})
	mux.HandleFunc("/fail", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	// /flaky fails every other time.
	var calls atomic.Int64
	mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%2 == 1 {
			w.WriteHeader(503)
		}
	})
	return mux
}

// fetch is a small client that, like most, goes where the environment says:
//
//	fetch [-X METHOD] [-H 'Name: value'] [-d DATA] [-p PROXY] URL
//
// Go's client never goes to loopback through a proxy; -p does.
// It prints status and body, and ends with 0 whatever the status.
func fetch(args []string) int {
	method, body, header := "GET", "", http.Header{}
	client := &http.Client{}
	for len(args) > 1 {
		switch args[0] {
		case "-X":
			method = args[1]
		case "-d":
			body = args[1]
			if method == "GET" {
				method = "POST"
			}
		case "-p":
			proxy, err := url.Parse(args[1])
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 2
			}
			client.Transport = &http.Transport{Proxy: http.ProxyURL(proxy)}
		case "-H":
			name, value, _ := strings.Cut(args[1], ": ")
			header.Add(name, value)
		default:
			fmt.Fprintln(os.Stderr, "fetch: unknown flag", args[0])
			return 2
		}
		args = args[2:]
	}
	req, err := http.NewRequest(method, args[0], strings.NewReader(body))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header = header
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("%d %s\n", resp.StatusCode, got)
	return 0
}

// waitFile waits until a file stands where --ready-file names one, and prints it.
func waitFile(name string) int {
	for range 3000 {
		if data, err := os.ReadFile(name); err == nil {
			os.Stdout.Write(data)
			return 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "waitfile: nobody wrote", name)
	return 1
}
