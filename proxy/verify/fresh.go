package verify

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// isIdempotencyKey tells headers and fields by which an API knows a retry: a recorded
// value would be answered with what was answered then.
func isIdempotencyKey(p part) bool {
	name := foldName.Replace(strings.ToLower(p.name))
	if strings.HasPrefix(string(p.place), "header.") {
		switch name {
		case "idempotencykey", "xidempotencykey", "xrequestid", "requestid", "paypalrequestid", "xclientrequestid":
			return true
		}
		return false
	}
	return (name == "idempotencykey" || name == "idempotencytoken" || name == "clientrequesttoken") && !strings.HasPrefix(string(p.place), "path")
}

// fresh makes new values for those that a client makes up; equal ones stay equal.
type fresh map[string]string

func (f *fresh) of(recorded string) string {
	if (*f)[recorded] == "" {
		(*f)[recorded] = newUUID()
	}
	return (*f)[recorded]
}

// newUUID is a random UUID (RFC 9562, version 4).
func newUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
