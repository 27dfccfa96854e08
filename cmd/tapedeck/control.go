package main

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"

	"tapedeck/proxy/deck"
)

// status is what GET /status answers.
type status struct {
	Address  string        `json:"address"`
	Mode     deck.Mode     `json:"mode"`
	Cassette string        `json:"cassette"`
	Decks    []deck.Report `json:"cassettes"`
}

// control is the API on the proxy's own address and at http://tapedeck.invalid/.
// What changes or tells anything needs the token; the certificate does not.
func (s *station) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ca.pem", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		w.Write(s.authority.CertPEM())
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "ok", "version": version()})
	})
	mux.HandleFunc("GET /status", s.authorized(func(w http.ResponseWriter, _ *http.Request) error {
		reply(w, http.StatusOK, s.status())
		return nil
	}))
	mux.HandleFunc("POST /rewind", s.authorized(func(w http.ResponseWriter, _ *http.Request) error {
		if err := s.rack.Rewind(""); err != nil {
			return err
		}
		return done(w)
	}))
	mux.HandleFunc("POST /sessions/{name...}", s.authorized(func(w http.ResponseWriter, r *http.Request) error {
		return s.sessionAction(w, r)
	}))
	mux.HandleFunc("PUT /sessions/{name...}", s.authorized(func(w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Cassette string `json:"cassette"`
		}
		decoder := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&body); err != nil || body.Cassette == "" {
			return errors.New(`the body must be {"cassette": "NAME"}`)
		}
		name := r.PathValue("name")
		if err := s.rack.Assign(name, body.Cassette); err != nil {
			return err
		}
		return s.replySession(w, name)
	}))
	mux.HandleFunc("GET /sessions", s.authorized(func(w http.ResponseWriter, _ *http.Request) error {
		reply(w, http.StatusOK, map[string]any{"sessions": s.rack.Sessions()})
		return nil
	}))
	mux.HandleFunc("GET /sessions/{name...}", s.authorized(func(w http.ResponseWriter, r *http.Request) error {
		return s.replySession(w, r.PathValue("name"))
	}))
	mux.HandleFunc("DELETE /sessions/{name...}", s.authorized(func(w http.ResponseWriter, r *http.Request) error {
		report, err := s.rack.End(r.PathValue("name"))
		if err != nil {
			return err
		}
		reply(w, http.StatusOK, report)
		return nil
	}))
	mux.HandleFunc("POST /save", s.authorized(func(w http.ResponseWriter, _ *http.Request) error {
		if err := s.rack.Save(""); err != nil {
			return err
		}
		return done(w)
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusNotFound, problem("this is tapedeck's own address; use it as a proxy (HTTPS_PROXY=http://"+s.address+"), or GET /ca.pem or /health"))
	})
	return guarded(mux)
}

// replySession answers with what a session has done: a test asks for it at its end.
func (s *station) replySession(w http.ResponseWriter, name string) error {
	report, err := s.rack.Session(name)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, report)
	return nil
}

// sessionAction serves POST /sessions/NAME/rewind and /save; NAME may hold slashes.
func (s *station) sessionAction(w http.ResponseWriter, r *http.Request) error {
	name, action := path.Split(r.PathValue("name"))
	name = strings.TrimSuffix(name, "/")
	switch {
	case name != "" && action == "rewind":
		if err := s.rack.Rewind(name); err != nil {
			return err
		}
	case name != "" && action == "save":
		if err := s.rack.Save(name); err != nil {
			return err
		}
	default:
		return errors.New("use POST /sessions/NAME/rewind or POST /sessions/NAME/save")
	}
	return done(w)
}

func (s *station) status() status {
	out := status{Address: s.address, Mode: s.mode, Cassette: s.label()}
	for _, d := range s.rack.Decks() {
		out.Decks = append(out.Decks, d.Report())
	}
	return out
}

func (s *station) authorized(f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	want := []byte("Bearer " + s.token)
	return func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			reply(w, http.StatusUnauthorized, problem("the control API needs Authorization: Bearer with the value of TAPEDECK_TOKEN"))
			return
		}
		if err := f(w, r); err != nil {
			reply(w, http.StatusBadRequest, problem(err.Error()))
		}
	}
}

func problem(text string) any {
	return map[string]any{"error": map[string]string{"type": "tapedeck_error", "message": "tapedeck: " + text}}
}

func done(w http.ResponseWriter) error {
	reply(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

func reply(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	writeJSON(w, value) // the client may have gone; there is nobody else to tell
}

// writeJSON writes JSON as people read it.
func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
