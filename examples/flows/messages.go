package flows

import (
	"io"
	"net/http"
	"strings"
)

// messages are three APIs that keep credentials in odd places: Twilio's account
// is user name and path segment at once, Telegram's and Slack's tokens are
// segments of the path.
type messages struct{ c Credentials }

func newMessages(c Credentials) messages { return messages{c} }

func (m messages) serve(mux *http.ServeMux) {
	mux.HandleFunc("POST "+Twilio+"/2010-04-01/Accounts/{account}/Messages.json", m.twilioSend)
	mux.HandleFunc("GET "+Twilio+"/2010-04-01/Accounts/{account}/Messages/{message}", m.twilioRead)
	mux.HandleFunc(Telegram+"/{bot}/{method}", m.telegram)
	mux.HandleFunc("POST "+Slack+"/services/", m.slack)
}

// isTwilio accepts an account's own credentials for its own messages. It answers if they are wrong.
func (m messages) isTwilio(w http.ResponseWriter, r *http.Request) bool {
	account, token, _ := r.BasicAuth()
	if account == TwilioAccount && r.PathValue("account") == account && equal(token, m.c.TwilioToken) {
		return true
	}
	answer(w, http.StatusUnauthorized, object{"code": 20003, "message": "Authenticate", "status": 401})
	return false
}

func (m messages) twilioSend(w http.ResponseWriter, r *http.Request) {
	if !m.isTwilio(w, r) {
		return
	}
	const id = "SM0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	answer(w, http.StatusCreated, object{
		"sid": id, "account_sid": TwilioAccount, "body": r.PostFormValue("Body"), "status": "queued",
		"uri": "/2010-04-01/Accounts/" + TwilioAccount + "/Messages/" + id + ".json",
	})
}

func (m messages) twilioRead(w http.ResponseWriter, r *http.Request) {
	if !m.isTwilio(w, r) {
		return
	}
	answer(w, http.StatusOK, object{"sid": strings.TrimSuffix(r.PathValue("message"), ".json"), "account_sid": TwilioAccount, "status": "delivered"})
}

func (m messages) telegram(w http.ResponseWriter, r *http.Request) {
	if token, ok := strings.CutPrefix(r.PathValue("bot"), "bot"); !ok || !equal(token, m.c.TelegramToken) {
		answer(w, http.StatusUnauthorized, object{"ok": false, "error_code": 401, "description": "Unauthorized"})
		return
	}
	switch r.PathValue("method") {
	case "getMe":
		answer(w, http.StatusOK, object{"ok": true, "result": object{"id": 110201543, "is_bot": true, "username": "loom_bot"}})
	case "sendMessage":
		answer(w, http.StatusOK, object{"ok": true, "result": object{"message_id": 7, "text": r.PostFormValue("text")}})
	default:
		answer(w, http.StatusNotFound, object{"ok": false, "error_code": 404, "description": "Not Found"})
	}
}

func (m messages) slack(w http.ResponseWriter, r *http.Request) {
	if !equal("https://"+Slack+r.URL.Path, m.c.SlackHook) {
		http.Error(w, "invalid_token", http.StatusForbidden)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		_, _ = io.WriteString(w, "ok") // a client that has gone away
	}
}
