package canary

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const value = `sk_test_a/b+c "d" <e> ü&f=1`

func TestSearchFindsEveryEncoding(t *testing.T) {
	for _, e := range Encodings() {
		t.Run(e.Name, func(t *testing.T) {
			for _, value := range []string{value, "cN7QX4ZBRM5KUD2LWTPJ", "4539-1488-0343-6467"} {
				for _, around := range []string{"%s", "before %s after", "\x00\x01%s\xff", `{"a":"%s"}`, "Basic%s"} {
					if e.Packed && (around[0] == 'B' || strings.Contains("deflate br", e.Name) && around != "%s") {
						continue // nothing shows where such a thing begins in other text
					}
					text := fmt.Sprintf(around, e.Encode(value))
					hits := Search([]Secret{{"key", value}}, "here", []byte(text))
					if len(hits) == 0 {
						t.Errorf("not found in %q", text)
					} else if !strings.Contains(fmt.Sprint(hits), e.Name) && e.Encode(value) != value && !e.Packed && !sameAsEarlier(e, value) {
						t.Errorf("found in %q as something else: %v", text, hits)
					}
				}
			}
		})
	}
}

// sameAsEarlier reports whether another encoding writes the value alike.
func sameAsEarlier(e Encoding, value string) bool {
	for _, other := range Encodings() {
		if other.Name == e.Name {
			return false
		}
		if other.Encode(value) == e.Encode(value) {
			return true
		}
	}
	return false
}

func TestSearchLooksInsideOfWhatIsPacked(t *testing.T) {
	body := strings.Repeat("x", 100) + value + strings.Repeat("y", 100)
	for name, text := range map[string]string{
		"upper-case hex":          strings.ToUpper(hex.EncodeToString([]byte(value))),
		"lower-case URL":          strings.ToLower(url.QueryEscape(value)),
		"gzip in base64":          "!!binary " + base64.StdEncoding.EncodeToString([]byte(Pack("gzip", body))),
		"gzip in base64 in lines": "!!binary |\n    " + inLines(base64.StdEncoding.EncodeToString([]byte(Pack("gzip", body))), 64),
		"br in base64 in gzip":    Pack("gzip", base64.StdEncoding.EncodeToString([]byte(Pack("br", body)))),
		"zstd after other bytes":  "\x00\x01\x02" + Pack("zstd", body),
		"base64 of URL text":      base64.StdEncoding.EncodeToString([]byte("a=b&c=" + url.QueryEscape(value) + "&d")),
		"a piece of gzip":         Pack("gzip", body)[:len(Pack("gzip", body))-9],
		"base64 glued to a word":  "Basic" + base64.StdEncoding.EncodeToString([]byte(Pack("gzip", body))),
	} {
		t.Run(name, func(t *testing.T) {
			if len(Search([]Secret{{"key", value}}, "here", []byte(text))) == 0 {
				t.Errorf("not found in %q", text)
			}
		})
	}
	// Basic credentials put it at any position of a group of three.
	for _, user := range []string{"", "a", "ab", "abc"} {
		credentials := []byte(user + ":" + value + "!")
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			if len(Search([]Secret{{"key", value}}, "here", []byte(encoding.EncodeToString(credentials)))) == 0 {
				t.Errorf("not found as the password of user %q", user)
			}
		}
	}
}

func TestSearchFindsNothingElse(t *testing.T) {
	for _, text := range []string{"", "sk_test_REDACTED-0001", value[1:], strings.ToUpper(value)} {
		if hits := Search([]Secret{{"key", value}}, "here", []byte(text)); len(hits) > 0 {
			t.Errorf("%q: %v", text, hits)
		}
	}
}

func TestHitsDoNotShowTheSecret(t *testing.T) {
	hits := Search([]Secret{{"key", value}}, "here", []byte("x"+value))
	if got, want := fmt.Sprint(hits[0]), "here at byte 1: key, as it is"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSearchFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("clean.yaml", "nothing")
	write("deep/er/.journal", "x secretvalue123 y")
	write("secretvalue123.yaml", "in its name")
	hits, files, err := SearchFiles([]Secret{{"key", "secretvalue123"}}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(hits) == 0 || files != 3 {
		t.Errorf("got %v in %d files, want hits in 3 files", hits, files)
	}
	places := fmt.Sprint(hits)
	for _, want := range []string{".journal", "the name "} {
		if !strings.Contains(places, want) {
			t.Errorf("no hit at %q: %s", want, places)
		}
	}
}
