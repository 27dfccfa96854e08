package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
)

// The files of an authority's folder.
const (
	CertFile = "ca.pem"
	keyFile  = "ca-key.pem"
	lockFile = "ca.lock"
)

// DefaultDir is the folder of the authority that a user's proxies share: below
// the user's configuration folder.
func DefaultDir() (string, error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("certificate authority: no configuration folder is known for this user (%w); give one with --ca-dir", err)
	}
	return filepath.Join(config, "tapedeck"), nil
}

// Load reads the authority kept in dir, or makes one there the first time. The
// key file is readable by its owner alone. When several processes start at once
// they agree on one authority; an existing one is only ever read.
func Load(dir string) (*Authority, error) {
	a, err := read(dir)
	if !errors.Is(err, errNone) {
		return a, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%s: cannot be created: %w; give another folder with --ca-dir", dir, reason(err))
	}
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return nil, fmt.Errorf("%s: cannot be written to: %w; correct its permissions or give another folder with --ca-dir", dir, reason(err))
	}
	defer lock.Unlock()
	if a, err := read(dir); !errors.Is(err, errNone) {
		return a, err // another process was first
	}
	return create(dir)
}

// errNone says that a folder holds no certificate yet.
var errNone = errors.New("no certificate authority")

func read(dir string) (*Authority, error) {
	certPath, keyPath := filepath.Join(dir, CertFile), filepath.Join(dir, keyFile)
	cert, err := os.ReadFile(certPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNone
	}
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w; correct its permissions or give another folder with --ca-dir", certPath, reason(err))
	}
	key, err := readKey(keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: is missing beside %s; put it back, or delete %s to have a new authority made", keyPath, CertFile, CertFile)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(cert)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s: holds no PEM certificate; delete it and %s to have a new authority made", certPath, keyFile)
	}
	a, err := newAuthority(block.Bytes, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; delete it and %s to have a new authority made, then trust the new one where the old one was installed",
			certPath, err, keyFile)
	}
	return a, nil
}

// create writes the key first and the certificate last, each by rename: a
// certificate that can be seen has its key, whenever a crash comes. A key that
// is there without a certificate is such a crash's remains and is used again.
func create(dir string) (*Authority, error) {
	keyPath := filepath.Join(dir, keyFile)
	key, err := readKey(keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = writeKey(keyPath)
	}
	if err != nil {
		return nil, err
	}
	der, err := selfSign(key)
	if err != nil {
		return nil, err
	}
	a, err := newAuthority(der, key)
	if err != nil {
		return nil, err
	}
	certPath := filepath.Join(dir, CertFile)
	if err := maybe.WriteFile(certPath, a.certPEM, 0o644); err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w; correct the folder's permissions or give another with --ca-dir", certPath, reason(err))
	}
	return a, nil
}

func writeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: cannot make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: cannot encode its key: %w", err)
	}
	if err := maybe.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w; correct the folder's permissions or give another with --ca-dir", path, reason(err))
	}
	return key, nil
}

// readKey never puts what it read into an error.
func readKey(path string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w; correct its permissions or give another folder with --ca-dir", path, reason(err))
	}
	if err := private(path); err != nil {
		return nil, err
	}
	const cure = "delete it and " + CertFile + " to have a new authority made"
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: holds no PEM key; %s", path, cure)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%s: holds no ECDSA P-256 key; %s", path, cure)
	}
	return key, nil
}

// reason drops the path from a file error: the message has named it already.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
