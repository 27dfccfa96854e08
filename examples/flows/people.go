package flows

import (
	"net/http"
	"strings"
	"sync"
)

// people is an API whose users only their credentials tell apart.
type people struct {
	passwords map[string]string // by user
	tokens    map[string]string // users by token

	mu     sync.Mutex
	visits map[string]int // by user
}

func newPeople(c Credentials) *people {
	return &people{
		passwords: map[string]string{"alice": c.AlicePassword, "bob": c.BobPassword},
		tokens:    map[string]string{c.AliceToken: "alice", c.BobToken: "bob"},
		visits:    map[string]int{},
	}
}

func (p *people) serve(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Orders+"/me", func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		p.me(w, p.tokens[token], "Bearer")
	})
	mux.HandleFunc("GET "+Orders+"/basic/me", func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if want := p.passwords[user]; !ok || want == "" || !equal(password, want) {
			user = ""
		}
		p.me(w, user, `Basic realm="acme"`)
	})
	mux.HandleFunc("GET "+Orders+"/v1/catalog", p.catalog)
}

func (p *people) me(w http.ResponseWriter, user, challenge string) {
	if user == "" {
		w.Header().Set("WWW-Authenticate", challenge)
		refuse(w, http.StatusUnauthorized, "unauthorized", "nobody has these credentials")
		return
	}
	p.mu.Lock()
	p.visits[user]++
	visit := p.visits[user]
	p.mu.Unlock()
	answer(w, http.StatusOK, object{"name": user, "visit": visit})
}

// catalog answers everybody: with prices whom it knows, without them who sends
// no token. A wrong token is refused.
func (p *people) catalog(w http.ResponseWriter, r *http.Request) {
	header := r.Header.Get("Authorization")
	if header == "" {
		answer(w, http.StatusOK, object{"items": []object{{"name": "loom"}, {"name": "engine"}}})
		return
	}
	token, _ := strings.CutPrefix(header, "Bearer ")
	user := p.tokens[token]
	if user == "" {
		refuse(w, http.StatusUnauthorized, "unauthorized", "nobody has this token")
		return
	}
	answer(w, http.StatusOK, object{"for": user, "items": []object{{"name": "loom", "price": 1200}, {"name": "engine", "price": 99000}}})
}
