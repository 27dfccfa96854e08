package child

import (
	"net/url"
	"testing"
)

func TestUpstreamProxy(t *testing.T) {
	cases := []struct {
		name    string
		environ []string
		target  string
		want    string
	}{
		{"none", nil, "https://api.stripe.com", ""},
		{"https", []string{"HTTPS_PROXY=http://corp:3128"}, "https://api.stripe.com", "http://corp:3128"},
		{"https only", []string{"HTTPS_PROXY=http://corp:3128"}, "http://api.stripe.com", ""},
		{"http", []string{"HTTP_PROXY=http://corp:3128"}, "http://api.stripe.com", "http://corp:3128"},
		{"lower case first", []string{"HTTPS_PROXY=http://a:1", "https_proxy=http://b:2"}, "https://x.com", "http://b:2"},
		{"all", []string{"ALL_PROXY=socks5://corp:1080"}, "https://x.com", "socks5://corp:1080"},
		{"scheme before all", []string{"all_proxy=http://a:1", "HTTPS_PROXY=http://b:2"}, "https://x.com", "http://b:2"},
		{"no scheme", []string{"https_proxy=corp:3128"}, "https://x.com", "http://corp:3128"},
		{"excepted", []string{"HTTPS_PROXY=http://corp:3128", "NO_PROXY=.internal,x.com"}, "https://x.com", ""},
		{"excepted below", []string{"HTTPS_PROXY=http://corp:3128", "no_proxy=.internal"}, "https://a.internal", ""},
		{"loopback", []string{"HTTP_PROXY=http://corp:3128"}, "http://127.0.0.1:12111", ""},
	}
	for _, c := range cases {
		target, err := url.Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		got, err := UpstreamProxy(c.environ)(target)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		text := ""
		if got != nil {
			text = got.String()
		}
		if text != c.want {
			t.Errorf("%s: got %q, want %q", c.name, text, c.want)
		}
		if names := HasUpstreamProxy(c.environ); names != (len(c.environ) > 0) {
			t.Errorf("%s: HasUpstreamProxy %v", c.name, names)
		}
	}
}
