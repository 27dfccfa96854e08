package audit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

const (
	alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	hexes = "0123456789abcdef"
)

// random makes secrets that are the same in every run, and stand in no file.
type random struct{ *rand.Rand }

func newRandom() random { return random{rand.New(rand.NewPCG(7, 11))} }

func (r random) of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func (r random) jwt() string {
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	return part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." +
		part(map[string]any{"sub": r.of(alnum, 12), "email": "ada@acme.dev", "exp": 1900000000}) + "." + r.of(alnum, 43)
}

func (r random) pem() string {
	var lines []string
	for range 8 {
		lines = append(lines, r.of(alnum, 64))
	}
	return "-----BEGIN " + "RSA PRIVATE KEY-----\n" + strings.Join(lines, "\n") + "\n-----END " + "RSA PRIVATE KEY-----\n"
}

// samples are secrets of every shape that a value rule knows, by the rule's id.
func samples(r random) map[string][]string {
	out := map[string][]string{
		"value-stripe-org-key":    {"sk_org_" + "live_" + r.of(alnum, 24)},
		"value-webhook-secret":    {"whsec" + "_" + r.of(alnum, 32)},
		"value-client-secret":     {"pi_3Nab" + "_secret_" + r.of(alnum, 25), "cuss" + "_secret_" + r.of(alnum, 40)},
		"value-aws-key-id":        {"AKIA" + r.of(upper, 16), "ASIA" + r.of(upper, 16)},
		"value-github-pat":        {"github" + "_pat_" + r.of(alnum, 82)},
		"value-gitlab-token":      {"glpat" + "-" + r.of(alnum, 20)},
		"value-google-key":        {"AIza" + r.of(alnum, 35)},
		"value-google-token":      {"ya29" + "." + r.of(alnum, 60)},
		"value-npm-token":         {"npm" + "_" + r.of(alnum, 36)},
		"value-pypi-token":        {"pypi" + "-AgEIcHlwaS5vcmc" + r.of(alnum, 60)},
		"value-anthropic-key":     {"sk-" + "ant-api03-" + r.of(alnum, 93) + "AA"},
		"value-openai-key":        {"sk-" + "proj-" + r.of(alnum, 48)},
		"value-openai-legacy-key": {"sk-" + r.of(alnum, 20) + "T3Blb" + "kFJ" + r.of(alnum, 20)},
		"value-huggingface-token": {"hf" + "_" + r.of(alnum, 34)},
		"value-slack-token":       {"xox" + "b-" + r.of("0123456789", 12) + "-" + r.of("0123456789", 12) + "-" + r.of(alnum, 24)},
		"value-slack-app-token":   {"xapp" + "-1-A" + r.of(upper, 10) + "-" + r.of("0123456789", 13) + "-" + r.of(hexes, 64)},
		"value-slack-hook":        {"https://hooks.slack.com" + "/services/T" + r.of(upper, 8) + "/B" + r.of(upper, 8) + "/" + r.of(alnum, 24)},
		"value-telegram-bot":      {"https://api.telegram.org/" + "bot" + r.of("123456789", 10) + ":" + r.of(alnum, 35)},
		"value-sendgrid-key":      {"SG" + "." + r.of(alnum, 22) + "." + r.of(alnum, 43)},
		"value-shopify-token":     {"shp" + "at_" + r.of(hexes, 32), "shp" + "ss_" + r.of(hexes, 32)},
		"value-private-key":       {r.pem()},
		"value-jwt":               {r.jwt(), r.jwt()},
		"value-jwe":               {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","enc":"A256GCM"}`)) + ".." + r.of(alnum, 16) + "." + r.of(alnum, 60) + "." + r.of(alnum, 22)},
		"value-card-number":       {"4539578763621486", "5425 2334 3010 9903"},
	}
	for _, kind := range []string{"sk", "rk", "uk", "ek"} {
		for _, mode := range []string{"test", "live"} {
			out["value-stripe-key"] = append(out["value-stripe-key"], kind+"_"+mode+"_"+r.of(alnum, 24))
		}
	}
	for _, kind := range "pousr" {
		out["value-github-token"] = append(out["value-github-token"], "gh"+string(kind)+"_"+r.of(alnum, 36))
	}
	return out
}

// secretNames are names under which anything is a secret.
var secretNames = []string{"api_key", "access_token", "client_secret", "password", "private_key", "secretAccessKey", "x-api-key", "signature"}

// harOf writes traffic as HAR: every value in every place.
func harOf(values []string) []byte {
	type pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	var entries []any
	for i, value := range values {
		member := make(map[string]any)
		var form []string
		for _, name := range secretNames {
			member[name] = value
			form = append(form, name+"="+escape(value))
		}
		member["note"] = "it is " + value + " today"
		body, err := json.Marshal(map[string]any{"object": "x", "data": []any{member}})
		if err != nil {
			panic(err)
		}
		line := strings.NewReplacer("\n", " ").Replace(value)
		entries = append(entries, map[string]any{
			"request": map[string]any{
				"method": "POST", "url": fmt.Sprintf("https://api.acme.dev/v1/%d?token=%s&api_key=%s", i, escape(value), escape(value)),
				"headers":  []pair{{"Authorization", "Bearer " + line}, {"X-Api-Key", line}, {"Cookie", "sid=" + escape(value)}, {"Content-Type", "application/x-www-form-urlencoded"}},
				"postData": map[string]any{"mimeType": "application/x-www-form-urlencoded", "text": strings.Join(form, "&")},
			},
			"response": map[string]any{
				"status":  200,
				"headers": []pair{{"Set-Cookie", "sid=" + escape(value) + "; Path=/"}, {"X-Auth-Token", line}, {"Content-Type", "application/json"}},
				"content": map[string]any{"mimeType": "application/json", "text": string(body)},
			},
		})
	}
	out, err := json.MarshalIndent(map[string]any{"log": map[string]any{"version": "1.2", "entries": entries}}, "", "  ")
	if err != nil {
		panic(err)
	}
	return out
}

func escape(s string) string {
	return strings.NewReplacer("%", "%25", "\n", "%0A", " ", "%20", "+", "%2B", "&", "%26", "=", "%3D", "/", "%2F", ";", "%3B").Replace(s)
}
