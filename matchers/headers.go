package matchers

import (
	"mime"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
)

// keyHeaders change what a request means, whatever the rules say.
var keyHeaders = []string{
	"Accept",                 // which representation
	"Anthropic-Version",      // API version
	"Openai-Beta",            // API version
	"Openai-Organization",    // whose data
	"Openai-Project",         // whose data
	"Range",                  // which part
	"Soapaction",             // the operation
	"Stripe-Account",         // whose data
	"Stripe-Version",         // API version
	"X-Amz-Target",           // the operation
	"X-Github-Api-Version",   // API version
	"X-Http-Method-Override", // the operation
}

// headerPlace is where a header stands among the facts.
func headerPlace(canonical string) leaves.Place {
	return leaves.Place("header").Member(strings.ToLower(canonical))
}

// headers adds the headers that count: those above and those that rules name.
func (rd *reader) headers(r clean.Request) {
	for _, name := range keyHeaders {
		rd.header(r, name)
	}
	for _, name := range rd.rules.headers() {
		if !slices.Contains(keyHeaders, name) {
			rd.header(r, name)
		}
	}
}

func (rd *reader) header(r clean.Request, name string) {
	values := r.Header(name)
	switch name {
	case "Accept":
		rd.leaf(headerPlace(name), stringType, normalAccept(values))
	case "Cookie":
		for _, c := range cookies(values) {
			rd.leaf(headerPlace(name).Member(c.name), stringType, c.value)
		}
	default:
		for _, v := range values {
			rd.leaf(headerPlace(name), stringType, v)
		}
	}
}

// normalAccept writes an Accept header as its ranges in order of preference.
// Qualities only order them, so 0.9 and 0.8 are the same second choice; a
// range of quality 0, which is excluded, keeps it. An absent header is */*.
func normalAccept(values []string) string {
	type choice struct {
		text    string
		quality float64
	}
	var choices []choice
	for _, text := range splitList(strings.Join(values, ",")) {
		c := choice{text, 1}
		if text == "*" || strings.HasPrefix(text, "*;") {
			text = "*/" + text // Java's HttpURLConnection sends this
		}
		if name, params, err := mime.ParseMediaType(text); err == nil {
			if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
				c.quality = q
			}
			delete(params, "q")
			if c.quality <= 0 {
				params["q"] = "0"
			}
			if normal := mime.FormatMediaType(name, params); normal != "" {
				c.text = normal
			}
		}
		choices = append(choices, c)
	}
	if len(choices) == 0 {
		return "*/*"
	}
	slices.SortStableFunc(choices, func(a, b choice) int {
		switch {
		case a.quality > b.quality:
			return -1
		case a.quality < b.quality:
			return 1
		}
		return 0
	})
	out := make([]string, len(choices))
	for i, c := range choices {
		out[i] = c.text
	}
	return strings.Join(out, ", ")
}

// splitList splits a header's value at the commas outside of quoted strings.
func splitList(s string) (out []string) {
	start, quoted := 0, false
	add := func(end int) {
		if item := strings.TrimSpace(s[start:end]); item != "" {
			out = append(out, item)
		}
		start = end + 1
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			add(i)
		}
	}
	add(len(s))
	return out
}
