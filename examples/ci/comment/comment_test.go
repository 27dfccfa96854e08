package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A forge is an API that holds posts, as GitHub and GitLab do.
type forge struct {
	*httptest.Server
	posts []map[string]any
	// before answers a request instead of the API, if it says so.
	before func(w http.ResponseWriter, r *http.Request) bool
	log    []string
	waited []time.Duration
}

const token = "the-token-of-the-job"

// newForge serves posts under the path list, and single ones under item + id.
func newForge(t *testing.T, list, item string) *forge {
	t.Helper()
	f := &forge{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.log = append(f.log, r.Method+" "+r.URL.Path)
		if r.Header.Get("Authorization") != "Bearer "+token && r.Header.Get("Private-Token") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if f.before != nil && f.before(w, r) {
			return
		}
		answer := func(v any) {
			if err := json.NewEncoder(w).Encode(v); err != nil {
				t.Error(err)
			}
		}
		var sent map[string]any
		if r.Method != http.MethodGet {
			if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
				t.Error(err)
			}
		}
		id, single := strings.CutPrefix(r.URL.Path, item)
		switch {
		case r.URL.Path == "/api/user":
			answer(map[string]any{"id": 7})
		case r.URL.Path == list && r.Method == http.MethodGet:
			size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
			page, _ := strconv.Atoi(r.URL.Query().Get("page"))
			page = max(page, 1)
			from := min((page-1)*size, len(f.posts))
			to := min(from+size, len(f.posts))
			if to < len(f.posts) {
				w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
				w.Header().Set("Link", fmt.Sprintf(`<%s%s?per_page=%d&page=%d>; rel="next", <%s>; rel="last"`, f.URL, list, size, page+1, f.URL))
			}
			answer(append([]map[string]any{}, f.posts[from:to]...))
		case r.URL.Path == list && r.Method == http.MethodPost:
			made := ours(len(f.posts)+1, "")
			for key, value := range sent {
				made[key] = value
			}
			f.posts = append(f.posts, made)
			w.WriteHeader(http.StatusCreated)
			answer(made)
		case single && (r.Method == http.MethodPatch || r.Method == http.MethodPut):
			for _, p := range f.posts {
				if fmt.Sprint(p["id"]) == id {
					for key, value := range sent {
						p[key] = value
					}
					answer(p)
					return
				}
			}
			w.WriteHeader(http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func ours(id int, body string) map[string]any {
	return map[string]any{"id": id, "number": id, "body": body, "html_url": fmt.Sprintf("https://forge.invalid/%d", id),
		"user": map[string]any{"type": "Bot"}, "author": map[string]any{"id": 7}}
}

func others(id int, body string) map[string]any {
	return map[string]any{"id": id, "number": id, "body": body, "author_association": "NONE",
		"user": map[string]any{"type": "User"}, "author": map[string]any{"id": 8}}
}

// comment runs the program and searches what it says for the token.
func (f *forge) comment(t *testing.T, text string, env map[string]string, flags ...string) (code int, out, said string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "review.md")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	wait := func(_ context.Context, d time.Duration) error {
		f.waited = append(f.waited, d)
		return nil
	}
	code = run(t.Context(), append(flags, file), func(name string) string { return env[name] }, wait, &stdout, &stderr)
	if strings.Contains(stdout.String()+stderr.String(), token) {
		t.Errorf("it says the token: %s%s", &stdout, &stderr)
	}
	return code, stdout.String(), stderr.String()
}

// sides are the two services, which have the same duties.
var sides = []struct {
	name, list, item string
	env              func(t *testing.T, f *forge) map[string]string
}{
	{"GitHub", "/api/repos/shop/web/issues/12/comments", "/api/repos/shop/web/issues/comments/", githubEnv},
	{"GitLab", "/api/projects/34/merge_requests/12/notes", "/api/projects/34/merge_requests/12/notes/", func(_ *testing.T, f *forge) map[string]string {
		return map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": f.URL + "/api", "CI_PROJECT_ID": "34", "CI_MERGE_REQUEST_IID": "12", "CI_PROJECT_URL": "https://forge.invalid/shop/web", "REVIEW_TOKEN": token}
	}},
}

func githubEnv(t *testing.T, f *forge) map[string]string {
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"pull_request": {"number": 12}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"GITHUB_API_URL": f.URL + "/api", "GITHUB_REPOSITORY": "shop/web", "GITHUB_EVENT_PATH": event, "GITHUB_TOKEN": token}
}

const mark = "<!-- tapedeck-review -->\n"

func TestOneComment(t *testing.T) {
	for _, side := range sides {
		t.Run(side.name, func(t *testing.T) {
			f := newForge(t, side.list, side.item)
			env := side.env(t, f)
			must := func(code int, out, said string) {
				t.Helper()
				if code != 0 || said != "" {
					t.Fatalf("code %d, %q, %q", code, out, said)
				}
			}
			// Nothing to say, and nothing said before.
			must(f.comment(t, " \n", env))
			if len(f.posts) != 0 {
				t.Fatalf("posts %v", f.posts)
			}
			// Made, behind many others; somebody has written our mark too.
			for i := range 250 {
				f.posts = append(f.posts, others(i+1, fmt.Sprintf("comment %d", i)))
			}
			f.posts[3] = others(4, mark+"not ours")
			code, out, said := f.comment(t, "one change\n", env, "-link", "https://forge.invalid/page")
			must(code, out, said)
			if len(f.posts) != 251 || f.posts[250]["body"] != mark+"one change\n\n[The whole page](https://forge.invalid/page)\n" || !strings.HasPrefix(out, "https://forge.invalid/") || !strings.Contains(out, "251") {
				t.Fatalf("%d posts, the last %v, printed %q", len(f.posts), f.posts[len(f.posts)-1], out)
			}
			// Written anew on the third page; nothing to say any more.
			must(f.comment(t, "two changes\n", env))
			if len(f.posts) != 251 || f.posts[250]["body"] != mark+"two changes\n" || f.posts[3]["body"] != mark+"not ours" {
				t.Fatalf("%d posts, the last %v", len(f.posts), f.posts[len(f.posts)-1])
			}
			must(f.comment(t, "", env))
			if len(f.posts) != 251 || f.posts[250]["body"] != mark+nothing {
				t.Fatalf("%d posts, the last %v", len(f.posts), f.posts[len(f.posts)-1])
			}
			// Another mark is another comment.
			must(f.comment(t, "other\n", env, "-mark", "nightly"))
			if len(f.posts) != 252 || f.posts[251]["body"] != "<!-- nightly-review -->\nother\n" {
				t.Fatalf("%d posts, the last %v", len(f.posts), f.posts[len(f.posts)-1])
			}
		})
	}
}

func TestServersThatFail(t *testing.T) {
	for _, side := range sides {
		for _, test := range []struct {
			name string
			// before is asked for the nth request, from 1.
			before func(n int, f *forge, w http.ResponseWriter, r *http.Request) bool
			code   int
			said   string
			posts  int
			waited int
		}{
			{"reads fail twice", func(n int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				if n <= 2 {
					w.WriteHeader(http.StatusBadGateway)
				}
				return n <= 2
			}, 0, "502 Bad Gateway; trying again in 2s", 1, 2},
			{"all reads fail", func(_ int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}, 1, "the server failed: 503", 0, attempts - 1},
			{"it was made, and the answer was lost", func(_ int, f *forge, w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost || len(f.posts) > 0 {
					return false
				}
				var sent map[string]any
				if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
					return false
				}
				f.posts = append(f.posts, ours(1, sent["body"].(string)))
				w.WriteHeader(http.StatusGatewayTimeout)
				return true
			}, 0, "", 1, 0},
			{"a limit of the rate", func(n int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost && n < 5 {
					w.Header().Set("Retry-After", "7")
					w.WriteHeader(http.StatusForbidden)
					return true
				}
				return false
			}, 0, "the server asks to wait: 403 Forbidden; trying again in 7s", 1, -1},
			{"429", func(n int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				if n == 1 {
					w.WriteHeader(http.StatusTooManyRequests)
				}
				return n == 1
			}, 0, "trying again in 1m0s", 1, 1},
			{"a limit for an hour", func(_ int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(http.StatusTooManyRequests)
				return true
			}, 1, "the server asks to wait", 0, 0},
			{"a token that may only read", func(_ int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					w.WriteHeader(http.StatusForbidden)
					io.WriteString(w, `{"message":"Resource not accessible by integration"}`)
				}
				return r.Method == http.MethodPost
			}, 0, "not posted: the token may not write here", 0, 0},
			{"no such request", func(_ int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				w.WriteHeader(http.StatusNotFound)
				return true
			}, 1, "404: the token sees no such project or request", 0, 0},
			{"not the API", func(_ int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				io.WriteString(w, "<html>")
				return true
			}, 1, "the answer is not the JSON that was expected", 0, 0},
			{"a redirect to another host", func(_ int, _ *forge, w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusTemporaryRedirect)
				return true
			}, 1, "redirect to another host", 0, attempts - 1},
		} {
			t.Run(side.name+", "+test.name, func(t *testing.T) {
				f := newForge(t, side.list, side.item)
				n := 0
				f.before = func(w http.ResponseWriter, r *http.Request) bool {
					n++
					return test.before(n, f, w, r)
				}
				code, _, said := f.comment(t, "text\n", side.env(t, f))
				if code != test.code || !strings.Contains(said, test.said) || len(f.posts) != test.posts || test.waited >= 0 && len(f.waited) != test.waited {
					t.Errorf("code %d, said %q, %d posts, waited %v; want %d, %q, %d, %d times\n%s", code, said, len(f.posts), f.waited, test.code, test.said, test.posts, test.waited, strings.Join(f.log, "\n"))
				}
			})
		}
	}
}

// A next page on another host is not asked for with the token.
func TestNextPageElsewhere(t *testing.T) {
	f := newForge(t, sides[0].list, sides[0].item)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Link", `<http://elsewhere.invalid/x>; rel="next"`)
		io.WriteString(w, "[]")
		return true
	}
	if code, _, said := f.comment(t, "text\n", githubEnv(t, f)); code != 1 || !strings.Contains(said, "a next page on another host") {
		t.Errorf("code %d: %s", code, said)
	}
}

func TestIssue(t *testing.T) {
	f := newForge(t, "/api/repos/shop/web/issues", "/api/repos/shop/web/issues/")
	env := githubEnv(t, f)
	delete(env, "GITHUB_EVENT_PATH") // a schedule has no pull request
	f.posts = append(f.posts, others(1, mark), map[string]any{"id": 2, "number": 2, "body": mark, "user": map[string]any{"type": "Bot"}, "pull_request": map[string]any{}})
	for _, step := range []struct{ text, title, body, state string }{
		{"", "", "", ""},
		{"drift\n", "It has changed", mark + "drift\n", ""},
		{"more drift\n", "It has changed", mark + "more drift\n", ""},
		{"", "It has changed", mark + nothing, "closed"},
	} {
		if code, _, said := f.comment(t, step.text, env, "-issue", "It has changed"); code != 0 || said != "" {
			t.Fatalf("code %d: %s", code, said)
		}
		if step.title == "" {
			if len(f.posts) != 2 {
				t.Fatalf("posts %v", f.posts)
			}
			continue
		}
		issue := f.posts[2]
		if state, _ := issue["state"].(string); len(f.posts) != 3 || issue["title"] != step.title || issue["body"] != step.body || state != step.state {
			t.Fatalf("%d posts, the last %v; want %+v", len(f.posts), issue, step)
		}
	}
}

func TestNowhere(t *testing.T) {
	f := newForge(t, "/x", "/x/")
	for name, env := range map[string]map[string]string{
		"no job":                       {},
		"no token":                     {"GITHUB_REPOSITORY": "shop/web"},
		"a push":                       {"GITHUB_REPOSITORY": "shop/web", "GITHUB_TOKEN": token, "GITHUB_EVENT_PATH": os.DevNull},
		"GitLab without a token":       {"GITLAB_CI": "true", "CI_API_V4_URL": f.URL, "CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "2"},
		"GitLab, no merge request":     {"GITLAB_CI": "true", "CI_API_V4_URL": f.URL, "CI_PROJECT_ID": "1", "REVIEW_TOKEN": token},
		"GitHub's variables in GitLab": {"GITLAB_CI": "true", "GITHUB_REPOSITORY": "shop/web", "GITHUB_TOKEN": token},
	} {
		if code, out, said := f.comment(t, "text\n", env); code != 0 || out != "" || !strings.Contains(said, "not posted") || len(f.log) > 0 {
			t.Errorf("%s: code %d, %q, %q, %v", name, code, out, said, f.log)
		}
	}
	for _, flags := range [][]string{{"-mark", "a --> b"}, {"-mark", ""}, {"x", "y"}, {"-unknown"}} {
		if code, _, _ := f.comment(t, "text\n", nil, flags...); code != 2 {
			t.Errorf("%q: code %d", flags, code)
		}
	}
}

func TestFitted(t *testing.T) {
	long := mark + strings.Repeat("été à côté\n", 10_000)
	for _, link := range []string{"", "https://forge.invalid/page"} {
		body := fitted(long, link, 65536)
		if n := utf8.RuneCountInString(body); n > 65536 || n < 65000 || !utf8.ValidString(body) || !strings.HasPrefix(body, mark) || !strings.Contains(body, "côté\n\n… the rest") {
			t.Errorf("%d characters, ending with %q", n, body[len(body)-200:])
		}
		if link != "" && !strings.HasSuffix(body, "[The whole page](https://forge.invalid/page)\n") {
			t.Errorf("it ends with %q", body[len(body)-100:])
		}
	}
}

func TestCounts(t *testing.T) {
	var out, said bytes.Buffer
	if code := printCounts(&out, &said, []byte(`{"version":1,"files":[{"new":"a"}],"groups":[],"counts":{"breaking":1,"additive":2,"value":3,"volatile":4},"same":0}`)); code != 0 ||
		out.String() != "changed=true\nbreaking=1\nadditive=2\nvalue=3\nvolatile=4\n" {
		t.Errorf("code %d: %s", code, &out)
	}
	out.Reset()
	if code := printCounts(&out, &said, []byte(`{"version":1,"files":[],"groups":[],"counts":{},"same":3}`)); code != 0 || !strings.HasPrefix(out.String(), "changed=false\n") {
		t.Errorf("code %d: %s", code, &out)
	}
	if code := printCounts(&out, &said, []byte("text")); code != 2 || said.Len() == 0 {
		t.Errorf("code %d: %s", code, &said)
	}
}
