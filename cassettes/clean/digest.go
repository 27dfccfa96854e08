package clean

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"
)

// digests are the headers that hold a digest of the body. Clients check them, so they
// are made anew when the stored body is not the one that was received: when a secret
// in it was replaced, or its Content-Encoding removed. A digest of an algorithm that
// is not known here is dropped. So the old one, from which a short secret could be
// guessed, is gone too. An ETag is the server's own affair, and stays.
var digests = []digest{
	{"Content-Md5", false, plainDigest("md5")},          // RFC 1864
	{"X-Ms-Blob-Content-Md5", true, plainDigest("md5")}, // Azure
	{"X-Ms-Content-Crc64", false, dropDigest},           // Azure's own polynomial
	{"Content-Digest", false, listDigest("=:", ":")},    // RFC 9530, section 2
	{"Repr-Digest", true, listDigest("=:", ":")},        // RFC 9530, section 3
	{"Digest", true, listDigest("=", "")},               // RFC 3230
	{"X-Goog-Hash", true, listDigest("=", "")},          // Google: crc32c, md5; big-endian
	{"X-Amz-Content-Sha256", false, hexDigest},          // AWS
	{"X-Amz-Checksum-Type", false, keepDigest},          // says how, not what
	{"X-Amz-Checksum-Algorithm", false, keepDigest},
	{"X-Amz-Checksum-Mode", false, keepDigest},
	{"X-Amz-Checksum-*", true, amazonDigest},   // S3: crc32, crc32c, crc64nvme, sha1, sha256
	{"X-Oss-Hash-Crc64ecma", true, dropDigest}, // Alibaba: of the whole object
}

type digest struct {
	name string // canonical; a trailing "*" stands for any text
	// whole says that the digest is of the whole representation, of which a
	// partial answer (206) has but a part.
	whole  bool
	redone func(name, value string, body []byte) string // "" drops it
}

// algorithms are known by the names of RFC 9530, RFC 3230, Google and Amazon, without
// hyphens and in lower case.
var algorithms = map[string]func(body []byte) []byte{
	"md5":       func(b []byte) []byte { sum := md5.Sum(b); return sum[:] },
	"sha":       func(b []byte) []byte { sum := sha1.Sum(b); return sum[:] },
	"sha1":      func(b []byte) []byte { sum := sha1.Sum(b); return sum[:] },
	"sha256":    func(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] },
	"sha512":    func(b []byte) []byte { sum := sha512.Sum512(b); return sum[:] },
	"crc32":     func(b []byte) []byte { return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)) },
	"crc32c":    func(b []byte) []byte { return binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli)) },
	"crc64nvme": func(b []byte) []byte { return binary.BigEndian.AppendUint64(nil, crc64.Checksum(b, nvme)) },
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	// nvme is the polynomial of the NVM Express command set, as package crc64 writes
	// it: its highest power last.
	nvme = crc64.MakeTable(0x9a6c9329ac4bc9b5)
)

// sumOf is the digest of body in base64, "" when the algorithm is not known.
func sumOf(algorithm string, body []byte) string {
	sum := algorithms[strings.ReplaceAll(strings.ToLower(algorithm), "-", "")]
	if sum == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sum(body))
}

// FollowBody makes the digests in headers and trailers those of body: for bytes that
// differ from those that the server made them of, when stored and when played. partial
// says that the body is a part of the representation only (206).
func FollowBody(body []byte, partial bool, headers ...http.Header) {
	for _, h := range headers {
		for name, values := range h {
			d := digestOf(name)
			if d.redone == nil {
				continue
			}
			var kept []string
			for _, value := range values {
				if d.whole && partial {
					break
				}
				if value = d.redone(name, value, body); value != "" {
					kept = append(kept, value)
				}
			}
			if kept == nil {
				delete(h, name)
			} else {
				h[name] = kept
			}
		}
	}
}

// dropDigests removes the digests of a body that is not held in memory.
func dropDigests(headers ...http.Header) {
	for _, h := range headers {
		for name := range h {
			if digestOf(name).redone != nil {
				delete(h, name)
			}
		}
	}
}

// digestOf is what is known of a header, the zero digest for one that holds none.
func digestOf(name string) (none digest) {
	name = http.CanonicalHeaderKey(name)
	for _, d := range digests {
		if prefix, ok := strings.CutSuffix(d.name, "*"); d.name == name || ok && strings.HasPrefix(name, prefix) {
			return d
		}
	}
	return none
}

func keepDigest(_, value string, _ []byte) string { return value }
func dropDigest(_, _ string, _ []byte) string     { return "" }

func plainDigest(algorithm string) func(name, value string, body []byte) string {
	return func(_, _ string, body []byte) string { return sumOf(algorithm, body) }
}

// amazonDigest: the algorithm is the end of the header's name. A sum of sums, as that
// of an object uploaded in parts, ends with their number and cannot be made anew.
func amazonDigest(name, value string, body []byte) string {
	if strings.Contains(value, "-") {
		return ""
	}
	return sumOf(name[len("X-Amz-Checksum-"):], body)
}

// hexDigest is the hash that AWS signs; words such as UNSIGNED-PAYLOAD stay.
func hexDigest(_, value string, body []byte) string {
	if _, err := hex.DecodeString(value); err != nil {
		return value
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// listDigest reads "sha-256=…, md5=…" with the values between open and end.
func listDigest(open, end string) func(name, value string, body []byte) string {
	return func(_, value string, body []byte) string {
		var kept []string
		for one := range strings.SplitSeq(value, ",") {
			algorithm, _, ok := strings.Cut(strings.TrimSpace(one), "=")
			if sum := sumOf(algorithm, body); ok && sum != "" {
				kept = append(kept, algorithm+open+sum+end)
			}
		}
		return strings.Join(kept, ", ")
	}
}
