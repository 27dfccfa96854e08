package diff

import (
	"slices"
	"strings"
	"sync/atomic"

	"tapedeck/cassettes/leaves"
	"tapedeck/matchers"
)

// What the name of a value says of it.

// namesOf are the names in a place, the nearest first: of body.items[0].price these are
// price, items and body.
func namesOf(p leaves.Place) (out []string) {
	s := string(p)
	for i := 0; i < len(s); {
		switch {
		case s[i] == '.':
			i++
			continue
		case strings.HasPrefix(s[i:], `["`):
			end := i + 2
			for end < len(s) && s[end] != '"' {
				if s[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end, len(s))
			out = append(out, s[i+2:end])
			i = min(end+2, len(s))
			continue
		case s[i] == '[':
			end := strings.IndexByte(s[i:], ']')
			if end < 0 {
				end = len(s) - i - 1
			}
			i += end + 1
			continue
		}
		end := strings.IndexAny(s[i:], ".[")
		if end < 0 {
			end = len(s) - i
		}
		out = append(out, s[i:i+end])
		i += end
	}
	slices.Reverse(out)
	return out
}

// comparisons are names that say how a value is compared with that of the name above:
// created[gte].
var comparisons = []string{"gt", "gte", "lt", "lte", "eq", "from", "to", "since", "until", "after", "before", "min", "max", "start", "end"}

// nameOf is the name that says what a value at a place is.
func nameOf(p leaves.Place) string {
	names := namesOf(p)
	switch {
	case len(names) == 0:
		return ""
	case len(names) > 2 && slices.Contains(comparisons, strings.ToLower(names[0])):
		return names[1]
	}
	return names[0]
}

// A naming is what a value may be for its name alone.
type naming uint8

const (
	plainName naming = iota
	timeName
	chosenName // what people choose, or what says which thing it is: a day of birth, a SKU
	idName
	cursorName
	requestName
	tokenName
	digestName
)

var namingWords = [...]string{timeName: "a time", idName: "a generated id", cursorName: "a cursor", requestName: "a request id", tokenName: "a token", digestName: "a digest"}

// wholeNames are names of which nothing but the whole says what they name, in small
// letters.
var wholeNames = func() map[string]naming {
	out := make(map[string]naming)
	for naming, names := range map[naming]string{
		timeName: "created updated modified deleted expires expiry expiration exp iat nbf timestamp ts time date datetime since until changed started finished " +
			"completed canceled cancelled closed opened published issued now epoch paid sent received",
		cursorName: "cursor next_cursor nextcursor prev_cursor previous_cursor end_cursor endcursor start_cursor startcursor after_cursor before_cursor " +
			"page_token pagetoken next_page_token nextpagetoken next_token nexttoken continuation continuationtoken continuation_token " +
			"next_continuation_token nextcontinuationtoken sync_token synctoken next_sync_token scroll_id _scroll_id bookmark marker next_marker " +
			"nextmarker resume_token pit_id",
		requestName: "request_id requestid request-id x-request-id x-amzn-requestid x-amz-request-id x-amz-id-2 x-amz-cf-id x-github-request-id " +
			"x-correlation-id correlation_id correlationid x-trace-id trace_id traceid traceparent x-amzn-trace-id x-b3-traceid x-b3-spanid span_id " +
			"idempotency-key idempotency_key x-ms-request-id x-ms-client-request-id x-cloud-trace-context x-openai-request-id x-shopify-request-id " +
			"original-request request_log_id debug_id paypal-debug-id x-vercel-id",
		chosenName: "sku gtin ean upc isbn asin mpn iban bic vin dob model part_number partnumber status type kind reason role " +
			"sha1 sha256 sha384 sha512 md5 crc32 crc32c checksum error_code errorcode coupon coupon_code promo_code discount_code postal_code postalcode zip zipcode zip_code",
		tokenName: "nonce csrf csrf_token csrftoken xsrf-token client_secret access_token refresh_token id_token session_token signature sig",
		digestName: "etag if-none-match if-match content-md5 content-digest repr-digest digest x-goog-hash x-amz-content-sha256 x-amz-version-id " +
			"x-ms-blob-content-md5 x-goog-generation _etag @odata.etag",
	} {
		for name := range strings.FieldsSeq(names) {
			out[name] = naming
		}
	}
	return out
}()

// timeEndings are what names of times end in, behind another word: created_at, expiresOn.
var timeEndings = map[string]bool{
	"at": true, "on": true, "time": true, "date": true, "timestamp": true, "ts": true, "until": true, "since": true, "start": true, "end": true,
	"epoch": true, "expires": true, "expiry": true, "expiration": true, "anchor": true, "created": true, "updated": true, "modified": true, "utc": true,
}

// lastWord is the last of the words that a name is put together of, in small letters, ""
// when it is one word.
func lastWord(name string) string {
	for i := len(name) - 1; i > 0; i-- {
		switch c := name[i]; {
		case c == '_' || c == '-':
			return strings.ToLower(name[i+1:])
		case 'A' <= c && c <= 'Z' && 'a' <= name[i-1] && name[i-1] <= 'z':
			return strings.ToLower(name[i:])
		}
	}
	return ""
}

// namingOf says what a place's name tells of its value.
func namingOf(p leaves.Place) naming {
	name := nameOf(p)
	if name == "code" {
		if names := namesOf(p); len(names) > 1 && strings.HasPrefix(names[1], "error") {
			return chosenName
		}
	}
	return namingOfName(name)
}

func namingOfName(name string) naming {
	slot := &namings[hashOf(name)%uint64(len(namings))]
	if n := slot.Load(); n != nil && n.name == name {
		return n.naming
	}
	n := readName(name)
	if len(name) <= longestNaming {
		slot.Store(&named{strings.Clone(name), n})
	}
	return n
}

// namings are the names that were read last: an API has few, and each stands in every
// one of its answers.
var namings [1024]atomic.Pointer[named]

type named struct {
	name   string
	naming naming
}

// longestNaming bounds what namings keep in memory, in bytes for each.
const longestNaming = 64

func readName(name string) naming {
	if naming, ok := wholeNames[strings.ToLower(name)]; ok {
		return naming
	}
	switch {
	case strings.Contains(strings.ToLower(name), "birth"):
		return chosenName
	case timeEndings[lastWord(name)]:
		return timeName
	case matchers.IsIDName(name):
		return idName
	}
	return plainName
}

// opaque reports a text that says nothing to people: no white space, and more than a
// word.
func opaque(s string) bool {
	return len(s) >= 8 && len(s) <= 4096 && !strings.ContainsAny(s, " \t\r\n") && !isWord(s)
}

// opaque is opaque for what a name says: a bookmark may be of words, such as
// chapter-three. The id of a request never is.
func (n naming) opaque(s string) bool { return opaque(s) && (n != cursorName || !areWords(s)) }

func areWords(s string) bool {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune("_-.,:/", r) }) {
		if !isWord(part) {
			return false
		}
	}
	return true
}
