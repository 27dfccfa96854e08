package clean_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// checks are what clients do with the digests of an answer.
var checks = map[string]func(value string, body []byte) bool{
	"Content-Md5": func(v string, b []byte) bool { sum := md5.Sum(b); return v == b64(sum[:]) },
	"Digest": func(v string, b []byte) bool {
		sum, five := sha256.Sum256(b), md5.Sum(b)
		return v == "SHA-256="+b64(sum[:])+", md5="+b64(five[:])
	},
	"Content-Digest": func(v string, b []byte) bool { sum := sha256.Sum256(b); return v == "sha-256=:"+b64(sum[:])+":" },
	"Repr-Digest":    func(v string, b []byte) bool { sum := sha512.Sum512(b); return v == "sha-512=:"+b64(sum[:])+":" },
	"X-Amz-Checksum-Crc32": func(v string, b []byte) bool {
		return v == b64(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)))
	},
	"X-Amz-Checksum-Crc32c": func(v string, b []byte) bool { return v == b64(castagnoli(b)) },
	"X-Amz-Checksum-Crc64nvme": func(v string, b []byte) bool {
		return v == b64(binary.BigEndian.AppendUint64(nil, crc64.Checksum(b, crc64.MakeTable(0x9a6c9329ac4bc9b5))))
	},
	"X-Amz-Checksum-Sha256": func(v string, b []byte) bool { sum := sha256.Sum256(b); return v == b64(sum[:]) },
	"X-Amz-Content-Sha256":  func(v string, b []byte) bool { sum := sha256.Sum256(b); return v == hex.EncodeToString(sum[:]) },
	"X-Goog-Hash": func(v string, b []byte) bool {
		sum := md5.Sum(b)
		return v == "crc32c="+b64(castagnoli(b))+", md5="+b64(sum[:])
	},
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func castagnoli(b []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// digested are the headers as a server sends them with body.
func digested(body []byte) http.Header {
	five, sum, long := md5.Sum(body), sha256.Sum256(body), sha512.Sum512(body)
	return http.Header{
		"Content-Md5": {b64(five[:])}, "Digest": {"SHA-256=" + b64(sum[:]) + ",md5=" + b64(five[:]) + ",UNIXsum=30637"},
		"Content-Digest": {"sha-256=:" + b64(sum[:]) + ":, adler=:AAAA:"}, "Repr-Digest": {"sha-512=:" + b64(long[:]) + ":"},
		"X-Amz-Checksum-Crc32": {b64(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body)))}, "X-Amz-Checksum-Crc32c": {b64(castagnoli(body))},
		"X-Amz-Checksum-Crc64nvme": {"AAAAAAAAAAA="}, "X-Amz-Checksum-Sha256": {b64(sum[:])}, "X-Amz-Checksum-Type": {"FULL_OBJECT"},
		"X-Amz-Content-Sha256": {hex.EncodeToString(sum[:])}, "X-Goog-Hash": {"crc32c=" + b64(castagnoli(body)) + ",md5=" + b64(five[:])},
		"X-Amz-Checksum-Sha1": {"AAAAAAAAAAAAAAAAAAAAAAAAAAA=-3"}, "X-Ms-Content-Crc64": {"AAAAAAAAAAA="}, "X-Oss-Hash-Crc64ecma": {"123"},
		"Etag": {`"` + hex.EncodeToString(five[:]) + `"`}, "Content-Type": {"application/json"},
	}
}

// Digests follow the stored bytes, so that a client that checks them is content, and
// those that cannot are gone.
func TestDigestsFollowTheBody(t *testing.T) {
	plain := []byte(`{"client_secret":"` + secret + `"}`)
	for _, coding := range []string{"", "gzip", "br"} {
		sent := plain
		if coding != "" {
			sent = encode(t, coding, plain)
		}
		h := digested(sent)
		if coding != "" {
			h.Set("Content-Encoding", coding)
		}
		c := newCleaner(t)
		in, err := c.Interaction(request(t, c, "GET", "https://api.acme.dev/", ""), clean.Answer{
			Response: &http.Response{StatusCode: 200, ContentLength: int64(len(sent)), Header: h.Clone()}, Body: sent, Trailer: http.Header{"Content-Md5": h["Content-Md5"], "X-Sum": {"1"}}})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := in.Response()
		if err != nil {
			t.Fatal(err)
		}
		checkDigests(t, coding, resp.Header(), resp.Body())
		if got := resp.Trailer(); !checks["Content-Md5"](got.Get("Content-Md5"), resp.Body()) || got.Get("X-Sum") != "1" {
			t.Errorf("%s: trailers %v", coding, got)
		}
		if resp.Header().Get("Etag") != h.Get("Etag") || resp.Header().Get("X-Amz-Checksum-Type") != "FULL_OBJECT" {
			t.Errorf("%s: %v", coding, resp.Header())
		}
		// Other numbers are other bytes.
		again, err := in.Renumber(map[string]string{"0001": "A00010000"})
		if err != nil {
			t.Fatal(err)
		}
		resp, _ = again.Response()
		if !strings.Contains(string(resp.Body()), "REDACTEDA000000000010000") {
			t.Fatalf("%s", resp.Body())
		}
		checkDigests(t, coding+" renumbered", resp.Header(), resp.Body())
	}
	// A request's.
	var headers []string
	for name, values := range digested(plain) {
		headers = append(headers, name, values[0])
	}
	c := newCleaner(t)
	c.KeepRequestHeader = func(redact.Scope, string) bool { return true }
	r := request(t, c, "PUT", "https://api.acme.dev/", string(plain), headers...)
	got := http.Header{}
	for _, name := range r.HeaderNames() {
		got[name] = r.Header(name)
	}
	checkDigests(t, "request", got, r.Body())
}

func checkDigests(t *testing.T, name string, h http.Header, body []byte) {
	t.Helper()
	for header, check := range checks {
		if value := h.Get(header); !check(value, body) {
			t.Errorf("%s: a client that checks %s: %s is refused", name, header, value)
		}
	}
	for _, gone := range []string{"X-Amz-Checksum-Sha1", "X-Ms-Content-Crc64", "X-Oss-Hash-Crc64ecma"} {
		if h.Get(gone) != "" {
			t.Errorf("%s: %s stays", name, gone)
		}
	}
}

// What is stored as it came keeps what the server said of it, and so does the answer
// to a HEAD request.
func TestDigestsOfOtherBodiesStay(t *testing.T) {
	body := []byte(`{"id":"cus_1"}`)
	for _, method := range []string{"GET", "HEAD"} {
		h := digested([]byte("whatever"))
		sent := body
		if method == "HEAD" {
			sent = nil
		}
		c := newCleaner(t)
		in, err := c.Interaction(request(t, c, method, "https://api.acme.dev/", ""), clean.Answer{Response: &http.Response{StatusCode: 200, Header: h.Clone()}, Body: sent})
		if err != nil {
			t.Fatal(err)
		}
		resp, _ := in.Response()
		for name := range h {
			if got := resp.Header().Get(name); got != h.Get(name) {
				t.Errorf("%s: %s is %s, was %s", method, name, got, h.Get(name))
			}
		}
	}
}

// A part of a file says nothing of the digest of the whole.
func TestDigestsOfPartialAnswers(t *testing.T) {
	body := []byte(`{"client_secret":"` + secret + `"}`)
	c := newCleaner(t)
	in, err := c.Interaction(request(t, c, "GET", "https://api.acme.dev/", ""), clean.Answer{Response: &http.Response{StatusCode: 206, Header: digested(body)}, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := in.Response()
	h := resp.Header()
	for _, name := range []string{"Content-Md5", "Content-Digest"} {
		if !checks[name](h.Get(name), resp.Body()) {
			t.Errorf("%s: %s", name, h.Get(name))
		}
	}
	for _, name := range []string{"Repr-Digest", "Digest", "X-Goog-Hash", "X-Amz-Checksum-Crc32"} {
		if h.Get(name) != "" {
			t.Errorf("%s stays", name)
		}
	}
	if bytes.Contains(resp.Body(), []byte(secret)) {
		t.Error("the secret stays")
	}
}

// The check value of CRC-64/NVME, by the NVM Express command set specification.
func TestCRC64OfNVMe(t *testing.T) {
	if sum := crc64.Checksum([]byte("123456789"), crc64.MakeTable(0x9a6c9329ac4bc9b5)); sum != 0xae8b14860a799888 {
		t.Errorf("%x", sum)
	}
}
