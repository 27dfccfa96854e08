package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
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

// The times of a token move together: none that lay behind lies ahead, and the token
// lives as long as it did.
func TestRefreshMovesAllTimes(t *testing.T) {
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	made, now := day.Add(15*time.Hour).Unix(), day.AddDate(2, 0, 0).Add(9*time.Hour)
	for _, tc := range []struct{ name, claims, want string }{
		{"made that day", fmt.Sprintf(`{"exp":%d,"iat":%d,"nbf":%d}`, made+3600, made, made-60), fmt.Sprintf(`{"exp":%d,"iat":%d,"nbf":%d}`, now.Unix()+3600, now.Unix(), now.Unix()-60)},
		{"made before", fmt.Sprintf(`{"exp":%d,"iat":%d}`, made+3600, day.Unix()-500), fmt.Sprintf(`{"exp":%d,"iat":%d}`, now.Unix()+made-day.Unix()+3600, now.Unix()-500)},
		{"signed in before", fmt.Sprintf(`{"exp":%d,"iat":%d,"auth_time":%d}`, made+60, made, made-900), fmt.Sprintf(`{"exp":%d,"iat":%d,"auth_time":%d}`, now.Unix()+60, now.Unix(), now.Unix()-900)},
		{"not valid yet", fmt.Sprintf(`{"exp":%d,"nbf":%d}`, made+864000, made+432000), fmt.Sprintf(`{"exp":%d,"nbf":%d}`, now.Unix()+made-day.Unix()+864000, made+432000)},
		{"expired", fmt.Sprintf(`{"exp":%d,"iat":%d}`, day.Unix()-1, day.Unix()-500), fmt.Sprintf(`{"exp":%d,"iat":%d}`, day.Unix()-86400+499, day.Unix()-86400)},
		{"a clock that is behind", fmt.Sprintf(`{"exp":%d,"iat":%d}`, now.Unix()+10, now.Unix()+5), ""},
	} {
		enc := base64.RawURLEncoding.EncodeToString
		live := enc([]byte(`{"alg":"HS256"}`)) + "." + enc([]byte(tc.claims)) + "." + enc([]byte("a signature"))
		clean := body(t, vault(t, Config{}), stripe, InResponse, jsonType, `{"id_token":"`+live+`"}`)
		at := now
		if tc.want == "" {
			at, tc.want = day.AddDate(-1, 0, 0), fmt.Sprintf(`{"exp":%d,"iat":%d}`, now.Unix()-9*3600+5, now.Unix()-9*3600)
		}
		got := Refresh(clean, day, at)
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(got, ".")[1])
		if err != nil || len(got) != len(clean) {
			t.Errorf("%s: %v, %s", tc.name, err, got)
		}
		var claims, want map[string]int64
		if json.Unmarshal(payload, &claims) != nil || json.Unmarshal([]byte(tc.want), &want) != nil || !reflect.DeepEqual(claims, want) {
			t.Errorf("%s:\n got %v\nwant %v", tc.name, claims, want)
		}
	}
}
