package child

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tool returns a program's path, or skips the test and says what brings it.
func tool(t *testing.T, name, install string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed; %s brings it", name, install)
	}
	return path
}

// command runs a program with only what Prepare has set and fails the test when it fails.
func command(t *testing.T, e *Environment, name string, args ...string) string {
	t.Helper()
	// Long enough for any of them: it only keeps a hanging client from hanging the tests.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = e.Environ()
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, out)
	}
	return string(out)
}

// wantRequests checks that exactly these requests came to the proxy, in this order.
func (p *testProxy) wantRequests(t *testing.T, want ...string) {
	t.Helper()
	if got := p.requests(); !slices.Equal(got, want) {
		t.Errorf("requests at the proxy:\n got %q\nwant %q", got, want)
	}
}

// The hosts of these tests do not exist (RFC 6761): an answer can come only from the proxy.
const (
	secureURL = "https://api.tapedeck.test/v1/a?b=1"
	plainURL  = "http://plain.tapedeck.test/v1/a?b=1"
)

func TestCurl(t *testing.T) {
	curl := tool(t, "curl", "apt-get install curl")
	p := startProxy(t)
	e := p.environment(t, nil)
	command(t, e, curl, "-fsS", "--http1.1", secureURL)
	p.wantRequests(t, "GET "+secureURL+" HTTP/1.1")
	command(t, e, curl, "-fsS", "--http2", secureURL)
	p.wantRequests(t, "GET "+secureURL+" HTTP/2.0")
	command(t, e, curl, "-fsS", plainURL)
	p.wantRequests(t, "GET "+plainURL+" HTTP/1.1 absolute")
}

// Each certificate variable of curl's and OpenSSL's must do alone, since programs set the others.
func TestCurlTrustsByEachVariable(t *testing.T) {
	curl := tool(t, "curl", "apt-get install curl")
	p := startProxy(t)
	for _, name := range []string{"CURL_CA_BUNDLE", "SSL_CERT_FILE"} {
		t.Run(name, func(t *testing.T) {
			command(t, p.environment(t, nil).only(name), curl, "-fsS", secureURL)
			p.wantRequests(t, "GET "+secureURL+" HTTP/2.0")
		})
	}
}

// only drops all certificate variables but one, and the system's own store from Go's and OpenSSL's
// sight.
func (e *Environment) only(kept string) *Environment {
	names := map[string]bool{"SSL_CERT_DIR": true}
	for _, v := range slices.Concat(bundleNames, addedNames) {
		names[v.name] = true
	}
	delete(names, kept)
	drop := func(name string) bool { return names[name] }
	return &Environment{
		Variables: slices.DeleteFunc(slices.Clone(e.Variables), func(v Variable) bool { return drop(v.Name) }),
		inherited: slices.DeleteFunc(slices.Clone(e.inherited), func(pair string) bool {
			name, _, _ := strings.Cut(pair, "=")
			return drop(name)
		}),
	}
}

func TestWget(t *testing.T) {
	wget := tool(t, "wget", "apt-get install wget")
	p := startProxy(t)
	e := p.environment(t, nil)
	command(t, e, wget, "-q", "-O", "-", plainURL)
	p.wantRequests(t, "GET "+plainURL+" HTTP/1.1 absolute")
	// GNU wget on GnuTLS reads no variable for certificates (its man page lists none).
	command(t, e, wget, "-q", "-O", "-", "--ca-certificate="+e.value("SSL_CERT_FILE"), secureURL)
	p.wantRequests(t, "GET "+secureURL+" HTTP/1.1")
}

func (e *Environment) value(name string) string {
	return lookup(e.Environ(), name)
}

func TestGit(t *testing.T) {
	git := tool(t, "git", "apt-get install git")
	p := startProxy(t)
	e := p.environment(t, nil, "GIT_TERMINAL_PROMPT=0")
	cmd := exec.Command(git, "ls-remote", "https://git.tapedeck.test/repo.git")
	cmd.Env = e.only("GIT_SSL_CAINFO").Environ()
	out, _ := cmd.CombinedOutput() // fails: the answer is no repository
	p.wantRequests(t, "GET https://git.tapedeck.test/repo.git/info/refs?service=git-upload-pack HTTP/2.0")
	if !strings.Contains(string(out), "not valid") {
		t.Errorf("git stopped before it read the answer:\n%s", out)
	}
}

// python returns the interpreter that has the modules, or skips.
func python(t *testing.T, modules ...string) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if exec.Command(path, "-c", "import "+strings.Join(append(modules, "ssl"), ",")).Run() == nil {
			return path
		}
	}
	t.Skipf("no Python with %v; apt-get install python3-%s brings it", modules, strings.Join(modules, " python3-"))
	return ""
}

func TestPython(t *testing.T) {
	cases := []struct {
		name, module, trust string
		program             string
		absolute            string // how plain http arrives
	}{
		{"urllib", "urllib.request", "SSL_CERT_FILE",
			"import urllib.request\nfor u in URLS: urllib.request.urlopen(u).read()", " absolute"},
		{"requests", "requests", "REQUESTS_CA_BUNDLE",
			"import requests\nfor u in URLS: requests.get(u).raise_for_status()", " absolute"},
		{"requests session", "requests", "CURL_CA_BUNDLE",
			"import requests\ns = requests.Session()\nfor u in URLS: s.get(u).raise_for_status()", " absolute"},
		{"httpx", "httpx", "SSL_CERT_FILE",
			"import httpx\nfor u in URLS: httpx.get(u).raise_for_status()", " absolute"},
		{"httpx async", "httpx", "SSL_CERT_FILE",
			"import asyncio, httpx\nasync def f():\n async with httpx.AsyncClient() as c:\n  for u in URLS: (await c.get(u)).raise_for_status()\nasyncio.run(f())", " absolute"},
		{"aiohttp", "aiohttp", "SSL_CERT_FILE",
			"import asyncio, aiohttp\nasync def f():\n async with aiohttp.ClientSession() as c:\n  for u in URLS:\n   async with c.get(u) as r: r.raise_for_status()\nasyncio.run(f())", " absolute"},
		{"httplib2", "httplib2", "HTTPLIB2_CA_CERTS",
			"import httplib2\nfor u in URLS: assert httplib2.Http().request(u)[0].status == 200", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			interpreter := python(t, c.module)
			p := startProxy(t)
			e := p.environment(t, nil).only(c.trust)
			out := command(t, e, interpreter, "-c", "URLS = ['"+secureURL+"', '"+plainURL+"']\n"+c.program)
			p.wantRequests(t, "GET "+secureURL+" HTTP/1.1", "GET "+plainURL+" HTTP/1.1"+c.absolute)
			if out != "" {
				t.Errorf("output: %s", out)
			}
		})
	}
}

// The proxy user carries the session, in every client that sends it.
func TestSession(t *testing.T) {
	const name = "checkout/EUR"
	get := func(client string) string {
		return "import sys, asyncio\nu = '" + secureURL + "'\n" + client
	}
	clients := map[string]func(t *testing.T) []string{
		"curl": func(t *testing.T) []string {
			return []string{tool(t, "curl", "apt-get install curl"), "-fsS", secureURL}
		},
		"urllib": func(t *testing.T) []string {
			return []string{python(t), "-c", get("import urllib.request; urllib.request.urlopen(u).read()")}
		},
		"requests": func(t *testing.T) []string {
			return []string{python(t, "requests"), "-c", get("import requests; requests.get(u).raise_for_status()")}
		},
		"httpx": func(t *testing.T) []string {
			return []string{python(t, "httpx"), "-c", get("import httpx; httpx.get(u).raise_for_status()")}
		},
		"node": func(t *testing.T) []string {
			return []string{node(t), "-e", "fetch('" + secureURL + "').then(r => r.text())"}
		},
		"node https": func(t *testing.T) []string {
			return []string{node(t), "-e", "require('https').get('" + secureURL + "', r => r.resume())"}
		},
	}
	for client, args := range clients {
		t.Run(client, func(t *testing.T) {
			argv := args(t)
			p := startProxy(t)
			e := p.environment(t, func(s *Settings) { s.Session = name })
			command(t, e, argv[0], argv[1:]...)
			if !p.session(name) {
				t.Errorf("the proxy did not see the session")
			}
		})
	}
}

// A sitecustomize that the user has must still run, and a program that does not use aiohttp must not
// pay for it.
func TestPythonShimChains(t *testing.T) {
	interpreter := python(t)
	p := startProxy(t)
	theirs := t.TempDir()
	if err := os.WriteFile(filepath.Join(theirs, "sitecustomize.py"), []byte("print('theirs', __file__)\nvalue = 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := p.environment(t, nil, "PYTHONPATH="+theirs)
	out := command(t, e, interpreter, "-c",
		"import sys, sitecustomize; print(sitecustomize.value, any(m.startswith('aiohttp') for m in sys.modules))")
	want := "theirs " + filepath.Join(theirs, "sitecustomize.py") + "\n7 False\n"
	if out != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

// The default changes, an explicit choice of the program stands.
func TestPythonShimLeavesExplicitTrustEnv(t *testing.T) {
	interpreter := python(t, "aiohttp")
	p := startProxy(t)
	out := command(t, p.environment(t, nil), interpreter, "-c", `
import asyncio, aiohttp
async def f():
    for kw in ({}, {"trust_env": False}, {"trust_env": True}):
        async with aiohttp.ClientSession(**kw) as s:
            print(s.trust_env)
asyncio.run(f())`)
	if want := "True\nFalse\nTrue\n"; out != want {
		t.Errorf("got %q, want %q", out, want)
	}
}
