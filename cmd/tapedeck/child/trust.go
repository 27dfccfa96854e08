package child

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
)

// bundleNames are the variables that replace a client's certificate store by a file: it gets the
// system's certificates, the user's and ours.
var bundleNames = []struct{ name, why string }{
	{"SSL_CERT_FILE", "Go on Linux, Python's ssl and httpx, OpenSSL, curl, Ruby, cargo, .NET on Linux"},
	{"REQUESTS_CA_BUNDLE", "Python's requests, pip and botocore, which do not read SSL_CERT_FILE"},
	{"CURL_CA_BUNDLE", "curl"},
	{"AWS_CA_BUNDLE", "AWS command line and SDKs"},
	{"GIT_SSL_CAINFO", "git: built on GnuTLS it reads only this"},
	{"PIP_CERT", "pip, before its configuration file"},
	{"CARGO_HTTP_CAINFO", "cargo"},
	{"PERL_LWP_SSL_CA_FILE", "Perl's LWP"},
	{"HTTPLIB2_CA_CERTS", "Python's httplib2"},
	{"NIX_SSL_CERT_FILE", "programs built by Nix"},
	{"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "gRPC in C++, Python, Ruby, PHP and Node"},
	{"npm_config_cafile", "npm, before its .npmrc"},
	{"BUNDLE_SSL_CA_CERT", "Ruby's bundler"},
	{"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "gcloud"},
}

// addedNames are the variables that add a file to a client's own store: it gets the user's
// certificates and ours.
var addedNames = []struct{ name, why string }{
	{"NODE_EXTRA_CA_CERTS", "Node, Bun"},
	{"DENO_CERT", "Deno"},
}

// trust is the certificates that the command's clients accept, in the order they were found.
type trust struct {
	// all holds the system's certificates, the user's and ours, each once, as DER.
	all [][]byte
	// ours is the proxy's authority.
	ours [][]byte
	// bundle is the path of the file that holds them.
	bundle string
}

func (p *preparation) trustVariables() error {
	ours := certificates(p.CA)
	all := append([][]byte{}, certificates(p.System)...)
	read := map[string][][]byte{} // one file often stands in several variables
	file := func(name string) [][]byte {
		path := p.user(name)
		if path == "" {
			return nil
		}
		found, seen := read[path]
		if seen {
			return found
		}
		content, err := os.ReadFile(path)
		if err != nil {
			p.note("%s: %v; left out of the certificates that the command trusts", name, err)
		} else if found = certificates(content); len(found) == 0 {
			p.note("%s: no certificate in %s; left out of the certificates that the command trusts", name, path)
		}
		read[path] = found
		return found
	}
	for _, v := range bundleNames {
		all = append(all, file(v.name)...)
	}
	for _, v := range addedNames {
		added := append(append([][]byte{}, file(v.name)...), ours...)
		path, err := p.write("certificates/"+v.name+".pem", encode(added))
		if err != nil {
			return err
		}
		p.set(v.name, path, "adds tapedeck's authority to the store of "+v.why)
	}
	p.trusted.ours = ours
	p.trusted.all = unique(append(all, ours...))
	var err error
	if p.trusted.bundle, err = p.write("certificates/bundle.pem", encode(p.trusted.all)); err != nil {
		return err
	}
	for _, v := range bundleNames {
		p.set(v.name, p.trusted.bundle, "certificates trusted by "+v.why)
	}
	return nil
}

// certificates returns the DER of all certificates in a PEM file.
func certificates(content []byte) [][]byte {
	var found [][]byte
	for {
		var block *pem.Block
		if block, content = pem.Decode(content); block == nil {
			return found
		}
		if block.Type == "CERTIFICATE" {
			found = append(found, block.Bytes)
		}
	}
}

// encode writes certificates as PEM, each once. Whatever else was in the user's files, such as a
// private key beside its certificate, stays out.
func encode(ders [][]byte) []byte {
	var out bytes.Buffer
	for _, der := range unique(ders) {
		// Writing to a buffer does not fail.
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	return out.Bytes()
}

// unique keeps the first of equal certificates.
func unique(ders [][]byte) [][]byte {
	seen := make(map[string]bool, len(ders))
	kept := make([][]byte, 0, len(ders))
	for _, der := range ders {
		if !seen[string(der)] {
			seen[string(der)] = true
			kept = append(kept, der)
		}
	}
	return kept
}

// parsed returns the certificates that Go can read. Some stores still hold old roots that it
// refuses (negative serial numbers); a truststore without them is better than none.
func parsed(ders [][]byte) []*x509.Certificate {
	certs := make([]*x509.Certificate, 0, len(ders))
	for _, der := range ders {
		if cert, err := x509.ParseCertificate(der); err == nil {
			certs = append(certs, cert)
		}
	}
	return certs
}
