package deck_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A shopAPI is an API that invents all that real ones do: ids, times, request ids, ETags,
// cursors, tokens and client secrets. What it answers depends on nothing else but what
// was done before. It is safe for concurrent use.
type shopAPI struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	now    time.Time
	serial int
	things map[string]map[string]any // by path
	orders map[string][]string       // paths by customer id
	// change, if it is not nil, alters the answer to a request of a route.
	change func(route string, body map[string]any)
	token  string // the one that was given out last
	// crowd is how many first requests are answered only when all have come.
	crowd sync.WaitGroup
	left  atomic.Int32
}

func newShopAPI(seed uint64) *shopAPI {
	return &shopAPI{
		rnd: rand.New(rand.NewPCG(seed, 99)), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).Add(time.Duration(seed) * 7 * time.Hour),
		serial: 1000 * int(seed+1), things: map[string]map[string]any{}, orders: map[string][]string{},
	}
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// clock is its time.
func (s *shopAPI) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shopAPI) random(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = base62[s.rnd.IntN(len(base62))]
	}
	return string(b)
}

func (s *shopAPI) uuid() string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", s.rnd.Uint32(), s.rnd.IntN(1<<16), s.rnd.IntN(1<<12), s.rnd.IntN(1<<12), s.rnd.Int64N(1<<48))
}

func (s *shopAPI) id(kind string) string { return kind + "_" + s.random(14) + "k7" }

// last remembers a text.
func (s *shopAPI) last(text string) string {
	s.token = text
	return text
}

// base64Of is a text in base64, as it stands in the middle of a longer one.
func base64Of(text string) string {
	return strings.TrimRight(base64.StdEncoding.EncodeToString([]byte("\""+text+"\"")), "=")
}

func (s *shopAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	if s.left.Add(-1) >= 0 {
		s.crowd.Done()
		s.crowd.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := httptest.NewRecorder()
	s.now = s.now.Add(time.Duration(1+s.rnd.IntN(2000)) * time.Millisecond)
	w.Header().Set("Date", s.now.Format(http.TimeFormat))
	w.Header().Set("Request-Id", "req_"+s.random(14)+"9Z")
	w.Header().Set("X-Trace-Id", s.uuid())
	w.Header().Set("Content-Type", jsonType)
	s.answer(w, req, body)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

func (s *shopAPI) send(w http.ResponseWriter, route string, status int, body map[string]any) {
	if s.change != nil {
		body = maps.Clone(body)
		s.change(route, body)
	}
	w.WriteHeader(status)
	b, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		panic(err)
	}
	w.Write(append(b, '\n'))
}

func (s *shopAPI) answer(w http.ResponseWriter, req *http.Request, body []byte) {
	in := map[string]any{}
	if strings.HasPrefix(req.Header.Get("Content-Type"), formType) {
		form, _ := url.ParseQuery(string(body))
		for name, values := range form {
			in[name] = values[0]
		}
	} else if len(body) > 0 {
		json.Unmarshal(body, &in)
	}
	path := req.URL.Path
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/login":
		s.token = s.random(40)
		s.send(w, "login", 200, map[string]any{"access_token": s.token, "expires_in": 3600, "expires_at": s.now.Add(time.Hour).Unix()})
	case path == "/config":
		s.send(w, "config", 200, map[string]any{"currency": "eur", "version": 3})
	case req.Method == "POST" && path == "/customers":
		id := s.id("cus")
		s.things["/customers/"+id] = map[string]any{
			"id": id, "object": "customer", "name": in["name"], "created": s.now.Unix(), "number": 17,
			"account": s.uuid(), "url": "https://api.shop.dev/customers/" + id,
		}
		w.Header().Set("Location", "/customers/"+id)
		s.send(w, "customer", 201, s.things["/customers/"+id])
	case req.Method == "POST" && len(parts) == 3 && parts[2] == "orders":
		id := s.id("ord")
		s.serial++
		order := map[string]any{
			"id": id, "customer": parts[1], "amount": in["amount"], "created_at": s.now.Format("2006-01-02T15:04:05.000Z"),
			"client_secret": id + "_secret_" + s.random(24), "invoice_id": s.serial,
			"lines": []any{map[string]any{"id": s.id("li"), "sku": "book"}, map[string]any{"id": s.id("li"), "sku": "pen"}},
		}
		s.things["/orders/"+id] = order
		s.orders[parts[1]] = append(s.orders[parts[1]], "/orders/"+id)
		s.send(w, "order", 201, order)
	case path == "/orders":
		s.list(w, req.URL.Query())
	case len(parts) == 2 && parts[0] == "invoices":
		for _, order := range s.things {
			if fmt.Sprint(order["invoice_id"]) == parts[1] {
				s.send(w, "invoice", 200, map[string]any{"id": order["invoice_id"], "order": order["id"], "pdf": "https://files.shop.dev/invoices/" + parts[1] + "?v=2"})
				return
			}
		}
		s.send(w, "gone", 404, map[string]any{"error": "gone"})
	case path == "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		id, created := s.id("evt"), s.now.Unix()
		for i := range 3 {
			fmt.Fprintf(w, "event: delta\ndata: {\"id\":%q,\"created\":%d,\"delta\":\"part %d\"}\n\n", id, created, i)
		}
		io.WriteString(w, "data: [DONE]\n\n")
	case s.things[path] == nil:
		s.send(w, "gone", 404, map[string]any{"error": "no such thing: " + parts[len(parts)-1]})
	case req.Method == "DELETE":
		delete(s.things, path)
		w.WriteHeader(204)
	default:
		if req.Method == "PUT" {
			s.things[path] = maps.Clone(s.things[path])
			maps.Copy(s.things[path], in)
			s.things[path]["updated_at"] = s.now.Format(time.RFC3339)
		}
		w.Header().Set("Etag", `W/"`+s.random(22)+`"`)
		w.Header().Set("Last-Modified", s.now.Format(http.TimeFormat))
		s.send(w, parts[0], 200, s.things[path])
	}
}

// list gives one order, and where the next is.
func (s *shopAPI) list(w http.ResponseWriter, query url.Values) {
	customer := query.Get("customer")
	paths := s.orders[customer]
	at := 0
	if cursor, err := base64.StdEncoding.DecodeString(query.Get("cursor")); err == nil && len(cursor) > 0 {
		at = slices.Index(paths, "/orders/"+strings.TrimPrefix(string(cursor), "after:")) + 1
	}
	out := map[string]any{"object": "list", "data": []any{}}
	if at < len(paths) {
		order := s.things[paths[at]]
		cursor := base64.StdEncoding.EncodeToString([]byte("after:" + order["id"].(string)))
		out["data"] = []any{order}
		out["next_cursor"] = cursor
		w.Header().Set("Link", "<https://api.shop.dev/orders?customer="+customer+"&cursor="+url.QueryEscape(cursor)+`>; rel="next"`)
	}
	s.send(w, "orders", 200, out)
}
