package verify

import (
	"io"
	"net/http"
	"testing"
)

// shop is an API whose ids, tokens and cursors are new in every process.
func shop(generation string, key string) http.Handler {
	mux := http.NewServeMux()
	token := "at" + generation + "9hX2mQ7vRkLwZ4pTnB8sYc3d"
	id := "cus_" + generation + "Nab8Kq2LmX9v"
	reply := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}
	mux.HandleFunc("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "shop-client" || password != key {
			w.WriteHeader(401)
			return
		}
		reply(w, `{"access_token":"`+token+`","token_type":"Bearer"}`)
	})
	guarded := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+token {
				w.WriteHeader(401)
				reply(w, `{"error":"no"}`)
				return
			}
			h(w, r)
		}
	}
	mux.HandleFunc("POST /customers", guarded(func(w http.ResponseWriter, r *http.Request) {
		reply(w, `{"id":"`+id+`","number":`+generation+`,"client_secret":"`+id+`_secret_`+generation+`k3J8sQ0wZ5xV7bN2"}`)
	}))
	mux.HandleFunc("GET /customers/{id}", guarded(func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != id {
			w.WriteHeader(404)
			return
		}
		reply(w, `{"id":"`+id+`","name":"Ada"}`)
	}))
	mux.HandleFunc("GET /customers", guarded(func(w http.ResponseWriter, r *http.Request) {
		cursor := "cur" + generation + "aa11bb22"
		if after := r.URL.Query().Get("starting_after"); after != "" && after != cursor {
			w.WriteHeader(400)
			return
		}
		reply(w, `{"data":[{"id":"`+id+`"}],"next_cursor":"`+cursor+`"}`)
	}))
	mux.HandleFunc("POST /confirm", guarded(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("client_secret") != id+"_secret_"+generation+"k3J8sQ0wZ5xV7bN2" || r.FormValue("customer") != id {
			w.WriteHeader(400)
			return
		}
		reply(w, `{"ok":true}`)
	}))
	return mux
}

// record makes the calls of a program that uses the shop.
func record(t *testing.T, e environment) *recorder {
	t.Helper()
	r := newRecorder(t, e, shop("1", e["SHOP_SECRET"]))
	basic, _ := http.NewRequest("GET", "https://x", nil)
	basic.SetBasicAuth("shop-client", e["SHOP_SECRET"])
	token := r.call(call{"POST", "https://api.acme.dev/oauth/token", basic.Header, `{"grant_type":"client_credentials"}`})["access_token"].(string)
	bearer := func() http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	made := r.call(call{"POST", "https://api.acme.dev/customers", bearer(), `{"name":"Ada"}`})
	id := made["id"].(string)
	r.call(call{"GET", "https://api.acme.dev/customers/" + id, bearer(), ""})
	form := bearer()
	form.Set("Content-Type", "application/x-www-form-urlencoded")
	form.Set("Idempotency-Key", "8c1f2f0e-7a1b-4a57-9d58-0f6b8f0f3a10")
	r.call(call{"POST", "https://api.acme.dev/confirm", form, "client_secret=" + made["client_secret"].(string) + "&customer=" + id})
	cursor := r.call(call{"GET", "https://api.acme.dev/customers", bearer(), ""})["next_cursor"].(string)
	r.call(call{"GET", "https://api.acme.dev/customers?starting_after=" + cursor, bearer(), ""})
	for _, s := range r.stored {
		if s.Status != 200 {
			t.Fatalf("recording failed: %s %s → %d", s.Method, s.URL, s.Status)
		}
	}
	return r
}
