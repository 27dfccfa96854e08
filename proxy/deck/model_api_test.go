package deck_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
)

// fakeAPI is a small API with a state: customers with sources on one host, and on
// another files that customers show. What it answers depends on nothing but what
// was done before, the ids apart; lists are in order of names.
type fakeAPI struct {
	newID     func(kind string) string
	customers map[string]*fakeCustomer
	files     map[string]*fakeFile
}

type fakeCustomer struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Note    string            `json:"note,omitempty"`
	File    *fakeFile         `json:"file,omitempty"`
	Sources map[string]string `json:"-"` // types by id
	List    []fakeSource      `json:"sources"`
}

type fakeSource struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type fakeFile struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// newFakeAPI makes one whose ids are short and counted from start, or long and random.
func newFakeAPI(start int, long bool) *fakeAPI {
	n := start
	rnd := rand.New(rand.NewPCG(uint64(start), 1))
	return &fakeAPI{customers: map[string]*fakeCustomer{}, files: map[string]*fakeFile{}, newID: func(kind string) string {
		n++
		if !long {
			return fmt.Sprintf("%s_%d", kind, n)
		}
		return fmt.Sprintf("%s_%dk%07x%07xZ", kind, n%10, rnd.Uint32()>>4, rnd.Uint32()>>4)
	}}
}

// RoundTrip answers as the API, so that it can stand as an upstream.
func (f *fakeAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	status, body := f.answer(req)
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		if err := json.NewEncoder(w).Encode(body); err != nil {
			return nil, err
		}
	}
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

var gone = map[string]string{"error": "no such thing"}

func (f *fakeAPI) answer(req *http.Request) (int, any) {
	var in struct{ Name, Note, Type, Title, File string }
	if req.Body != nil && req.Body != http.NoBody {
		if err := json.NewDecoder(req.Body).Decode(&in); err != nil {
			return 400, map[string]string{"error": "not JSON"}
		}
	}
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	if req.URL.Host == "files.acme.dev" {
		return f.fileAnswer(req.Method, parts, in.Title)
	}
	if parts[0] == "search" {
		return 200, f.list(func(c *fakeCustomer) bool { return strings.HasPrefix(c.Name, in.Name) })
	}
	if len(parts) == 1 {
		if req.Method == "POST" {
			c := &fakeCustomer{ID: f.newID("cus"), Name: in.Name, Sources: map[string]string{}}
			f.customers[c.ID] = c
			return 201, f.show(c)
		}
		return 200, f.list(func(*fakeCustomer) bool { return true })
	}
	c := f.customers[parts[1]]
	if c == nil {
		return 404, gone
	}
	if len(parts) > 2 {
		return f.sourceAnswer(req.Method, c, parts[3:], in.Type)
	}
	switch req.Method {
	case "DELETE":
		delete(f.customers, c.ID)
		return 204, nil
	case "PUT":
		if in.Note != "" {
			c.Note = in.Note
		}
		if file := f.files[in.File]; file != nil {
			c.File = file
		}
		return 200, map[string]bool{"ok": true}
	}
	return 200, f.show(c)
}

func (f *fakeAPI) fileAnswer(method string, parts []string, title string) (int, any) {
	if len(parts) == 1 {
		file := &fakeFile{f.newID("file"), title}
		f.files[file.ID] = file
		return 201, *file
	}
	file := f.files[parts[1]]
	switch {
	case file == nil:
		return 404, gone
	case method == "PUT":
		file.Title = title
		return 200, map[string]bool{"ok": true}
	}
	return 200, *file
}

func (f *fakeAPI) sourceAnswer(method string, c *fakeCustomer, rest []string, kind string) (int, any) {
	if len(rest) == 0 {
		if method == "POST" {
			id := f.newID("src")
			c.Sources[id] = kind
			return 201, fakeSource{id, kind}
		}
		return 200, map[string]any{"data": f.show(c).List}
	}
	if _, ok := c.Sources[rest[0]]; !ok {
		return 404, gone
	}
	if method == "DELETE" {
		delete(c.Sources, rest[0])
		return 204, nil
	}
	return 200, fakeSource{rest[0], c.Sources[rest[0]]}
}

func (f *fakeAPI) show(c *fakeCustomer) fakeCustomer {
	out := *c
	out.List = []fakeSource{}
	for id, kind := range c.Sources {
		out.List = append(out.List, fakeSource{id, kind})
	}
	slices.SortFunc(out.List, func(a, b fakeSource) int { return strings.Compare(a.Type, b.Type) })
	return out
}

func (f *fakeAPI) list(which func(*fakeCustomer) bool) any {
	data := []fakeCustomer{}
	for _, c := range f.customers {
		if which(c) {
			data = append(data, f.show(c))
		}
	}
	slices.SortFunc(data, func(a, b fakeCustomer) int { return strings.Compare(a.Name, b.Name) })
	return map[string]any{"data": data}
}
