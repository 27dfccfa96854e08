// Package ca is the local certificate authority that clients of the proxy trust.
//
// An [Authority] holds one ECDSA P-256 key that signs a short-lived certificate
// for each host a client asks for. [Load] keeps it in a folder, so that a
// developer trusts it once; [NewInMemory] makes one for a single run, trusted by
// the child process alone. [Bundle] joins it with the system's roots, for the
// clients whose setting replaces the trust store instead of adding to it.
//
//	authority, err := ca.NewInMemory()
//	bundle, err := ca.Bundle(authority.CertPEM())
//	config := &tls.Config{GetCertificate: authority.GetCertificate}
//
// The key never leaves the folder: nothing in this package prints it, and the
// only exported form of an Authority is its public certificate.
package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// authorityLifetime is how long a new authority is valid. An installed one has
// to be trusted again after that, so it is years; its certificates live days.
const authorityLifetime = 5 * 365 * 24 * time.Hour

// backdate is how far in the past new certificates begin, so that a client whose
// clock is a little behind ours accepts them.
const backdate = 24 * time.Hour

// An Authority signs certificates for hosts. It is safe for concurrent use.
type Authority struct {
	cert    *x509.Certificate // parsed from its DER form: only then is the subject key id surely set
	certPEM []byte
	key     *ecdsa.PrivateKey

	minting singleflight.Group
	mu      sync.RWMutex
	leaves  map[string]*leaf
	now     func() time.Time
}

// NewInMemory makes an authority that is gone with the process.
func NewInMemory() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: cannot make a key: %w", err)
	}
	der, err := selfSign(key)
	if err != nil {
		return nil, err
	}
	return newAuthority(der, key)
}

// selfSign makes the authority's own certificate. Python 3.13 and OpenSSL's
// strict mode refuse authorities without critical basicConstraints and keyUsage
// and a subject key id (RFC 5280, sections 4.2.1.2, 4.2.1.3 and 4.2.1.9).
func selfSign(key *ecdsa.PrivateKey) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: cannot encode its public key: %w", err)
	}
	id := sha256.Sum256(public)
	now := time.Now()
	template := &x509.Certificate{
		// The name carries the key's digest: OpenSSL picks an issuer by name
		// first, and two authorities of one name in a bundle confuse it.
		Subject: pkix.Name{
			Organization: []string{"tapedeck"},
			CommonName:   "tapedeck CA " + hex.EncodeToString(id[:4]),
		},
		SubjectKeyId:          id[:20],
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(authorityLifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: cannot sign its certificate: %w", err)
	}
	return der, nil
}

// newAuthority checks that a certificate and a key can sign together.
func newAuthority(der []byte, key *ecdsa.PrivateKey) (*Authority, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("the certificate cannot be parsed: %w", err)
	}
	a := &Authority{
		cert:    cert,
		certPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:     key,
		leaves:  make(map[string]*leaf),
		now:     time.Now,
	}
	return a, a.usable()
}

func (a *Authority) usable() error {
	public, ok := a.cert.PublicKey.(*ecdsa.PublicKey)
	switch {
	case !ok || !public.Equal(&a.key.PublicKey):
		return errors.New("the certificate and the key do not belong together")
	case !a.cert.IsCA || !a.cert.BasicConstraintsValid || a.cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("the certificate may not sign others (it is not a certificate authority)")
	case len(a.cert.SubjectKeyId) == 0:
		return errors.New("the certificate has no subject key id, which strict clients ask for")
	case a.now().After(a.cert.NotAfter):
		return fmt.Errorf("the certificate expired on %s", a.cert.NotAfter.Format(time.DateOnly))
	case a.now().Before(a.cert.NotBefore):
		return fmt.Errorf("the certificate is valid only from %s on; is the clock right?", a.cert.NotBefore.Format(time.DateOnly))
	}
	return nil
}

// CertPEM is the authority's certificate, for clients to trust. The caller may
// keep it, not change it.
func (a *Authority) CertPEM() []byte { return a.certPEM }

// Subject is the authority's name as a certificate viewer prints it.
func (a *Authority) Subject() string { return a.cert.Subject.String() }

// Fingerprint is the SHA-256 of the certificate as OpenSSL prints it: upper-case
// hexadecimal pairs between colons.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}

// NotBefore is when the authority begins to be valid.
func (a *Authority) NotBefore() time.Time { return a.cert.NotBefore }

// NotAfter is when the authority ends to be valid.
func (a *Authority) NotAfter() time.Time { return a.cert.NotAfter }
