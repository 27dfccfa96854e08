package redact

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRefresh(t *testing.T) {
	recorded := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	now := recorded.AddDate(1, 0, 0)
	token := func(claims string) string {
		enc := base64.RawURLEncoding.EncodeToString
		return enc([]byte(`{"alg":"HS256"}`)) + "." + enc([]byte(claims)) + "." + enc([]byte("signature-of-32-bytes-0123456789"))
	}
	for _, tc := range []struct {
		name    string
		claims  string
		wantExp int64 // 0: unchanged
	}{
		{"valid when recorded", fmt.Sprintf(`{"iss":"x","exp":%d}`, recorded.Unix()+3600), now.Unix() + 3600},
		{"expired when recorded", fmt.Sprintf(`{"exp":%d}`, recorded.Unix()-3600), 0},
		{"no expiry", `{"iss":"x"}`, 0},
		{"not a whole number", `{"exp":1e10}`, 0},
	} {
		rules, err := Compile(Config{})
		if err != nil {
			t.Fatal(err)
		}
		clean, err := NewVault(rules).Body(Scope{}, InResponse, "application/json", []byte(`{"id_token":"`+token(tc.claims)+`","n":1}`))
		if err != nil {
			t.Fatal(err)
		}
		got := Refresh(string(clean), recorded, now)
		if Blank(got) != Blank(string(clean)) {
			t.Errorf("%s: the identity or the text around it changed: %s", tc.name, got)
		}
		if tc.wantExp == 0 {
			if got != string(clean) {
				t.Errorf("%s: changed to %s", tc.name, got)
			}
			continue
		}
		_, claims, ok := jwtParts(strings.Split(got, `"`)[3])
		if !ok || string(claims["exp"]) != fmt.Sprint(tc.wantExp) {
			t.Errorf("%s: exp %s, want %d", tc.name, claims["exp"], tc.wantExp)
		}
	}
}
