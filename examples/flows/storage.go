package flows

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// storage keeps files behind URLs that are signed as S3's are (AWS Signature
// Version 4 in the query, with UNSIGNED-PAYLOAD). Clients sign some themselves,
// and get others signed: in an answer's body, and in Location.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
type storage struct {
	keyID, secretKey string
	ledger           *ledger
	now              func() time.Time

	mu    sync.Mutex
	files map[string]string // by path
}

func newStorage(c Credentials, l *ledger, now func() time.Time) *storage {
	return &storage{keyID: c.AWSKeyID, secretKey: c.AWSSecretKey, ledger: l, now: now, files: map[string]string{}}
}

const (
	awsDate  = "20060102T150405Z"
	awsScope = "eu-central-1/s3/aws4_request"
)

func (s *storage) serve(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Files+"/{file}", s.get)
	mux.HandleFunc("PUT "+Files+"/{file}", s.put)
	// Two ways in which an API hands out a signed URL.
	mux.HandleFunc("POST "+Orders+"/v1/uploads", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, object{"method": "PUT", "upload_url": s.sign("PUT", "/"+r.PostFormValue("name"))})
	})
	mux.HandleFunc("GET "+Orders+"/v1/downloads/{file}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", s.sign("GET", "/"+r.PathValue("file")))
		w.WriteHeader(http.StatusFound)
	})
}

func (s *storage) sign(method, path string) string {
	date := s.now().UTC().Format(awsDate)
	query := url.Values{
		"X-Amz-Algorithm":     {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential":    {s.keyID + "/" + date[:8] + "/" + awsScope},
		"X-Amz-Date":          {date},
		"X-Amz-Expires":       {"900"},
		"X-Amz-SignedHeaders": {"host"},
	}
	query.Set("X-Amz-Signature", s.signature(method, path, query))
	return "https://" + Files + path + "?" + canonicalQuery(query)
}

func (s *storage) signature(method, path string, query url.Values) string {
	date := query.Get("X-Amz-Date")
	canonical := strings.Join([]string{method, path, canonicalQuery(query), "host:" + Files, "", "host", "UNSIGNED-PAYLOAD"}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", date, date[:8] + "/" + awsScope, hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + s.secretKey)
	for _, part := range append([]string{date[:8]}, strings.Split(awsScope, "/")...) {
		key = sum(key, part)
	}
	signature := hex.EncodeToString(sum(key, toSign))
	s.ledger.note("the signature of a URL", signature)
	return signature
}

func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// canonicalQuery is what AWS signs: sorted, with %20 for a space.
func canonicalQuery(query url.Values) string {
	return strings.ReplaceAll(query.Encode(), "+", "%20")
}

// check verifies a signed URL. It answers if that is wrong or too old.
func (s *storage) check(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	signature := query.Get("X-Amz-Signature")
	query.Del("X-Amz-Signature")
	signed, err := time.Parse(awsDate, query.Get("X-Amz-Date"))
	seconds, badly := strconv.Atoi(query.Get("X-Amz-Expires"))
	names := []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"}
	switch {
	case err != nil || badly != nil || signature == "" || slices.ContainsFunc(names, func(n string) bool { return len(query[n]) != 1 }):
		http.Error(w, "<Error><Code>AuthorizationQueryParametersError</Code></Error>", http.StatusBadRequest)
	case !strings.HasPrefix(query.Get("X-Amz-Credential"), s.keyID+"/") || !equal(signature, s.signature(r.Method, r.URL.EscapedPath(), query)):
		http.Error(w, "<Error><Code>SignatureDoesNotMatch</Code></Error>", http.StatusForbidden)
	case s.now().After(signed.Add(time.Duration(seconds) * time.Second)):
		http.Error(w, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", http.StatusForbidden)
	default:
		return true
	}
	return false
}

func (s *storage) get(w http.ResponseWriter, r *http.Request) {
	if !s.check(w, r) {
		return
	}
	s.mu.Lock()
	text, ok := s.files[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		http.Error(w, "<Error><Code>NoSuchKey</Code></Error>", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, text)
}

func (s *storage) put(w http.ResponseWriter, r *http.Request) {
	if !s.check(w, r) {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the client has gone away
	}
	s.mu.Lock()
	s.files[r.URL.Path] = string(body)
	s.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}
