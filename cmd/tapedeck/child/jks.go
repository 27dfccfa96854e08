package child

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// jksMagic starts a Java key store of the old format, which Debian and JDKs before 18 use for
// cacerts.
var jksMagic = []byte{0xfe, 0xed, 0xfe, 0xed}

var errJKS = errors.New("not a readable Java key store")

// jksCertificates returns the DER of the trusted certificates in a JKS file. No password is asked
// for, as the JVM asks for none: certificates are stored in the clear, and the digest at the end is
// left to those who know its password.
//
// The layout (sun.security.provider.JavaKeyStore), big-endian: magic, version (1 or 2), count; per
// entry a tag (1 key, 2 certificate), alias, time; a key has its bytes and a chain of certificates;
// a certificate has, in version 2, its type and then its bytes. Strings have a 16-bit length, bytes
// a 32-bit one.
func jksCertificates(content []byte) ([][]byte, error) {
	in := &jksReader{rest: bytes.NewReader(content)}
	if magic := in.uint32(); magic != binary.BigEndian.Uint32(jksMagic) {
		return nil, errJKS
	}
	version := in.uint32()
	if version != 1 && version != 2 {
		return nil, fmt.Errorf("%w: version %d", errJKS, version)
	}
	var found [][]byte
	for count := in.uint32(); count > 0 && in.err == nil; count-- {
		tag := in.uint32()
		in.text()    // alias
		in.bytes(8)  // time
		switch tag { // nothing else has a length that could be skipped
		case 1:
			in.bytes(in.uint32())
			for chain := in.uint32(); chain > 0 && in.err == nil; chain-- {
				in.certificate(version)
			}
		case 2:
			if der := in.certificate(version); in.err == nil {
				found = append(found, der)
			}
		default:
			return nil, fmt.Errorf("%w: entry of kind %d", errJKS, tag)
		}
	}
	return found, in.err
}

// jksReader reads the format's primitives; after the first error it reads zeros.
type jksReader struct {
	rest *bytes.Reader
	err  error
}

func (r *jksReader) bytes(n uint32) []byte {
	if r.err == nil && int64(n) > int64(r.rest.Len()) {
		r.err = errJKS
	}
	if r.err != nil {
		return nil
	}
	b := make([]byte, n)
	_, r.err = io.ReadFull(r.rest, b)
	return b
}

func (r *jksReader) uint32() uint32 {
	if b := r.bytes(4); len(b) == 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *jksReader) text() {
	if b := r.bytes(2); len(b) == 2 {
		r.bytes(uint32(binary.BigEndian.Uint16(b)))
	}
}

func (r *jksReader) certificate(version uint32) []byte {
	if version == 2 {
		r.text() // "X.509"
	}
	return r.bytes(r.uint32())
}
