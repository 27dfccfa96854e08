package proxy

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// curl runs the real one through the proxy and returns what it prints.
func curl(t *testing.T, r *rig, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed: apt-get install curl")
	}
	cert := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(cert, authority().CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("curl", append([]string{"-q", "-sS", "--max-time", "60", "--proxy", r.url.String(), "--noproxy", "", "--cacert", cert}, args...)...)
	var faults bytes.Buffer
	c.Stderr = &faults
	out, err := c.Output()
	if err != nil {
		t.Errorf("curl %s: %v %s", strings.Join(args, " "), err, faults.String())
	}
	return string(out)
}

func TestCurl(t *testing.T) {
	data := make([]byte, 2<<20)
	rand.Read(data)
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	answers := func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == "HEAD":
			w.Header().Set("Content-Length", "77")
		case strings.HasPrefix(r.URL.Path, "/echo"):
			b, _ := io.ReadAll(r.Body)
			w.Write(b)
		case r.URL.Path == "/hint":
			w.Header().Set("Link", "</x>")
			w.WriteHeader(103)
			io.WriteString(w, "hinted")
		case r.URL.Path == "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		default:
			fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, r.UserAgent())
		}
	}
	for _, kind := range []string{"http", "https", "h2"} {
		upstream := api(t, kind, answers)
		r := start(t, Options{Transport: to(t, upstream)})
		for _, version := range []string{"--http1.1", "--http2"} {
			base, spoken := "https://api.example", "2"
			if version == "--http1.1" {
				spoken = "1.1"
			}
			if kind == "http" {
				base, spoken = "http://api.example", "1.1" // curl --http2 asks to upgrade to h2c, which is not passed on
			}
			t.Run(kind+" "+version, func(t *testing.T) {
				if got := curl(t, r, version, "-w", " %{http_version}", "-A", "x/1", base+"/a%2Fb?q=|"); got != "GET /a%2Fb?q=| x/1 "+spoken {
					t.Errorf("%q", got)
				}
				if got := curl(t, r, version, "-A", "", base+"/none"); got != "GET /none " {
					t.Errorf("an agent was invented: %q", got)
				}
				// A client that would wait an hour for its 100.
				if got := curl(t, r, version, "--expect100-timeout", "3600", "-H", "Expect: 100-continue", "-T", file, base+"/echo"); got != string(data) {
					t.Errorf("%d bytes came back", len(got))
				}
				if got := curl(t, r, version, "-H", "Transfer-Encoding: chunked", "-T", file, base+"/echo"); got != string(data) {
					t.Errorf("chunked: %d bytes came back", len(got))
				}
				if got := curl(t, r, version, "-I", base+"/"); !strings.Contains(strings.ToLower(got), "content-length: 77") {
					t.Errorf("HEAD: %q", got)
				}
				if got := curl(t, r, version, "-i", base+"/hint"); !strings.Contains(got, " 103") || !strings.HasSuffix(got, "hinted") {
					t.Errorf("103: %q", got)
				}
				if got := curl(t, r, version, "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", base+"/redirect"); got != "307 "+base+"/elsewhere" {
					t.Errorf("redirect: %q", got)
				}
				if got := curl(t, r, version, "-d", "a=1", base+"/echo1", "--next", "-q", "-sS", "--proxy", r.url.String(), "-k", version, "-d", "a=2", base+"/echo2"); got != "a=1a=2" {
					t.Errorf("two on one tunnel: %q", got)
				}
			})
		}
		if kind == "http" {
			continue
		}
		// Another place than the name says, and a session by user.
		if got := curl(t, r, "--connect-to", "api.example:443:127.0.0.1:443", "--proxy-user", "checkout:x", "https://api.example/c"); !strings.HasPrefix(got, "GET /c curl/") {
			t.Errorf("--connect-to: %q", got)
		}
	}
}

// TestCurlWithoutTrust is what a developer sees first.
func TestCurlWithoutTrust(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed: apt-get install curl")
	}
	r := start(t, Options{Transport: say("played")})
	if out, err := exec.Command("curl", "-q", "-sS", "--proxy", r.url.String(), "https://api.example/").CombinedOutput(); err == nil {
		t.Fatalf("trusted: %s", out)
	}
	eventually(t, "a line about trust", func() bool {
		return strings.Contains(r.log.String(), "does not trust") && strings.Contains(r.log.String(), "host=api.example")
	})
}
