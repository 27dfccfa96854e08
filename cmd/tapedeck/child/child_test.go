package child

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"tapedeck/proxy/ca"
)

// testCA is one authority for all tests that need no proxy.
var testCA = func() func(t *testing.T) []byte {
	once := sync.OnceValues(ca.NewInMemory)
	return func(t *testing.T) []byte {
		authority, err := once()
		if err != nil {
			t.Fatal(err)
		}
		return authority.CertPEM()
	}
}()

func prepare(t *testing.T, s Settings) *Environment {
	t.Helper()
	if s.Proxy == "" {
		s.Proxy = "127.0.0.1:4000"
	}
	s.CA, s.Dir = testCA(t), t.TempDir()
	e, err := Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestProxyVariables(t *testing.T) {
	cases := []struct {
		name        string
		set         Settings
		proxy, none string
	}{
		{"plain", Settings{}, "http://127.0.0.1:4000", "localhost,127.0.0.1,::1"},
		{"any address", Settings{Proxy: "0.0.0.0:8080"}, "http://127.0.0.1:8080", "localhost,127.0.0.1,::1"},
		{"no host", Settings{Proxy: ":8080"}, "http://127.0.0.1:8080", "localhost,127.0.0.1,::1"},
		{"IPv6", Settings{Proxy: "[::1]:8080"}, "http://[::1]:8080", "localhost,127.0.0.1,::1"},
		{"session", Settings{Session: "a/b:c@d"}, "http://a%2Fb%3Ac%40d:x@127.0.0.1:4000", "localhost,127.0.0.1,::1"},
		{"loopback recorded", Settings{RecordLoopback: true}, "http://127.0.0.1:4000", ""},
		{"passthrough", Settings{Passthrough: []string{"db.local", "*.svc.local", "a*b.local", "*"}},
			"http://127.0.0.1:4000", "localhost,127.0.0.1,::1,db.local,.svc.local"},
		{"passthrough behind an upstream proxy", Settings{Passthrough: []string{"db.local"}, UpstreamProxy: true},
			"http://127.0.0.1:4000", "localhost,127.0.0.1,::1"},
		{"the user's are replaced", Settings{
			Passthrough: []string{"db.local"},
			Environ: []string{"HTTPS_PROXY=http://corp:3128", "all_proxy=socks5://corp", "NO_PROXY=*", "no_proxy=api.example.com",
				"npm_config_noproxy=*", "GLOBAL_AGENT_NO_PROXY=*", "no_grpc_proxy=*"}},
			"http://127.0.0.1:4000", "localhost,127.0.0.1,::1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := prepare(t, c.set)
			for _, v := range proxyNames {
				if got := e.value(v.name); got != c.proxy {
					t.Errorf("%s=%s, want %s", v.name, got, c.proxy)
				}
			}
			for _, v := range noProxyNames {
				if got := e.value(v.name); got != c.none {
					t.Errorf("%s=%s, want %s", v.name, got, c.none)
				}
			}
		})
	}
}

func TestPrepareRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]Settings{
		"no port":    {Proxy: "127.0.0.1", CA: testCA(t), Dir: t.TempDir()},
		"no CA":      {Proxy: "127.0.0.1:1", Dir: t.TempDir()},
		"no folder":  {Proxy: "127.0.0.1:1", CA: testCA(t), Dir: file},
		"not a host": {Proxy: "a:b:c", CA: testCA(t), Dir: t.TempDir()},
	}
	for name, s := range cases {
		if _, err := Prepare(s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Everything the user has set stays, but for what is replaced, and each name stands once.
func TestEnviron(t *testing.T) {
	e := prepare(t, Settings{
		Environ: []string{"PATH=/bin", "http_proxy=http://corp:1", "EMPTY=", "NODE_OPTIONS=--no-warnings", "PHP_INI_SCAN_DIR=/etc/php",
			"JAVA_TOOL_OPTIONS=-Xmx1g", "PYTHONPATH=/a" + string(os.PathListSeparator) + "/b"},
		Extra: []Variable{{"TAPEDECK_STATE", "record", "for tests"}, {"TAPEDECK_STATE", "replay", "for tests"}},
	})
	environ := e.Environ()
	for _, want := range []string{"PATH=/bin", "EMPTY=", "TAPEDECK_STATE=replay", "http_proxy=http://127.0.0.1:4000", "NODE_USE_ENV_PROXY=1"} {
		if !slices.Contains(environ, want) {
			t.Errorf("lacks %s", want)
		}
	}
	for name, want := range map[string]string{
		"NODE_OPTIONS":      "--no-warnings --require ",
		"JAVA_TOOL_OPTIONS": "-Xmx1g -Dhttp.proxyHost=127.0.0.1 ",
		"PHP_INI_SCAN_DIR":  "/etc/php" + string(os.PathListSeparator),
	} {
		if got := e.value(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s=%s, want it to begin with %q", name, got, want)
		}
	}
	if got := e.value("PYTHONPATH"); !strings.HasSuffix(got, string(os.PathListSeparator)+"/a"+string(os.PathListSeparator)+"/b") {
		t.Errorf("PYTHONPATH=%s: the user's folders do not follow ours", got)
	}
	seen := map[string]bool{}
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if seen[foldName(name)] {
			t.Errorf("%s stands twice", name)
		}
		seen[foldName(name)] = true
	}
	for _, v := range e.Variables {
		if v.Why == "" {
			t.Errorf("%s has no reason", v.Name)
		}
	}
	if empty := prepare(t, Settings{}); strings.Contains(empty.value("PYTHONPATH"), string(os.PathListSeparator)) {
		t.Errorf("PYTHONPATH=%s: an empty entry is the current folder", empty.value("PYTHONPATH"))
	}
}

func TestTrust(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content ...[]byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes.Join(content, []byte("\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	authority := func() []byte {
		a, err := ca.NewInMemory()
		if err != nil {
			t.Fatal(err)
		}
		return a.CertPEM()
	}
	system, corporate, extra := authority(), authority(), authority()
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")})
	e := prepare(t, Settings{
		System: system,
		Environ: []string{
			"REQUESTS_CA_BUNDLE=" + file("corporate.pem", corporate, key, system),
			"PIP_CERT=" + filepath.Join(dir, "corporate.pem"),
			"NODE_EXTRA_CA_CERTS=" + file("extra.pem", extra),
			"AWS_CA_BUNDLE=" + filepath.Join(dir, "absent.pem"),
			"CURL_CA_BUNDLE=" + file("empty.pem", []byte("nothing")),
		},
	})
	holds := func(name string, want ...[]byte) {
		t.Helper()
		content, err := os.ReadFile(e.value(name))
		if err != nil {
			t.Fatal(err)
		}
		var ders [][]byte
		for _, cert := range want {
			ders = append(ders, certificates(cert)...)
		}
		if got := certificates(content); !slices.EqualFunc(got, ders, bytes.Equal) {
			t.Errorf("%s holds %d certificates, want %d in the order of the sources", name, len(got), len(ders))
		}
		if bytes.Contains(content, []byte("PRIVATE")) {
			t.Errorf("%s holds a private key", name)
		}
	}
	for _, v := range bundleNames {
		holds(v.name, system, corporate, testCA(t))
	}
	holds("NODE_EXTRA_CA_CERTS", extra, testCA(t))
	holds("DENO_CERT", testCA(t))
	if len(e.Notes) != 2 || !strings.Contains(e.Notes[0], "empty.pem") && !strings.Contains(e.Notes[1], "empty.pem") {
		t.Errorf("notes: %q, want one for the absent and one for the empty file", e.Notes)
	}
	if runtime.GOOS == "windows" {
		return // has no such permissions
	}
	err := filepath.WalkDir(filepath.Dir(filepath.Dir(e.value("SSL_CERT_FILE"))), func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && path != filepath.Dir(filepath.Dir(e.value("SSL_CERT_FILE"))) {
			t.Errorf("%s: mode %v is open to others", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
