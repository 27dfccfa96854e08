package flows

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"sync"
)

// shop is a site with a login form. Every page has a CSRF token of its own in a
// hidden input, and one in a header, for scripts; each is good for one use.
type shop struct {
	password string
	ledger   *ledger

	mu       sync.Mutex
	csrf     map[string]bool   // good tokens
	sessions map[string]string // users by session id
	cart     map[string]int    // by user
}

func newShop(c Credentials, l *ledger) *shop {
	return &shop{password: c.LoginPassword, ledger: l, csrf: map[string]bool{}, sessions: map[string]string{}, cart: map[string]int{}}
}

func (s *shop) serve(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Shop+"/login", func(w http.ResponseWriter, _ *http.Request) { s.loginPage(w, http.StatusOK, "") })
	mux.HandleFunc("POST "+Shop+"/login", s.login)
	mux.HandleFunc("GET "+Shop+"/account", s.account)
	mux.HandleFunc("POST "+Shop+"/cart", s.addToCart)
	mux.HandleFunc("POST "+Shop+"/logout", s.logout)
}

// loginPage speaks of passwords as such pages do: redacting a password that is
// the word itself must not take the page to pieces.
func (s *shop) loginPage(w http.ResponseWriter, status int, fault string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<!doctype html>
<title>Log in</title>
<p class="fault">%s</p>
<form method="post" action="/login" data-password-policy="A password has 8 characters">
  <input type="hidden" name="csrf_token" value="%s">
  <label>User <input name="user"></label>
  <label>Password <input type="password" name="password" placeholder="password" autocomplete="current-password"></label>
  <a href="/password/reset?reason=forgotten-password">Forgot your password?</a>
</form>
<p>Never tell anybody your password. A good password is no word, such as "password".</p>
`, html.EscapeString(fault), s.token())
}

// token makes a CSRF token.
func (s *shop) token() string {
	token := s.ledger.mint("a CSRF token", "")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.csrf[token] = true
	return token
}

// spend reports whether a CSRF token was good, which it then no longer is.
func (s *shop) spend(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	good := s.csrf[token]
	delete(s.csrf, token)
	return good
}

func (s *shop) login(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.spend(r.PostFormValue("csrf_token")):
		refuse(w, http.StatusForbidden, "csrf", "the CSRF token is missing, unknown or used")
		return
	case r.PostFormValue("user") != "ada" || !equal(r.PostFormValue("password"), s.password):
		s.loginPage(w, http.StatusUnauthorized, "Wrong user or password. The password is not "+strings.Repeat("*", 8))
		return
	}
	id := s.ledger.mint("a session", "")
	s.mu.Lock()
	s.sessions[id] = "ada"
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: id, Path: "/", MaxAge: 3600, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
	http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark", Path: "/", MaxAge: 3600})
	w.Header().Set("Location", "/account")
	w.WriteHeader(http.StatusSeeOther)
}

// user is who has the session of a request.
func (s *shop) user(r *http.Request) string {
	cookie, err := r.Cookie("sid")
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[cookie.Value]
}

func (s *shop) account(w http.ResponseWriter, r *http.Request) {
	user := s.user(r)
	if user == "" {
		s.loginPage(w, http.StatusUnauthorized, "Please log in.")
		return
	}
	s.mu.Lock()
	items := s.cart[user]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("X-CSRF-Token", s.token())
	fmt.Fprintf(w, `<!doctype html>
<title>%[1]s's account</title>
<p id="cart">%[2]d items</p>
<form method="post" action="/logout"><input value="%[3]s" type="hidden" name="csrf_token"/></form>
<p>Your password was changed 3 days ago. Choose a new password every year.</p>
`, user, items, s.token())
}

// addToCart is what scripts call: JSON, with the token in a header.
func (s *shop) addToCart(w http.ResponseWriter, r *http.Request) {
	user := s.user(r)
	switch {
	case user == "":
		refuse(w, http.StatusUnauthorized, "session", "please log in")
	case !s.spend(r.Header.Get("X-CSRF-Token")):
		refuse(w, http.StatusForbidden, "csrf", "the CSRF token is missing, unknown or used")
	default:
		s.mu.Lock()
		s.cart[user]++
		items := s.cart[user]
		s.mu.Unlock()
		w.Header().Set("X-CSRF-Token", s.token()) // for the next call
		answer(w, http.StatusOK, object{"items": items})
	}
}

func (s *shop) logout(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie("sid")
	if err != nil || !s.spend(r.PostFormValue("csrf_token")) {
		refuse(w, http.StatusForbidden, "csrf", "the CSRF token is missing, unknown or used")
		return
	}
	s.mu.Lock()
	delete(s.sessions, cookie.Value)
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "sid", Path: "/", MaxAge: -1})
	w.Header().Set("Location", "/login")
	w.WriteHeader(http.StatusSeeOther)
}
