package ca

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func inMemory(t testing.TB) *Authority {
	t.Helper()
	a, err := NewInMemory()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthorityIsStrict(t *testing.T) {
	c := inMemory(t).cert
	critical := map[string]bool{}
	for _, e := range c.Extensions {
		critical[e.Id.String()] = e.Critical
	}
	if !critical["2.5.29.19"] || !critical["2.5.29.15"] {
		t.Errorf("basicConstraints and keyUsage must be critical: %v", critical)
	}
	if !c.IsCA || !c.MaxPathLenZero || c.MaxPathLen != 0 || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
		t.Errorf("IsCA %v, path length %d, usage %b", c.IsCA, c.MaxPathLen, c.KeyUsage)
	}
	if len(c.SubjectKeyId) == 0 {
		t.Error("no subject key id")
	}
}

func TestLeaf(t *testing.T) {
	a := inMemory(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.CertPEM())
	for _, test := range []struct{ ask, verify string }{
		{"api.stripe.com", "api.stripe.com"},
		{"API.Stripe.com.", "api.stripe.com"},
		{"my_service", "my_service"},
		{"127.0.0.1", "127.0.0.1"},
		{"::1", "::1"},
		{"[2001:db8::1]", "2001:db8::1"},
		{"bücher.example", "xn--bcher-kva.example"},
	} {
		c, err := a.Leaf(test.ask)
		if err != nil {
			t.Errorf("%s: %v", test.ask, err)
			continue
		}
		l := c.Leaf
		if _, err := l.Verify(x509.VerifyOptions{Roots: roots, DNSName: test.verify}); err != nil {
			t.Errorf("%s: %v", test.ask, err)
		}
		if !bytes.Equal(l.AuthorityKeyId, a.cert.SubjectKeyId) {
			t.Errorf("%s: authority key id %x, want %x", test.ask, l.AuthorityKeyId, a.cert.SubjectKeyId)
		}
		if d := l.NotAfter.Sub(l.NotBefore); d > 30*24*time.Hour {
			t.Errorf("%s: valid for %v", test.ask, d)
		}
		if l.Subject.CommonName != "" || l.IsCA || len(l.ExtKeyUsage) != 1 || l.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
			t.Errorf("%s: common name %q, CA %v, usage %v", test.ask, l.Subject.CommonName, l.IsCA, l.ExtKeyUsage)
		}
	}
	for _, host := range []string{"", "a b", "a/b", "host:443", strings.Repeat("a", 300), "a\x00b"} {
		if _, err := a.Leaf(host); err == nil {
			t.Errorf("%q got a certificate", host)
		}
	}
}

func TestLeafIsKeptAndRenewed(t *testing.T) {
	a := inMemory(t)
	first, _ := a.Leaf("h.example")
	again, _ := a.Leaf("h.example")
	if first != again {
		t.Error("the certificate was not kept")
	}
	a.now = func() time.Time { return time.Now().Add(20 * 24 * time.Hour) }
	renewed, err := a.Leaf("h.example")
	if err != nil || renewed == first {
		t.Errorf("not renewed near its end (%v)", err)
	}
	a.now = func() time.Time { return a.cert.NotAfter.Add(-time.Hour) }
	last, err := a.Leaf("h.example")
	if err != nil || last.Leaf.NotAfter.After(a.cert.NotAfter) {
		t.Errorf("a certificate outlives its authority (%v)", err)
	}
	a.now = func() time.Time { return a.cert.NotAfter.Add(time.Hour) }
	if _, err := a.Leaf("h.example"); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired authority signed (%v)", err)
	}
	a.now = time.Now
	for i := range maxLeaves + 10 {
		if _, err := a.Leaf(fmt.Sprintf("h%d.example", i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.leaves) > maxLeaves {
		t.Errorf("%d certificates kept", len(a.leaves))
	}
}

func TestLeafInParallel(t *testing.T) {
	a := inMemory(t)
	var all sync.WaitGroup
	got := make([]*tls.Certificate, 64)
	for i := range got {
		all.Go(func() { got[i], _ = a.Leaf("same.example") })
	}
	all.Wait()
	for _, c := range got {
		if c == nil || c != got[0] {
			t.Fatal("parallel calls got different certificates")
		}
	}
}

// TestStrictClients lets other TLS stacks judge the certificates by their
// strictest rules.
func TestStrictClients(t *testing.T) {
	a := inMemory(t)
	dir := t.TempDir()
	caFile := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(caFile, a.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				tls.Server(c, &tls.Config{GetCertificate: a.GetCertificate}).Handshake()
			}()
		}
	}()
	address := l.Addr().String()

	t.Run("openssl", func(t *testing.T) {
		if _, err := exec.LookPath("openssl"); err != nil {
			t.Skip("openssl is not installed: apt-get install openssl")
		}
		for _, host := range []string{"api.stripe.com", "127.0.0.1"} {
			c, _ := a.Leaf(host)
			leafFile := filepath.Join(dir, host)
			os.WriteFile(leafFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600)
			flag := "-verify_hostname"
			if net.ParseIP(host) != nil {
				flag = "-verify_ip"
			}
			out, err := exec.Command("openssl", "verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslserver",
				"-no-CApath", "-no-CAstore", "-CAfile", caFile, flag, host, leafFile).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", host, err, out)
			}
		}
		out, err := exec.Command("openssl", "x509", "-in", caFile, "-noout", "-fingerprint", "-sha256").Output()
		if err != nil || !strings.Contains(string(out), a.Fingerprint()) {
			t.Errorf("openssl's fingerprint %q is not ours, %s (%v)", out, a.Fingerprint(), err)
		}
	})
	t.Run("python", func(t *testing.T) {
		if _, err := exec.LookPath("python3"); err != nil {
			t.Skip("python3 is not installed: apt-get install python3")
		}
		script := `
import socket, ssl, sys
host, port, cafile = sys.argv[1].rsplit(":", 1)[0], int(sys.argv[1].rsplit(":", 1)[1]), sys.argv[2]
for name in (host, "api.stripe.com"):
    c = ssl.create_default_context(cafile=cafile)
    c.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection((host, port)) as s, c.wrap_socket(s, server_hostname=name) as t:
        print(name, t.version())
`
		if out, err := exec.Command("python3", "-c", script, address, caFile).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "tapedeck")
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{".": 0o700, keyFile: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode().Perm(), mode, err)
		}
	}
	again, err := Load(dir)
	if err != nil || again.Fingerprint() != a.Fingerprint() {
		t.Errorf("loaded another authority (%v)", err)
	}
	if !strings.HasPrefix(a.Subject(), "CN=tapedeck CA ") || a.NotAfter().Before(time.Now().AddDate(1, 0, 0)) {
		t.Errorf("subject %q, valid until %v", a.Subject(), a.NotAfter())
	}
	if onDisk, _ := os.ReadFile(filepath.Join(dir, CertFile)); !bytes.Equal(onDisk, a.CertPEM()) {
		t.Error("the file is not what CertPEM returns")
	}
}

// TestLoadAtOnce starts real processes, since a lock within one process proves little.
func TestLoadAtOnce(t *testing.T) {
	if dir := os.Getenv("CA_TEST_DIR"); dir != "" {
		a, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("fingerprint=" + a.Fingerprint())
		return
	}
	dir := filepath.Join(t.TempDir(), "ca")
	out := make([]string, 8)
	var all sync.WaitGroup
	for i := range out {
		all.Go(func() {
			c := exec.Command(os.Args[0], "-test.run=^TestLoadAtOnce$")
			c.Env = append(os.Environ(), "CA_TEST_DIR="+dir)
			printed, err := c.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, printed)
			}
			out[i] = string(printed)
		})
	}
	all.Wait()
	for _, printed := range out {
		line, _, _ := strings.Cut(printed, "\n")
		if first, _, _ := strings.Cut(out[0], "\n"); line != first || !strings.HasPrefix(line, "fingerprint=") {
			t.Fatalf("processes disagree:\n%s", strings.Join(out, "\n"))
		}
	}
}

func TestLoadAfterCrash(t *testing.T) {
	dir := t.TempDir()
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	// The state between the two renames: a key, no certificate yet.
	os.Remove(filepath.Join(dir, CertFile))
	b, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !b.key.Equal(a.key) {
		t.Error("the key was replaced")
	}
}

func TestLoadReadOnly(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, lockFile))
	os.Chmod(dir, 0o500)
	defer os.Chmod(dir, 0o700)
	if _, err := Load(dir); err != nil {
		t.Errorf("an existing authority needs no writing: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err == nil {
		t.Error("reading made a lock file")
	}
}

func TestLoadFaults(t *testing.T) {
	write := func(name, text string) func(string) {
		return func(dir string) { os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600) }
	}
	for _, test := range []struct {
		name  string
		spoil func(dir string)
		want  []string
	}{
		{"no key", func(dir string) { os.Remove(filepath.Join(dir, keyFile)) }, []string{keyFile, "missing", "put it back"}},
		{"garbage certificate", write(CertFile, "garbage"), []string{CertFile, "no PEM certificate", "delete"}},
		{"garbage key", write(keyFile, "garbage"), []string{keyFile, "no PEM key", "delete"}},
		{"wrong key type", write(keyFile, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), []string{keyFile, "P-256"}},
		{"torn certificate", write(CertFile, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), []string{CertFile, "parsed"}},
		{"foreign key", func(dir string) {
			os.Remove(filepath.Join(dir, keyFile))
			writeKey(filepath.Join(dir, keyFile))
		}, []string{CertFile, "do not belong together"}},
		{"open key", func(dir string) { os.Chmod(filepath.Join(dir, keyFile), 0o644) }, []string{keyFile, "other users", "chmod 600"}},
		{"a folder as key", func(dir string) {
			os.Remove(filepath.Join(dir, keyFile))
			os.Mkdir(filepath.Join(dir, keyFile), 0o700)
		}, []string{keyFile, "cannot be read"}},
		{"expired", func(dir string) { expire(t, dir, true) }, []string{CertFile, "expired", "delete", "trust the new one"}},
		{"no authority", func(dir string) { expire(t, dir, false) }, []string{CertFile, "not a certificate authority"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := Load(dir); err != nil {
				t.Fatal(err)
			}
			test.spoil(dir)
			before, _ := os.ReadFile(filepath.Join(dir, CertFile))
			_, err := Load(dir)
			if err == nil {
				t.Fatal("loaded")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if after, _ := os.ReadFile(filepath.Join(dir, CertFile)); !bytes.Equal(before, after) {
				t.Error("the faulty file was overwritten")
			}
		})
	}
	t.Run("a file as folder", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		os.WriteFile(file, nil, 0o600)
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "--ca-dir") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no permission", func(t *testing.T) {
		// A folder in which even root cannot create files.
		dir := "/proc/self"
		if _, err := os.Stat(dir); err != nil {
			dir = t.TempDir()
			os.Chmod(dir, 0o500)
			defer os.Chmod(dir, 0o700)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), dir+": cannot be written to") || !strings.Contains(err.Error(), "--ca-dir") {
			t.Errorf("error %v", err)
		}
	})
}

// expire replaces the folder's certificate by one that ended, or one that is no authority.
func expire(t *testing.T, dir string, authority bool) {
	t.Helper()
	key, err := readKey(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "old"}, SubjectKeyId: []byte{1},
		NotBefore: time.Now().AddDate(-2, 0, 0), NotAfter: time.Now().AddDate(-1, 0, 0),
		IsCA: authority, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, CertFile), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

func TestErrorsHoldNoKey(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, keyFile)
	data, _ := os.ReadFile(path)
	lines := strings.Split(string(data), "\n")
	os.WriteFile(path, []byte(strings.Replace(string(data), lines[1], lines[1][:40], 1)), 0o600)
	_, err := Load(dir)
	if err == nil || strings.Contains(err.Error(), lines[1][:20]) {
		t.Errorf("error %v", err)
	}
}

func TestBundle(t *testing.T) {
	a, b := inMemory(t), inMemory(t)
	user := filepath.Join(t.TempDir(), "user.pem")
	os.WriteFile(user, bytes.TrimSpace(b.CertPEM()), 0o600) // no final newline
	t.Setenv("SSL_CERT_FILE", user)
	t.Setenv("SSL_CERT_DIR", "")
	bundle, err := Bundle(a.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	if got := subjects(t, bundle); len(got) != 2 || got[0] != b.Subject() || got[1] != a.Subject() {
		t.Errorf("bundle holds %q", got)
	}

	t.Setenv("SSL_CERT_FILE", user+".none")
	if _, err := Bundle(a.CertPEM()); err == nil || !strings.Contains(err.Error(), "SSL_CERT_FILE="+user+".none") {
		t.Errorf("error %v", err)
	}
	t.Setenv("SSL_CERT_FILE", "")
	t.Setenv("SSL_CERT_DIR", filepath.Dir(user))
	bundle, err = Bundle(a.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	if got := subjects(t, bundle); len(got) < 2 || got[len(got)-1] != a.Subject() || got[len(got)-2] != b.Subject() {
		t.Errorf("SSL_CERT_DIR is not respected: %d certificates", len(got))
	}
	if _, err := Bundle([]byte("nothing")); err == nil || !strings.Contains(err.Error(), "extra certificate 1") {
		t.Errorf("error %v", err)
	}
}

func TestBundleHoldsSystemRoots(t *testing.T) {
	if _, err := os.Stat(rootFiles[0]); err != nil {
		t.Skip("no system roots here: apt-get install ca-certificates")
	}
	t.Setenv("SSL_CERT_FILE", "")
	t.Setenv("SSL_CERT_DIR", "")
	bundle, err := Bundle(inMemory(t).CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(subjects(t, bundle)); n < 50 {
		t.Errorf("%d certificates", n)
	}
}

func subjects(t *testing.T, bundle []byte) []string {
	t.Helper()
	var all []string
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return all
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Subject.String())
	}
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "/somewhere")
	dir, err := DefaultDir()
	if err != nil || !strings.HasSuffix(dir, "tapedeck") {
		t.Errorf("%q, %v", dir, err)
	}
}

func BenchmarkLeafMint(b *testing.B) {
	a := inMemory(b)
	for b.Loop() {
		if _, err := a.mint("api.stripe.com"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLeafKept(b *testing.B) {
	a := inMemory(b)
	for b.Loop() {
		if _, err := a.Leaf("api.stripe.com"); err != nil {
			b.Fatal(err)
		}
	}
}
