package main

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tapedeck/proxy/deck"
)

// A studio is a folder of cassettes and an API that numbers the requests that come
// to it, with a proxy between the API and the sessions of one test.
type studio struct {
	t    *testing.T
	dir  string
	args []string

	address string // of the proxy that runs
	stop    func() (int, string)
	clients []*http.Transport

	mu   sync.Mutex
	n    int
	seen []http.Header
	// hold makes the API wait before it answers requests to /hold.
	hold chan struct{}
	held chan struct{} // one value per request that waits
}

func newStudio(t *testing.T) *studio {
	s := &studio{t: t, dir: t.TempDir(), hold: make(chan struct{}), held: make(chan struct{}, 100)}
	api, plain := httptest.NewTLSServer(s), httptest.NewServer(s)
	t.Cleanup(api.Close)
	t.Cleanup(plain.Close)
	ca := filepath.Join(s.dir, "upstream.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HOME": s.dir, "XDG_CACHE_HOME": s.dir, "XDG_CONFIG_HOME": s.dir, "CI": "", "TAPEDECK_TOKEN": "a token for this test",
	} {
		t.Setenv(name, value)
	}
	s.args = []string{
		"--cassettes", filepath.Join(s.dir, "tapes"), "--config", "/dev/null", "--upstream-ca", ca,
		"--resolve", "example.com:443:" + strings.TrimPrefix(api.URL, "https://"),
		"--resolve", "example.com:80:" + strings.TrimPrefix(plain.URL, "http://"),
	}
	return s
}

func (s *studio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	s.n++
	n := s.n
	s.seen = append(s.seen, r.Header.Clone())
	s.mu.Unlock()
	if r.URL.Path == "/hold" {
		s.held <- struct{}{}
		<-s.hold
	}
	fmt.Fprintf(w, "%d", n)
}

// start starts a proxy: "proxy", "--mode", "record-once", or "replay".
func (s *studio) start(command ...string) {
	s.t.Helper()
	s.address, s.stop = startServer(s.t, append(command, s.args...)...)
}

// end stops the proxy, which must end with this code, and returns what it said.
func (s *studio) end(code int) string {
	s.t.Helper()
	for _, c := range s.clients {
		c.CloseIdleConnections() // the proxy would give them time to end by themselves
	}
	got, said := s.stop()
	if got != code {
		s.t.Fatalf("ended with %d, want %d: %s", got, code, said)
	}
	return said
}

// control calls the control API and returns the status and the answer.
func (s *studio) control(method, path, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer a token for this test")
	return send(s.t, http.DefaultClient, req)
}

// put gives a session a cassette.
func (s *studio) put(session, cassette string) {
	s.t.Helper()
	if code, text := s.control("PUT", "/sessions/"+url.PathEscape(session), fmt.Sprintf(`{"cassette":%q}`, cassette)); code != 200 {
		s.t.Fatalf("PUT %s %s: %d %s", session, cassette, code, text)
	}
}

// report is what GET says of a session.
func (s *studio) report(session string) (r deck.SessionReport) {
	s.t.Helper()
	code, text := s.control("GET", "/sessions/"+url.PathEscape(session), "")
	if err := json.Unmarshal([]byte(text), &r); code != 200 || err != nil {
		s.t.Fatalf("GET %s: %d %s %v", session, code, text, err)
	}
	return r
}

// client makes a client of a session.
func (s *studio) client(session string) *http.Client {
	s.t.Helper()
	c := clientOf(s.t, s.address, session, authorityOf(s.t, s.address))
	s.clients = append(s.clients, c.Transport.(*http.Transport))
	return c
}

func send(t *testing.T, c *http.Client, req *http.Request) (int, string) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(text)
}

// post sends what all sessions of these tests send: the answers tell them apart.
func post(t *testing.T, c *http.Client, target string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("POST", target, strings.NewReader("same"))
	if err != nil {
		t.Fatal(err)
	}
	if len(header) == 2 {
		req.Header.Set(header[0], header[1])
	}
	return send(t, c, req)
}

const countAPI = "https://example.com/count"

// mustCount sends the request and wants this number.
func mustCount(t *testing.T, c *http.Client, want string) {
	t.Helper()
	if code, got := post(t, c, countAPI); code != 200 || got != want {
		t.Errorf("%d %s, want %s", code, got, want)
	}
}

// cassettes lists those that there are by their names.
func (s *studio) cassettes() (names []string) {
	s.t.Helper()
	root := filepath.Join(s.dir, "tapes")
	if err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(path, ".yaml"); ok && !e.IsDir() {
			names = append(names, filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator))))
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return names
}

// TestSessionSwitchesInATunnel: a client keeps its tunnel for longer than a test
// lasts, so the cassette is looked up for each request.
func TestSessionSwitchesInATunnel(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", h2), func(t *testing.T) {
			s := newStudio(t)
			tunnels := 0
			worker := func() *http.Client {
				tunnels = 0
				protocols := new(http.Protocols)
				protocols.SetHTTP1(!h2)
				protocols.SetHTTP2(h2)
				transport := &http.Transport{
					Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: s.address, User: url.UserPassword("worker", "x")}),
					TLSClientConfig: &tls.Config{RootCAs: authorityOf(t, s.address)},
					Protocols:       protocols,
				}
				s.clients = append(s.clients, transport)
				return &http.Client{Transport: counting{transport, &tunnels}}
			}
			s.start("proxy", "--mode", "record-once")
			c := worker()
			for _, step := range []struct{ cassette, want string }{{"suite/a", "1"}, {"suite/b", "2"}, {"suite/a", "3"}} {
				s.put("worker", step.cassette)
				mustCount(t, c, step.want)
			}
			if tunnels != 1 {
				t.Errorf("recorded through %d tunnels, want 1", tunnels)
			}
			s.end(0)
			if got, want := s.cassettes(), []string{"suite/a", "suite/b"}; !slices.Equal(got, want) {
				t.Fatalf("cassettes %q, want %q", got, want)
			}

			s.start("replay")
			c = worker()
			for _, step := range []struct {
				cassette string
				want     []string
			}{{"suite/b", []string{"2"}}, {"suite/a", []string{"1", "3"}}, {"suite/b", []string{"2"}}, {"suite/a", []string{"1"}}} {
				s.put("worker", step.cassette)
				for _, want := range step.want {
					mustCount(t, c, want)
				}
			}
			if tunnels != 1 {
				t.Errorf("played through %d tunnels, want 1", tunnels)
			}
			s.end(0)
		})
	}
}

// counting counts the connections that a client makes.
type counting struct {
	next  http.RoundTripper
	fresh *int
}

func (c counting) RoundTrip(req *http.Request) (*http.Response, error) {
	return c.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			if !i.Reused {
				*c.fresh++
			}
		},
	})))
}

// TestSessionsOfOneCassette: each has its own place in it, its own misses, and
// its own rewinding.
func TestSessionsOfOneCassette(t *testing.T) {
	s := newStudio(t)
	s.start("proxy", "--mode", "record-once")
	recorder := s.client("shared")
	mustCount(t, recorder, "1")
	mustCount(t, recorder, "2")
	s.end(0)

	s.start("replay")
	a, b := s.client("a"), s.client("b")
	s.put("a", "shared")
	s.put("b", "shared")
	for _, step := range []struct {
		client *http.Client
		want   string
	}{{a, "1"}, {a, "2"}, {b, "1"}, {b, "2"}} {
		mustCount(t, step.client, step.want)
	}
	if code, text := post(t, a, countAPI); code != 424 || !strings.Contains(text, "recorded 2") {
		t.Errorf("the third of two: %d %s", code, text)
	}
	if r := s.report("a"); r.Played != 2 || len(r.Misses) != 1 {
		t.Errorf("a: %+v", r)
	}
	if r := s.report("b"); r.Played != 2 || len(r.Misses) != 0 {
		t.Errorf("b: %+v", r)
	}
	if code, text := s.control("POST", "/sessions/b/rewind", ""); code != 200 {
		t.Errorf("rewind: %d %s", code, text)
	}
	mustCount(t, b, "1")
	if code, _ := post(t, a, countAPI); code != 424 {
		t.Error("rewinding b rewound a")
	}
	// To be given a cassette is to start anew, with nothing missed yet.
	s.put("a", "shared")
	if r := s.report("a"); r.Played != 0 || len(r.Misses) != 0 {
		t.Errorf("a, anew: %+v", r)
	}
	mustCount(t, a, "1")
	// The end says what GET would have said, and forgets it.
	code, text := s.control("DELETE", "/sessions/a", "")
	if !strings.Contains(text, `"played": 1`) || code != 200 {
		t.Errorf("DELETE: %d %s", code, text)
	}
	if r := s.report("a"); r.Cassette != "a" || r.Played != 0 {
		t.Errorf("a, ended: %+v", r)
	}
	s.end(90) // the run knows of both misses all the same
}

// TestSessionHeader: it wins over the proxy's user, and nobody else sees it.
func TestSessionHeader(t *testing.T) {
	s := newStudio(t)
	s.start("proxy", "--mode", "record-once")
	c := s.client("by-user")
	for _, target := range []string{countAPI, "http://example.com/count"} {
		post(t, c, target)
		post(t, c, target, "Tapedeck-Session", "by-header")
	}
	if got := s.report("by-user").Recorded; got != 2 {
		t.Errorf("the user's session recorded %d, want 2", got)
	}
	if got := s.report("by-header").Recorded; got != 2 {
		t.Errorf("the header's session recorded %d, want 2", got)
	}
	s.end(0)
	if len(s.seen) != 4 {
		t.Errorf("the API saw %d requests", len(s.seen))
	}
	for _, header := range s.seen {
		for name := range header {
			if strings.HasPrefix(name, "Tapedeck") || strings.HasPrefix(name, "Proxy") {
				t.Errorf("the API saw %s", name)
			}
		}
	}
	for _, name := range []string{"by-user", "by-header"} {
		data, err := os.ReadFile(filepath.Join(s.dir, "tapes", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.ToLower(string(data)); strings.Contains(text, "tapedeck-session") || strings.Contains(text, "proxy-") || strings.Contains(text, name) {
			t.Errorf("the session's name is recorded:\n%s", data)
		}
	}
	s.start("replay")
	c = s.client("by-user")
	if _, got := post(t, c, countAPI, "Tapedeck-Session", "by-header"); got != "2" {
		t.Errorf("played %s, want 2", got)
	}
	mustCount(t, c, "1")
	s.end(0)
}

// TestSessionNamesMakeFiles: whatever a session is called, its cassette is in the
// folder, and no other session has the same.
func TestSessionNamesMakeFiles(t *testing.T) {
	s := newStudio(t)
	s.start("proxy", "--mode", "record-once")
	c := s.client("unused")
	long := strings.Repeat("long", 60)
	var want []string
	for _, test := range []struct {
		session, cassette string // cassette "" is a refusal
		code              int
		says              string
	}{
		{session: "Suite/Case", cassette: "Suite/Case"},
		{session: "tests/test_pay.py::TestCard::test_refund[EUR-1]", cassette: "tests/test_pay.py/TestCard/test_refund-EUR-1--"},
		{session: "with space", cassette: "with-space-"},
		{session: "with+space", cassette: "with-space-"},
		{session: "ü", cassette: "--"},
		{session: `C:\temp\x`, cassette: "C--temp-x-"},
		{session: "a:b", cassette: "a-b-"},
		{session: "50%", cassette: "50--"},
		{session: "$(id)`id`", cassette: "--id--id--"},
		{session: long, cassette: long[:160] + "-"},
		{session: long + "x", code: 400, says: "too long"},
		{session: "a\tb", code: 400, says: "control characters"},
		{session: "suite/case", code: 424, says: "differ only in case"},
		{session: "..", code: 424, says: "rename the session"},
		{session: "../../outside", code: 424, says: "rename the session"},
		{session: "a/../../outside", code: 424, says: "rename the session"},
		{session: "/etc/outside", code: 424, says: "rename the session"},
		{session: "a//b", code: 424, says: "rename the session"},
		{session: ".hidden", code: 424, says: "rename the session"},
		{session: "a::::b", code: 424, says: "rename the session"},
	} {
		code, text := post(t, c, countAPI, "Tapedeck-Session", test.session)
		switch {
		case test.cassette == "":
			if code != test.code || !strings.Contains(text, test.says) {
				t.Errorf("%q: %d %s, want %d and %q", test.session, code, text, test.code, test.says)
			}
		case code != 200:
			t.Errorf("%q: %d %s", test.session, code, text)
		default:
			want = append(want, test.cassette)
		}
	}
	s.end(90)
	got := s.cassettes()
	for _, prefix := range want {
		i := slices.IndexFunc(got, func(name string) bool {
			// What has a hash has six digits of it.
			return name == prefix || strings.HasPrefix(name, prefix) && len(name) == len(prefix)+6
		})
		if i < 0 {
			t.Errorf("no cassette %s… in %q", prefix, got)
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		t.Errorf("unexpected cassettes: %q", got)
	}
	for _, place := range []string{s.dir, filepath.Dir(s.dir)} {
		if found, err := filepath.Glob(filepath.Join(place, "outside*")); err != nil || found != nil {
			t.Errorf("outside the folder: %q %v", found, err)
		}
	}
}

// TestSessionNameThatCannotBe: a program that swallows the refusal fails all the same.
func TestSessionNameThatCannotBe(t *testing.T) {
	s := newStudio(t)
	s.start("proxy", "--mode", "record-once")
	long := strings.Repeat("long", 61)
	if code, text := post(t, s.client("s"), countAPI, "Tapedeck-Session", long); code != 400 {
		t.Errorf("%d %s", code, text)
	}
	// Here the tunnel itself is refused.
	if resp, err := s.client(long).Get(countAPI); err == nil {
		resp.Body.Close()
		t.Errorf("a tunnel was opened: %s", resp.Status)
	}
	if said := s.end(90); strings.Count(said, "400 to example.com") != 2 || !strings.Contains(said, "at most 240 bytes") {
		t.Errorf("it said %s", said)
	}
}

// TestDeleteWhileRequestsAreUnderWay: what a session still waits for comes, and is
// recorded.
func TestDeleteWhileRequestsAreUnderWay(t *testing.T) {
	s := newStudio(t)
	s.start("proxy", "--mode", "record-once")
	c := s.client("s")
	mustCount(t, c, "1")
	waiting := make(chan string, 1)
	go func() {
		_, got := post(t, c, "https://example.com/hold")
		waiting <- got
	}()
	<-s.held
	code, text := s.control("DELETE", "/sessions/s", "")
	if code != 200 || !strings.Contains(text, `"recorded": 1`) {
		t.Errorf("DELETE: %d %s", code, text)
	}
	close(s.hold)
	if got := <-waiting; got != "2" {
		t.Errorf("what was under way got %q, want 2", got)
	}
	s.end(0)

	s.start("replay")
	c = s.client("s")
	mustCount(t, c, "1")
	if code, got := post(t, c, "https://example.com/hold"); code != 200 || got != "2" {
		t.Errorf("%d %s was recorded of what was under way, want 2", code, got)
	}
	s.end(0)
}

// TestDeleteOverAndOver ends sessions while they call, in record and in replay.
func TestDeleteOverAndOver(t *testing.T) {
	s := newStudio(t)
	const callers, requests = 8, 10
	storm := func(method string) {
		var calling, deleting sync.WaitGroup
		done := make(chan struct{})
		for i := range callers {
			c := s.client(fmt.Sprintf("s-%d", i%2))
			calling.Go(func() {
				for range requests {
					req, _ := http.NewRequest(method, countAPI, nil)
					if code, text := send(t, c, req); code != 200 {
						t.Errorf("%d %s", code, text)
						return
					}
				}
			})
		}
		for i := range 2 {
			deleting.Go(func() {
				for {
					select {
					case <-done:
						return
					case <-time.After(time.Millisecond):
						if code, text := s.control("DELETE", fmt.Sprintf("/sessions/s-%d", i), ""); code != 200 {
							t.Errorf("DELETE: %d %s", code, text)
							return
						}
					}
				}
			})
		}
		calling.Wait()
		close(done)
		deleting.Wait()
	}
	s.start("proxy", "--mode", "record-once")
	storm("GET")
	if said := s.end(0); strings.Count(said, fmt.Sprintf(": %d recorded", callers*requests/2)) != 2 {
		t.Errorf("not all is recorded: %s", said)
	}
	s.start("replay")
	storm("GET")
	s.end(0)
}

// TestPutOfACassetteThatIsMissing says how to record it, and changes nothing.
func TestPutOfACassetteThatIsMissing(t *testing.T) {
	s := newStudio(t)
	s.start("proxy", "--mode", "record-once")
	mustCount(t, s.client("there"), "1")
	s.end(0)
	s.start("replay")
	s.put("mine", "there")
	code, text := s.control("PUT", "/sessions/mine", `{"cassette":"absent"}`)
	cure := "tapedeck proxy --mode record-once --cassettes " + filepath.Join(s.dir, "tapes")
	if code != 400 || !strings.Contains(text, "absent.yaml does not exist") || !strings.Contains(text, cure) {
		t.Errorf("PUT: %d %s", code, text)
	}
	if r := s.report("mine"); !strings.HasSuffix(r.Cassette, "there.yaml") {
		t.Errorf("the session now has %s", r.Cassette)
	}
	mustCount(t, s.client("mine"), "1")

	// A session that asks all the same is told so, and its test sees it as a miss.
	if code, text := post(t, s.client("absent"), countAPI); code != 424 || !strings.Contains(text, cure) {
		t.Errorf("%d %s", code, text)
	}
	if r := s.report("absent"); len(r.Misses) != 1 || !strings.Contains(r.Misses[0].Text, cure) {
		t.Errorf("a session without a cassette: %+v", r)
	}
	if _, text := s.control("GET", "/sessions", ""); !strings.Contains(text, `"session": "absent"`) {
		t.Errorf("not listed: %s", text)
	}
	if code, text := s.control("DELETE", "/sessions/absent", ""); code != 200 || !strings.Contains(text, "absent.yaml does not exist") {
		t.Errorf("DELETE: %d %s", code, text)
	}
	if r := s.report("absent"); len(r.Misses) != 0 {
		t.Errorf("a session that ended: %+v", r)
	}
	for _, path := range []string{"/sessions/", "/sessions/%2E%2E%2Fx"} {
		if code, text := s.control("GET", path, ""); code != 400 {
			t.Errorf("GET %s: %d %s", path, code, text)
		}
	}
	if code, text := s.control("PUT", "/sessions/", `{"cassette":"there"}`); code != 400 || !strings.Contains(text, "no session is named") {
		t.Errorf("PUT without a name: %d %s", code, text)
	}
	s.end(90)
}

// TestSessionPorts serves clients that send no proxy user, as Java's do not.
func TestSessionPorts(t *testing.T) {
	s := newStudio(t)
	ports := map[string]string{}
	for _, name := range []string{"one", "two/three"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[name] = l.Addr().String()
		l.Close()
		s.args = append(s.args, "--session-port", ports[name]+"="+name)
	}
	anonymous := func(name string) *http.Client {
		pool := authorityOf(t, s.address)
		transport := &http.Transport{
			Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: ports[name]}),
			TLSClientConfig: &tls.Config{RootCAs: pool},
		}
		s.clients = append(s.clients, transport)
		return &http.Client{Transport: transport}
	}
	s.start("proxy", "--mode", "record-once")
	mustCount(t, anonymous("one"), "1")
	mustCount(t, anonymous("two/three"), "2")
	if _, got := post(t, anonymous("one"), countAPI, "Tapedeck-Session", "four"); got != "3" {
		t.Errorf("the header's session got %s", got)
	}
	s.end(0)
	if got, want := s.cassettes(), []string{"four", "one", "two/three"}; !slices.Equal(got, want) {
		t.Fatalf("cassettes %q, want %q", got, want)
	}
	s.start("replay")
	c := anonymous("one")
	mustCount(t, c, "1")
	s.put("one", "two/three")
	mustCount(t, c, "2")
	mustCount(t, anonymous("two/three"), "2")
	if _, got := post(t, c, countAPI, "Tapedeck-Session", "four"); got != "3" {
		t.Errorf("the header's session got %s", got)
	}
	s.end(0)
}
