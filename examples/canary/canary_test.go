package canary

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const value = `sk_test_a/b+c "d" <e> ü&f=1`

func TestSearchFindsEveryForm(t *testing.T) {
	tests := map[string]string{
		"raw":        value,
		"query":      url.QueryEscape(value),
		"path":       url.PathEscape(value),
		"lower":      strings.ToLower(url.QueryEscape(value)),
		"html":       html.EscapeString(value),
		"hex":        hex.EncodeToString([]byte(value)),
		"HEX":        strings.ToUpper(hex.EncodeToString([]byte(value))),
		"json":       `sk_test_a/b+c \"d\" \u003ce\u003e ü\u0026f=1`,
		"base64":     base64.StdEncoding.EncodeToString([]byte(value)),
		"base64 url": base64.URLEncoding.EncodeToString([]byte(value)),
	}
	// Basic credentials put it at any position of a group of three.
	for _, user := range []string{"", "a", "ab", "abc"} {
		credentials := []byte(user + ":" + value + "!")
		tests["basic "+user] = base64.StdEncoding.EncodeToString(credentials)
		tests["basic url "+user] = base64.RawURLEncoding.EncodeToString(credentials)
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if len(Search([]Secret{{"key", value}}, "here", []byte("before "+text+" after"))) == 0 {
				t.Errorf("not found in %q", text)
			}
		})
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
