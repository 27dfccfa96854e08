package audit

import (
	"fmt"
	"strings"
	"testing"
)

// traffic is a go-vcr file of n requests, each with two secrets of its own.
func traffic(n int) []byte {
	r := newRandom()
	var b strings.Builder
	b.WriteString("version: 2\ninteractions:\n")
	items := strings.TrimSuffix(strings.Repeat(`{"name":"a thing of some kind","price":1999,"note":"`+strings.Repeat("it is what it is ", 12)+`"},`, 18), ",")
	for i := range n {
		fmt.Fprintf(&b, "- id: %d\n  request:\n    method: POST\n    url: https://api.acme.dev/v1/things/%d?token=%s\n    headers:\n      Content-Type: [application/json]\n    body: '{\"a\":1}'\n"+
			"  response:\n    code: 200\n    headers:\n      Content-Type: [application/json]\n    body: '{\"id\":\"%s\",\"access_token\":\"%s\",\"items\":[%s]}'\n", i, i, r.of(alnum, 24), r.of(alnum, 12), r.of(alnum, 30), items)
	}
	return []byte(b.String())
}

func BenchmarkAudit(b *testing.B) {
	dirty := traffic(200)
	own := newAuditor(b, Config{Own: true})
	change, err := own.Redact("x.yaml", dirty)
	if err != nil {
		b.Fatal(err)
	}
	for _, bc := range []struct {
		name string
		cfg  Config
		data []byte
	}{
		{"own/dirty", Config{Own: true}, dirty},
		{"own/clean", Config{Own: true}, change.Data},
		{"all/dirty", Config{Own: true, Gitleaks: true}, dirty},
		{"all/clean", Config{Own: true, Gitleaks: true}, change.Data},
	} {
		b.Run(bc.name, func(b *testing.B) {
			a := newAuditor(b, bc.cfg)
			b.SetBytes(int64(len(bc.data)))
			for b.Loop() {
				look(b, a, "x.yaml", bc.data)
			}
		})
	}
}
