package canary

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
)

func BenchmarkSearch(b *testing.B) {
	var secrets []Secret
	for i := range 200 {
		secrets = append(secrets, Secret{fmt.Sprint("secret ", i), rand.Text()})
	}
	text := strings.Repeat("- id: 1\n  request:\n    url: https://api.example.com/v1/customers/cus_NffrFeUfNV2Hib\n"+
		"    headers: {Authorization: [Bearer REDACTED-0001]}\n    body: "+rand.Text()+rand.Text()+"\n", 1000)
	searcher := NewSearcher(secrets)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if hits := searcher.Search("text", []byte(text)); len(hits) > 0 {
			b.Fatal(hits)
		}
	}
}
