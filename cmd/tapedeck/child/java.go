package child

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// truststorePassword is the one that Java's own cacerts has. It keeps nothing secret, but Java reads
// no encrypted store without one.
const truststorePassword = "changeit"

func (p *preparation) javaVariables() error {
	user := p.user("JAVA_TOOL_OPTIONS")
	store, err := p.truststore(splitJavaOptions(user))
	if err != nil {
		return err
	}
	options := []string{
		"-Dhttp.proxyHost=" + p.host,
		"-Dhttp.proxyPort=" + p.port,
		"-Dhttps.proxyHost=" + p.host,
		"-Dhttps.proxyPort=" + p.port,
		"-Dhttp.nonProxyHosts=" + quoteJavaOption(strings.Join(p.nonProxyHosts(), "|")),
		"-Djavax.net.ssl.trustStore=" + quoteJavaOption(store),
		"-Djavax.net.ssl.trustStorePassword=" + truststorePassword,
		"-Djavax.net.ssl.trustStoreType=PKCS12",
	}
	p.set("JAVA_TOOL_OPTIONS", joinOptions(user, strings.Join(options, " ")),
		"the proxy and a truststore for Java, which does not read the other variables")
	return nil
}

// nonProxyHosts is NO_PROXY in Java's words. The JDK adds loopback to a list that is not empty, so
// loopback can be recorded only without passthrough hosts.
func (p *preparation) nonProxyHosts() []string {
	var hosts []string
	if !p.RecordLoopback {
		hosts = append(hosts, "localhost", "127.*", "[::1]")
	}
	for _, host := range p.direct() {
		hosts = append(hosts, withoutPort(host))
	}
	return hosts
}

// truststore writes the certificates that Java trusts and ours, and returns the file's path.
func (p *preparation) truststore(user []string) (string, error) {
	certs := p.javaCertificates(user)
	if len(certs) == 0 {
		certs = parsed(p.trusted.all)
	} else {
		certs = append(certs, parsed(p.trusted.ours)...)
	}
	entries := make([]pkcs12.TrustStoreEntry, 0, len(certs))
	seen := map[string]bool{}
	for i, cert := range certs {
		if seen[string(cert.Raw)] {
			continue
		}
		seen[string(cert.Raw)] = true
		// Java keeps one entry per name, and several roots share a subject.
		name := fmt.Sprintf("%03d %s", i, cert.Subject.CommonName)
		entries = append(entries, pkcs12.TrustStoreEntry{Cert: cert, FriendlyName: name})
	}
	// Modern2023 is what Java 8u301 to 17 can read; the newer form is unknown to them.
	content, err := pkcs12.Modern2023.EncodeTrustStoreEntries(entries, truststorePassword)
	if err != nil {
		return "", fmt.Errorf("truststore for Java: %w", err)
	}
	return p.write("certificates/truststore.p12", content)
}

// javaCertificates reads the store that the JVM would use without us: the user's, or the cacerts of
// the JVM that the command would most likely start. Empty if neither can be read.
func (p *preparation) javaCertificates(user []string) []*x509.Certificate {
	if path := javaProperty(user, "javax.net.ssl.trustStore"); path != "" && path != "NONE" {
		certs, err := readTruststore(path, javaProperty(user, "javax.net.ssl.trustStorePassword"))
		if err == nil {
			return certs
		}
		p.note("JAVA_TOOL_OPTIONS: truststore %s: %v; Java gets the system's certificates instead", path, err)
		return nil
	}
	for _, path := range cacerts(p.user("JAVA_HOME")) {
		if certs, err := readTruststore(path, truststorePassword); err == nil && len(certs) > 0 {
			return certs
		}
	}
	return nil
}

// cacerts lists where the JVM's own store may be, the likeliest first.
func cacerts(home string) []string {
	homes := []string{home}
	if java, err := exec.LookPath("java"); err == nil {
		if java, err = filepath.EvalSymlinks(java); err == nil {
			homes = append(homes, filepath.Dir(filepath.Dir(java)))
		}
	}
	var paths []string
	for _, home := range homes {
		if home != "" {
			paths = append(paths,
				filepath.Join(home, "lib", "security", "cacerts"),
				filepath.Join(home, "jre", "lib", "security", "cacerts")) // Java 8
		}
	}
	return append(paths, "/etc/ssl/certs/java/cacerts") // Debian
}

// readTruststore reads the certificates of a Java truststore in either format.
func readTruststore(path, password string) ([]*x509.Certificate, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(content, jksMagic) {
		ders, err := jksCertificates(content)
		return parsed(ders), err
	}
	certs, err := pkcs12.DecodeTrustStore(content, password)
	if err != nil {
		// JDK 18 and later ship a store without a password.
		if plain, plainErr := pkcs12.DecodeTrustStore(content, ""); plainErr == nil {
			return plain, nil
		}
	}
	return certs, err
}

// javaProperty returns the last value of -Dname=value.
func javaProperty(options []string, name string) string {
	value := ""
	for _, option := range options {
		if v, ok := strings.CutPrefix(option, "-D"+name+"="); ok {
			value = v
		}
	}
	return value
}

// splitJavaOptions splits JAVA_TOOL_OPTIONS as the JVM does: at white space, except inside single or
// double quotes, which may begin anywhere; nothing is escaped.
// (https://docs.oracle.com/en/java/javase/17/docs/specs/jvmti.html#tooloptions)
func splitJavaOptions(text string) []string {
	var options []string
	var option strings.Builder
	inside := false
	quote := byte(0)
	for _, c := range []byte(text) {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inside = c, true
		case quote == 0 && strings.IndexByte(" \t\n\v\f\r", c) >= 0:
			if inside {
				options = append(options, option.String())
			}
			option.Reset()
			inside = false
		default:
			option.WriteByte(c)
			inside = true
		}
	}
	if inside {
		options = append(options, option.String())
	}
	return options
}

// quoteJavaOption quotes a part of an option if the JVM would otherwise split it. Since quotes may
// begin anywhere, a double quote is written between single ones.
func quoteJavaOption(text string) string {
	if !strings.ContainsAny(text, " \t\n\v\f\r\"'") {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `"'"'"`) + `"`
}
