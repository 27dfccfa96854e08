package child

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"
)

const javaProgram = `
import java.net.*;
import java.net.http.*;
public class Main {
	public static void main(String[] urls) throws Exception {
		for (String u : urls) {
			HttpURLConnection c = (HttpURLConnection) new URL(u).openConnection();
			System.out.println(new String(c.getInputStream().readAllBytes()).contains("from the proxy"));
			HttpRequest r = HttpRequest.newBuilder(URI.create(u)).build();
			System.out.println(HttpClient.newHttpClient().send(r, HttpResponse.BodyHandlers.ofString()).version());
		}
	}
}`

func TestJava(t *testing.T) {
	java := tool(t, "java", "apt-get install openjdk-17-jdk-headless")
	p := startProxy(t)
	file := filepath.Join(t.TempDir(), "Main.java")
	if err := os.WriteFile(file, []byte(javaProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	// A folder with a blank, and an option of the user's that has one, too.
	dir := filepath.Join(t.TempDir(), "with blank")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	e := p.environment(t, func(s *Settings) { s.Dir = dir }, `JAVA_TOOL_OPTIONS=-Duser.value="a b"`)
	out := command(t, e, java, file, secureURL, plainURL)
	if strings.Count(out, "true\n") != 2 || !strings.Contains(out, "HTTP_2\n") {
		t.Errorf("output: %s", out)
	}
	got := p.requests()
	want := []string{
		"GET " + secureURL + " HTTP/1.1", "GET " + secureURL + " HTTP/2.0",
		"GET " + plainURL + " HTTP/1.1 absolute", "GET " + plainURL + " HTTP/1.1 absolute",
	}
	if !slices.Equal(got, want) {
		t.Errorf("requests at the proxy:\n got %q\nwant %q", got, want)
	}
}

// The JVM's own reading of the truststore: it lists our authority and what cacerts had.
func TestJavaReadsTruststore(t *testing.T) {
	keytool := tool(t, "keytool", "apt-get install openjdk-17-jre-headless")
	p := startProxy(t)
	e := p.environment(t, nil)
	store := javaProperty(splitJavaOptions(e.value("JAVA_TOOL_OPTIONS")), "javax.net.ssl.trustStore")
	cmd := exec.Command(keytool, "-list", "-rfc", "-keystore", store, "-storepass", truststorePassword)
	cmd.Env = append(os.Environ(), "JAVA_TOOL_OPTIONS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("keytool: %v\n%s", err, out)
	}
	listed := certificates(out)
	ours, _ := pem.Decode(p.authority.CertPEM())
	if !slices.ContainsFunc(listed, func(der []byte) bool { return bytes.Equal(der, ours.Bytes) }) {
		t.Error("our authority is not in the store that Java reads")
	}
	for _, path := range cacerts(os.Getenv("JAVA_HOME")) {
		theirs, err := readTruststore(path, truststorePassword)
		if err != nil {
			continue
		}
		if len(listed) != len(theirs)+1 {
			t.Errorf("%d certificates, want the %d of %s and ours", len(listed), len(theirs), path)
		}
		return
	}
	t.Skip("this JVM has no cacerts; apt-get install ca-certificates-java brings it")
}

// A truststore of the user's replaces the JVM's in the merge, whatever its format, and a broken one
// is said.
func TestJavaMergesUserTruststore(t *testing.T) {
	p := startProxy(t)
	other := startProxy(t).authority.CertPEM()
	block, _ := pem.Decode(other)
	theirs, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	store, err := pkcs12.Modern2023.EncodeTrustStore([]*x509.Certificate{theirs}, "their own")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "their store.p12")
	if err := os.WriteFile(path, store, 0o600); err != nil {
		t.Fatal(err)
	}
	user := `-Djavax.net.ssl.trustStore="` + path + `" '-Djavax.net.ssl.trustStorePassword=their own'`
	e := p.environment(t, nil, "JAVA_TOOL_OPTIONS="+user)
	value := e.value("JAVA_TOOL_OPTIONS")
	if !strings.HasPrefix(value, user+" ") {
		t.Errorf("the user's options do not stand first: %s", value)
	}
	merged, err := readTruststore(javaProperty(splitJavaOptions(value), "javax.net.ssl.trustStore"), truststorePassword)
	if err != nil {
		t.Fatal(err)
	}
	if len(merged) != 2 || !merged[0].Equal(theirs) {
		t.Errorf("%d certificates, want theirs and ours", len(merged))
	}

	if err := os.WriteFile(path, []byte("no store"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err = Prepare(Settings{Proxy: p.address, CA: p.authority.CertPEM(), Dir: t.TempDir(), System: other,
		Environ: []string{"JAVA_TOOL_OPTIONS=" + user}})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Notes) != 1 || !strings.Contains(e.Notes[0], path) {
		t.Errorf("notes: %q, want one that names the file", e.Notes)
	}
}

func TestJavaProxyOptions(t *testing.T) {
	cases := []struct {
		name string
		set  Settings
		want string
	}{
		{"loopback is left alone", Settings{}, "localhost|127.*|[::1]"},
		{"loopback recorded", Settings{RecordLoopback: true}, ""},
		{"passthrough", Settings{Passthrough: []string{"*.svc.local", "db.local:5432"}}, "localhost|127.*|[::1]|*.svc.local|db.local"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.set.Proxy, c.set.CA, c.set.Dir = "127.0.0.1:4000", testCA(t), t.TempDir()
			e, err := Prepare(c.set)
			if err != nil {
				t.Fatal(err)
			}
			options := splitJavaOptions(e.value("JAVA_TOOL_OPTIONS"))
			if got := javaProperty(options, "http.nonProxyHosts"); got != c.want {
				t.Errorf("nonProxyHosts %q, want %q", got, c.want)
			}
			for _, scheme := range []string{"http", "https"} {
				host, port := javaProperty(options, scheme+".proxyHost"), javaProperty(options, scheme+".proxyPort")
				if host != "127.0.0.1" || port != "4000" {
					t.Errorf("%s proxy %s:%s", scheme, host, port)
				}
			}
		})
	}
}

func TestSplitJavaOptions(t *testing.T) {
	cases := []struct {
		text string
		want []string
	}{
		{"", nil},
		{"  -Da=1\t-Db=2 ", []string{"-Da=1", "-Db=2"}},
		{`-Da="x y" '-Db=z z'`, []string{"-Da=x y", "-Db=z z"}},
		{`-Da="it's" -Db='"q"'`, []string{"-Da=it's", `-Db="q"`}},
		{`-Da=C:\x\y`, []string{`-Da=C:\x\y`}},
		{`-Da=""`, []string{"-Da="}},
		{`-Da="open end`, []string{"-Da=open end"}},
	}
	for _, c := range cases {
		if got := splitJavaOptions(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}

// What is quoted is one option again.
func FuzzQuoteJavaOption(f *testing.F) {
	for _, seed := range []string{"plain", "with blank", `it's "so"`, `C:\a b\c`, ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := splitJavaOptions("-Dx=1 -Dy=" + quoteJavaOption(text) + " -Dz=2")
		if want := []string{"-Dx=1", "-Dy=" + text, "-Dz=2"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestJKS(t *testing.T) {
	keytool := tool(t, "keytool", "apt-get install openjdk-17-jre-headless")
	dir := t.TempDir()
	cert := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(cert, testCA(t), 0o600); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(dir, "store.jks")
	common := []string{"-keystore", store, "-storetype", "JKS", "-storepass", "secret", "-noprompt"}
	for _, args := range [][]string{
		{"-genkeypair", "-alias", "key", "-keyalg", "EC", "-dname", "CN=key", "-keypass", "secret"},
		{"-importcert", "-alias", "ca", "-file", cert},
	} {
		if out, err := exec.Command(keytool, append(args, common...)...).CombinedOutput(); err != nil {
			t.Fatalf("keytool %s: %v\n%s", args[0], err, out)
		}
	}
	certs, err := readTruststore(store, "another password")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := pem.Decode(testCA(t))
	if len(certs) != 1 || !bytes.Equal(certs[0].Raw, want.Bytes) {
		t.Errorf("%d certificates, want the trusted one alone", len(certs))
	}
	content, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	for i := range content[:len(content)-20] { // the digest at the end is not read
		if _, err := jksCertificates(content[:i]); err == nil {
			t.Fatalf("a store cut after %d bytes was read", i)
		}
	}
}

func FuzzJKS(f *testing.F) {
	f.Add([]byte{})
	f.Add(append(slices.Clone(jksMagic), 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2))
	f.Add(append(slices.Clone(jksMagic), 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'X', 0, 0, 0, 2, 'h', 'i'))
	f.Fuzz(func(t *testing.T, content []byte) {
		found, err := jksCertificates(content)
		size := 0
		for _, der := range found {
			size += len(der)
		}
		if err == nil && size > len(content) {
			t.Errorf("%d bytes of certificates in %d bytes", size, len(content))
		}
	})
}
