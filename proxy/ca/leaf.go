package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

const (
	// leafLifetime stays under the 30 days that strict clients may ask of a
	// certificate, the backdated day included.
	leafLifetime = 21 * 24 * time.Hour
	// renewBefore is how much life a cached certificate must have left.
	renewBefore = 7 * 24 * time.Hour
	// maxLeaves bounds the cache. A program that meets more hosts than this
	// pays a tenth of a millisecond for each again.
	maxLeaves = 1024
)

type leaf struct {
	certificate *tls.Certificate
	renew       time.Time
}

// GetCertificate serves [tls.Config]. A client that names no server (it dialled
// an address) gets the certificate of the address it dialled.
func (a *Authority) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := hello.ServerName
	if host == "" && hello.Conn != nil {
		if local, err := netip.ParseAddrPort(hello.Conn.LocalAddr().String()); err == nil {
			host = local.Addr().Unmap().String()
		}
	}
	if host == "" {
		return nil, errors.New("certificate authority: the client named no server")
	}
	return a.Leaf(host)
}

// Leaf returns the certificate for one host: a DNS name or an IP address,
// without a port. Parallel calls for one host mint it once.
func (a *Authority) Leaf(host string) (*tls.Certificate, error) {
	if l := a.cached(host); l != nil {
		return l.certificate, nil
	}
	made, err, _ := a.minting.Do(host, func() (any, error) {
		if l := a.cached(host); l != nil {
			return l.certificate, nil
		}
		l, err := a.mint(host)
		if err != nil {
			return nil, err
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.leaves) >= maxLeaves {
			clear(a.leaves)
		}
		a.leaves[host] = l
		return l.certificate, nil
	})
	if err != nil {
		return nil, err
	}
	return made.(*tls.Certificate), nil
}

func (a *Authority) cached(host string) *leaf {
	a.mu.RLock()
	defer a.mu.RUnlock()
	l := a.leaves[host]
	if l == nil || a.now().After(l.renew) {
		return nil
	}
	return l
}

// mint signs a certificate whose name stands only in the subject alternative
// names: clients have ignored the common name since RFC 6125. ECDSA P-256 takes
// a tenth of a millisecond where RSA-4096 takes about a hundred.
func (a *Authority) mint(host string) (*leaf, error) {
	now := a.now()
	if now.After(a.cert.NotAfter) {
		return nil, fmt.Errorf("certificate authority: its certificate expired on %s; delete its folder's files and start again",
			a.cert.NotAfter.Format(time.DateOnly))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: cannot make a key: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"tapedeck"}},
		NotBefore:             now.Add(-backdate),
		NotAfter:              earlier(now.Add(leafLifetime), a.cert.NotAfter),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		AuthorityKeyId:        a.cert.SubjectKeyId,
	}
	if template.NotBefore.Before(a.cert.NotBefore) {
		template.NotBefore = a.cert.NotBefore
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		template.IPAddresses = append(template.IPAddresses, ip.WithZone("").Unmap().AsSlice())
	} else {
		name, err := dnsName(host)
		if err != nil {
			return nil, err
		}
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: cannot sign for a host: %w", err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: cannot read its own certificate: %w", err)
	}
	return &leaf{
		certificate: &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed},
		renew:       earlier(template.NotAfter.Add(-renewBefore), a.cert.NotAfter),
	}, nil
}

// dnsName is a host in the form that certificates carry.
func dnsName(host string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	for _, r := range name {
		if r >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(name)
			if err != nil {
				return "", errors.New("certificate authority: the client asked for a host that is no valid name")
			}
			return ascii, nil
		}
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`/\:@?#"<>`, r) {
			return "", errors.New("certificate authority: the client asked for a host that is no valid name")
		}
	}
	if name == "" || len(name) > 253 {
		return "", errors.New("certificate authority: the client asked for a host that is no valid name")
	}
	return name, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
