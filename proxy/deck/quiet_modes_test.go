package deck_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tapedeck/cassettes/clean"
	"tapedeck/proxy/deck"
)

// onDay is an API whose answers depend on nothing but n, and hold times around a day.
type onDay struct {
	n      int
	at     time.Time
	answer func(w *strings.Builder, d *onDay, req *http.Request) http.Header
}

func (d *onDay) RoundTrip(req *http.Request) (*http.Response, error) {
	d.n++
	var b strings.Builder
	header := d.answer(&b, d, req)
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", jsonType)
	}
	return &http.Response{StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", Header: header, Body: io.NopCloser(strings.NewReader(b.String())), ContentLength: int64(b.Len()), Request: req}, nil
}

func (d *onDay) options(o *deck.Options) { o.Now = func() time.Time { return d.at } }

var firstDay = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

// A time at which something ends is carried over only with the day that it counts from.
func TestExpiriesGoWithTheirDay(t *testing.T) {
	answer := func(extra string) func(w *strings.Builder, d *onDay, req *http.Request) http.Header {
		return func(w *strings.Builder, d *onDay, req *http.Request) http.Header {
			fmt.Fprintf(w, "{\n  \"access_token\": %q,\n  \"expires_at\": %d,\n  \"created\": %d,\n  \"note\": %q\n}", fmt.Sprintf("tokenQx7Zp4Lw9R%d8Jk2m", d.at.Unix()), d.at.Add(time.Hour).Unix(), d.at.Unix(), extra)
			return http.Header{"Set-Cookie": {"sid=abcQx7Zp4Lw9R8; Expires=" + d.at.Add(2*time.Hour).Format(http.TimeFormat)}}
		}
	}
	for _, c := range []struct {
		what, first, second string
		days                int
		changed             bool
	}{
		{"nothing else changed", "a", "a", 60, false},
		{"something did", "a", "b", 60, true},
	} {
		b := newBench(t)
		record := func(at time.Time, extra string) {
			api := &onDay{at: at, answer: answer(extra)}
			d := b.open(deck.RecordOnly, api, api.options)
			ask(t, d, "POST", "https://api.acme.dev/token", "")
			b.close(d)
		}
		record(firstDay, c.first)
		before := b.file()
		later := firstDay.AddDate(0, 0, c.days)
		record(later, c.second)
		if changed := b.file() != before; changed != c.changed {
			t.Errorf("%s: changed: %v\n%s", c.what, changed, b.file())
		}
		// Whatever stands there: a client of a year later gets a token that is good.
		now := later.AddDate(1, 0, 0)
		d := b.open(deck.ReplayOnly, nil, func(o *deck.Options) { o.Now = func() time.Time { return now } })
		resp, got := ask(t, d, "POST", "https://api.acme.dev/token", "")
		var token struct {
			Expires int64 `json:"expires_at"`
		}
		json.Unmarshal([]byte(got), &token)
		if !time.Unix(token.Expires, 0).After(now) {
			t.Errorf("%s: the token has expired at %s", c.what, time.Unix(token.Expires, 0))
		}
		for _, cookie := range resp.Cookies() {
			if !cookie.Expires.After(now) {
				t.Errorf("%s: the cookie has expired at %s", c.what, cookie.Expires)
			}
		}
		if c.changed && strings.Contains(b.file(), fmt.Sprint(later.Unix())) {
			t.Errorf("%s: when it was made changes nothing\n%s", c.what, b.file())
		}
		b.close(d)
	}
}

func TestPastMaxAgeAllIsWrittenAnew(t *testing.T) {
	b := newBench(t)
	b.recordShop(newShopAPI(1), 1, nil)
	before := b.file()
	api := newShopAPI(2)
	api.now = api.now.AddDate(0, 0, 40)
	saw, _ := b.recordShop(api, 1, func(o *deck.Options) { o.MaxAge = 30 * 24 * time.Hour })
	if gone, _ := changedLines(t, before, b.file()); len(gone) < 20 || strings.Contains(b.file(), "recorded: 2026-11") {
		t.Errorf("%d lines changed", len(gone))
	}
	b.replaysShop(1, saw)
}

// What is recorded again for a part takes the names that the rest of the file has.
func TestRerecordedPartKeepsItsNames(t *testing.T) {
	b := newBench(t)
	api := newShopAPI(1)
	flow := func(d http.RoundTripper) {
		header, _ := ask(t, d, "POST", "https://api.shop.dev/customers", "name=a", "Content-Type", formType)
		ask(t, d, "GET", "https://api.shop.dev"+header.Header.Get("Location"), "")
	}
	d := b.open(deck.RecordOnly, api)
	flow(d)
	b.close(d)
	before := b.file()
	again := newShopAPI(2)
	d = b.open(deck.NewEpisodes, again, func(o *deck.Options) {
		o.Rerecord = func(r clean.Request) bool { return r.Method() == "POST" }
	})
	ask(t, d, "POST", "https://api.shop.dev/customers", "name=a", "Content-Type", formType)
	b.close(d)
	b.unchanged(before, "the POST was recorded again")
	d = b.open(deck.ReplayOnly, nil)
	flow(d)
	b.close(d)
	if n := len(d.Report().Misses); n > 0 {
		t.Errorf("%d misses", n)
	}
}

// What is added stands beside what is there, and nothing that is there changes.
func TestNewEpisodesChangeNothingElse(t *testing.T) {
	b := newBench(t)
	b.recordShop(newShopAPI(1), 2, nil)
	before := b.file()
	d := b.open(deck.NewEpisodes, newShopAPI(2))
	ask(t, d, "POST", "https://api.shop.dev/customers", "name=another", "Content-Type", formType)
	b.close(d)
	if !strings.HasPrefix(b.file(), strings.TrimSuffix(before, "\n")) {
		t.Error("what was there has changed")
	}
}

func TestDropRetriedIsQuiet(t *testing.T) {
	b := newBench(t)
	record := func(seed uint64, troubles int) {
		api := newShopAPI(seed)
		d := b.open(deck.RecordOnly, &troubled{api, troubles}, func(o *deck.Options) { o.DropRetried = true; o.Now = api.clock })
		for range troubles + 1 {
			ask(t, d, "POST", "https://api.shop.dev/customers", "name=a", "Content-Type", formType)
		}
		b.close(d)
	}
	record(1, 0)
	before := b.file()
	record(2, 2)
	b.unchanged(before, "two failures that a retry made good")
}

type troubled struct {
	*shopAPI
	left int
}

func (a *troubled) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.left--; a.left >= 0 {
		return &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"1"}}, Body: http.NoBody, Request: req}, nil
	}
	return a.shopAPI.RoundTrip(req)
}

// An id that a client may take apart, or that it makes something else of, is left alone.
func TestWhatCannotBeReplacedStays(t *testing.T) {
	for _, c := range []struct{ what, contentType, format string }{
		{"in base64", jsonType, `{"id":"%[1]s","blob":"eyJvd25lciI6%[2]sIn0 for the %[3]s time"}`},
		{"in a binary", "application/octet-stream", "\x00\x01%[1]s %[3]s"},
	} {
		b := newBench(t)
		record := func(seed uint64) {
			api := newShopAPI(seed)
			upstream := &onDay{at: firstDay, answer: func(w *strings.Builder, d *onDay, req *http.Request) http.Header {
				id := "cus_" + api.random(13) + "7Qz"
				if req.Method == "POST" {
					fmt.Fprintf(w, `{"id":%q}`, api.last(id))
					return http.Header{}
				}
				fmt.Fprintf(w, c.format, api.token, base64Of(api.token), []string{"", "first", "second"}[seed])
				return http.Header{"Content-Type": {c.contentType}}
			}}
			d := b.open(deck.RecordOnly, upstream, upstream.options)
			_, got := ask(t, d, "POST", "https://api.shop.dev/customers", "")
			var answer struct{ ID string }
			json.Unmarshal([]byte(got), &answer)
			ask(t, d, "GET", "https://api.shop.dev/customers/"+answer.ID, "")
			b.close(d)
			if file := b.file(); strings.Count(file, answer.ID) < 2 && seed > 1 {
				t.Errorf("%s: the id was replaced at some places only:\n%s", c.what, file)
			}
			d = b.open(deck.ReplayOnly, nil)
			_, got = ask(t, d, "POST", "https://api.shop.dev/customers", "")
			json.Unmarshal([]byte(got), &answer)
			if resp, _ := ask(t, d, "GET", "https://api.shop.dev/customers/"+answer.ID, ""); resp.StatusCode != 200 {
				t.Errorf("%s: the replay breaks: %d", c.what, resp.StatusCode)
			}
			b.close(d)
		}
		record(1)
		record(2)
	}
}
