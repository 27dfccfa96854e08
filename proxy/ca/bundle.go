package ca

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// rootFiles are the places of the system's certificate bundle, first match
// wins: those of crypto/x509 (root_linux.go, root_bsd.go, root_solaris.go) and
// the file that macOS keeps for OpenSSL programs.
var rootFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Gentoo, Arch
	"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL 6
	"/etc/ssl/ca-bundle.pem",                            // openSUSE
	"/etc/pki/tls/cacert.pem",                           // OpenELEC
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS, RHEL 7
	"/etc/ssl/cert.pem",                                 // Alpine, macOS, OpenBSD
	"/usr/local/etc/ssl/cert.pem",                       // FreeBSD
	"/usr/local/share/certs/ca-root-nss.crt",            // DragonFly
	"/etc/openssl/certs/ca-certificates.crt",            // NetBSD
	"/etc/certs/ca-certificates.crt",                    // Solaris
}

// rootDirs are read when there is no bundle file, as crypto/x509 does.
var rootDirs = []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}

// Bundle is one PEM file of the system's roots and the extra certificates, for
// clients whose setting replaces their trust store. SSL_CERT_FILE and
// SSL_CERT_DIR are respected, so that what the user trusts stays trusted. A
// system without roots (a bare container) gives the extra ones alone. The error
// names an extra without certificate, or an SSL_CERT_FILE that cannot be read.
func Bundle(extra ...[]byte) ([]byte, error) {
	roots, err := systemRoots()
	if err != nil {
		return nil, err
	}
	var bundle bytes.Buffer
	appendPEM(&bundle, roots)
	for i, certs := range extra {
		if !holdsCertificate(certs) {
			return nil, fmt.Errorf("certificate bundle: extra certificate %d: holds no PEM certificate; give a file that has a BEGIN CERTIFICATE line", i+1)
		}
		appendPEM(&bundle, certs)
	}
	return bundle.Bytes(), nil
}

func systemRoots() ([]byte, error) {
	var roots bytes.Buffer
	if named := os.Getenv("SSL_CERT_FILE"); named != "" {
		data, err := os.ReadFile(named)
		if err != nil {
			return nil, fmt.Errorf("SSL_CERT_FILE=%s: cannot be read: %w; correct or unset it", named, reason(err))
		}
		appendPEM(&roots, data)
	} else {
		for _, name := range rootFiles {
			if data, err := os.ReadFile(name); err == nil {
				appendPEM(&roots, data)
				break
			}
		}
	}
	dirs := filepath.SplitList(os.Getenv("SSL_CERT_DIR"))
	if len(dirs) == 0 && roots.Len() == 0 {
		dirs = rootDirs
	}
	for _, dir := range dirs {
		if err := appendDir(&roots, dir); err != nil {
			return nil, err
		}
	}
	return roots.Bytes(), nil
}

// appendDir adds the certificates of a folder. Links inside the folder (OpenSSL's
// hash names) repeat files that are read anyway.
func appendDir(roots *bytes.Buffer, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: cannot be read: %w; correct its permissions or set SSL_CERT_FILE", dir, reason(err))
	}
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		if entry.Type()&fs.ModeSymlink != 0 {
			if to, err := os.Readlink(name); err == nil && !strings.Contains(to, "/") {
				continue
			}
		}
		if data, err := os.ReadFile(name); err == nil && holdsCertificate(data) {
			appendPEM(roots, data)
		}
	}
	return nil
}

func holdsCertificate(data []byte) bool {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return false
		}
		if block.Type == "CERTIFICATE" {
			return true
		}
	}
}

// appendPEM keeps files apart by line: one without a final newline would run
// into the next one's BEGIN line.
func appendPEM(to *bytes.Buffer, data []byte) {
	to.Write(data)
	if len(data) > 0 && data[len(data)-1] != '\n' {
		to.WriteByte('\n')
	}
}
