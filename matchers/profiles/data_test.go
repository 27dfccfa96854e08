package profiles

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

func TestShipped(t *testing.T) {
	want := []string{"anthropic", "aws", "digitalriver", "fastspring", "github", "openai", "stripe"}
	var got []string
	var all redact.Config
	var rules []matchers.Rule
	for _, f := range List() {
		got = append(got, f.ShortName())
		text, err := data.ReadFile("data/" + f.ShortName() + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(f.Name, text); err != nil {
			t.Error(err)
		} else if !cmp.Equal(again, f, cmpopts.IgnoreUnexported(File{}), cmpopts.IgnoreFields(Redaction{}, "Source")) {
			t.Errorf("%s: what ships is not what Parse reads", f.Name)
		}
		if len(f.Warnings) > 0 {
			t.Errorf("%s: %v", f.Name, f.Warnings)
		}
		if beyond := f.Beyond(); len(beyond) > 0 {
			t.Errorf("%s: a profile cannot set %v", f.Name, beyond)
		}
		if len(f.Hosts.Record) == 0 {
			t.Errorf("%s: names no hosts", f.Name)
		}
		if _, err := matchers.New(f.Rules); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if _, err := redact.Compile(f.Redact.Config()); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		for i, a := range f.Redact.Add {
			if !strings.HasPrefix(a.ID, f.ShortName()+"-") {
				t.Errorf("%s: the id %s does not begin with the profile's name", f.Name, a.ID)
			}
			if strings.HasPrefix(a.Reason, "added in") {
				t.Errorf("%s: redact.add[%d] gives no reason", f.Name, i)
			}
			if a.Name != "" && a.On == "" {
				t.Errorf("%s: rule %s would reach other hosts by a mere name", f.Name, a.ID)
			}
		}
		cfg := f.Redact.Config()
		all.Add = append(all.Add, cfg.Add...)
		rules = append(rules, f.Rules...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := redact.Compile(all); err != nil {
		t.Errorf("together: %v", err)
	}
	if _, err := matchers.New(rules); err != nil {
		t.Errorf("together: %v", err)
	}
}

// TestShippedReach: a rule of a profile speaks for the profile's hosts alone.
func TestShippedReach(t *testing.T) {
	for _, f := range List() {
		within := func(on string) {
			if on == "" {
				return
			}
			_, target, _ := strings.Cut(on, " ")
			host, _, _ := strings.Cut(target, "/")
			// Any host that the rule selects will do: a word for each *.
			sample := strings.ReplaceAll(host, "*", "x")
			if p, ok := For(sample); !ok || p != f {
				t.Errorf("%s: %q reaches %s", f.Name, on, sample)
			}
		}
		for _, r := range f.Rules {
			within(r.On)
		}
		for _, a := range f.Redact.Add {
			within(a.On)
		}
	}
}

func TestFor(t *testing.T) {
	for host, want := range map[string]string{
		"api.stripe.com": "stripe", "API.Stripe.com:443": "stripe", "files.stripe.com": "stripe", "connect.stripe.com": "stripe",
		"api.fastspring.com": "fastspring", "acme.onfastspring.com": "fastspring", "onfastspring.com": "", "acme.test.onfastspring.com": "",
		"api.digitalriver.com": "digitalriver", "api.openai.com": "openai", "api.anthropic.com": "anthropic",
		"dynamodb.eu-west-1.amazonaws.com": "aws", "b.s3.eu-west-1.amazonaws.com": "aws", "sts.amazonaws.com:443": "aws", "amazonaws.com": "",
		"api.github.com": "github", "uploads.github.com": "github", "api.github.com.acme.dev": "", "api-github.com": "", "": "",
	} {
		got := ""
		if f, ok := For(host); ok {
			got = f.ShortName()
		}
		if got != want {
			t.Errorf("For(%q) is %q, want %q", host, got, want)
		}
	}
}

// shippedValues are examples of each value rule, in the form that the API's own
// pages show, with the secret part that must go, and look-alikes that must stay.
var shippedValues = map[string]struct{ match, secret, stay []string }{
	"stripe-portal-link": {
		match:  []string{"https://billing.stripe.com/session/abcDEF0123456789", "https://billing.stripe.com/p/session/test_YWNjdF8xMDMyRDgy"},
		secret: []string{"abcDEF0123456789", "test_YWNjdF8xMDMyRDgy"},
		stay:   []string{"https://billing.stripe.com/p/login/test_3cs4he", "https://docs.stripe.com/billing/session/abcDEF0123456789"},
	},
	"stripe-onboarding-link": {
		match:  []string{"https://connect.stripe.com/setup/e/acct_1Mt0CORHFI4mz9Rw/TqckGNUHg2mG", "https://connect.stripe.com/setup/s/TqckGNUHg2mG", "https://connect.stripe.com/express/Ln7FfnNpUcCU"},
		secret: []string{"TqckGNUHg2mG", "TqckGNUHg2mG", "Ln7FfnNpUcCU"},
		stay:   []string{"https://connect.stripe.com/oauth/authorize"},
	},
	"stripe-document-link": {
		match:  []string{"https://invoice.stripe.com/i/acct_1M2JTkLkdIwHu7ix/test_YWNjdF8xTTJKVGtMa2RJd0h1N2l4?s=ap", "https://pay.stripe.com/invoice/acct_1M2JTkLkdIwHu7ix/test_YWNjdF8xTTJKVGtMa2RJd0h1N2l4/pdf?s=ap", "https://pay.stripe.com/receipts/payment/CAcaFwoVYWNjdF8xTTJKVGtM"},
		secret: []string{"test_YWNjdF8xTTJKVGtMa2RJd0h1N2l4", "test_YWNjdF8xTTJKVGtMa2RJd0h1N2l4", "CAcaFwoVYWNjdF8xTTJKVGtM"},
		stay:   []string{"https://checkout.stripe.com/c/pay/cs_test_a1MVdVHJ9wFkoJ1q"},
	},
	"openai-ephemeral-key": {
		match:  []string{"ek_68af296e8e408191a1120ab6383263c2"},
		secret: []string{"68af296e8e408191a1120ab6383263c2"},
		stay:   []string{"ek_short", "week_of_the_year"},
	},
	"github-raw-token": {
		match:  []string{"https://raw.githubusercontent.com/acme/private/main/a%20b.md?token=GHSAT0AAAAAACABCDEFGHIJKLMNOPQRSTUVW"},
		secret: []string{"GHSAT0AAAAAACABCDEFGHIJKLMNOPQRSTUVW"},
		stay:   []string{"https://raw.githubusercontent.com/acme/public/main/README.md"},
	},
}

// TestShippedValues sends the examples through the redactor itself.
func TestShippedValues(t *testing.T) {
	var all redact.Config
	for _, f := range List() {
		all.Add = append(all.Add, f.Redact.Config().Add...)
		for _, a := range f.Redact.Add {
			if _, ok := shippedValues[a.ID]; a.Value != "" && !ok {
				t.Errorf("rule %s has no examples here", a.ID)
			}
		}
	}
	rules, err := redact.Compile(all)
	if err != nil {
		t.Fatal(err)
	}
	scope := redact.Scope{Method: "GET", Host: "acme.dev", Path: "/"}
	body := func(text string) string {
		out, err := redact.NewVault(rules).Body(scope, redact.InResponse, "application/json", []byte(`{"url":"`+text+`"}`))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return string(out)
	}
	for id, test := range shippedValues {
		for i, text := range test.match {
			if got := body(text); strings.Contains(got, test.secret[i]) || !strings.Contains(got, "REDACTED") {
				t.Errorf("%s: %s became %s", id, text, got)
			}
		}
		for _, text := range test.stay {
			if got := body(text); got != `{"url":"`+text+`"}` {
				t.Errorf("%s: %s became %s", id, text, got)
			}
		}
	}
}

type nameTest struct {
	method, host, path, body string
	gone                     bool
}

// contentType is what the API answers with.
func (n nameTest) contentType() string {
	if strings.HasSuffix(n.host, ".amazonaws.com") {
		return "application/x-amz-json-1.1"
	}
	return "application/json"
}

// TestShippedNames does the same for the rules that go by a name.
func TestShippedNames(t *testing.T) {
	var all redact.Config
	for _, f := range List() {
		all.Add = append(all.Add, f.Redact.Config().Add...)
	}
	rules, err := redact.Compile(all)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "q8Zr41mKv7TnW0xYc2Lb"
	for _, test := range []nameTest{
		{"POST", "api.stripe.com", "/v1/accounts/acct_1/persons", `{"id_number":"` + secret + `"}`, true},
		{"POST", "api.acme.dev", "/v1/persons", `{"id_number":"` + secret + `"}`, false},
		{"GET", "api.fastspring.com", "/orders/1", `{"fulfillments":{"p":[{"license":"` + secret + `"}]}}`, true},
		{"GET", "api.acme.dev", "/orders/1", `{"license":"` + secret + `"}`, false},
		{"POST", "secretsmanager.eu-west-1.amazonaws.com", "/", `{"SecretString":"` + secret + `"}`, true},
		{"POST", "secretsmanager.eu-west-1.amazonaws.com", "/", `{"SecretBinary":"` + secret + `"}`, true},
		{"POST", "kms.eu-west-1.amazonaws.com", "/", `{"Plaintext":"` + secret + `"}`, true},
		{"POST", "api.ecr.eu-west-1.amazonaws.com", "/", `{"authorizationData":[{"authorizationToken":"` + secret + `"}]}`, true},
		{"GET", "api.github.com", "/repos/a/b", `{"temp_clone_token":"` + secret + `"}`, true},
	} {
		out, err := redact.NewVault(rules).Body(redact.Scope{Method: test.method, Host: test.host, Path: test.path}, redact.InResponse, test.contentType(), []byte(test.body))
		if err != nil {
			t.Errorf("%s %s: %v", test.host, test.body, err)
		} else if gone := !strings.Contains(string(out), secret); gone != test.gone {
			t.Errorf("%s: %s became %s", test.host, test.body, out)
		}
	}
	url := "https://api.fastspring.com/company/acme/order?user=u&pass=" + secret
	out, err := redact.NewVault(rules).URL(redact.Scope{Method: "GET", Host: "api.fastspring.com", Path: "/company/acme/order"}, redact.InRequest, url)
	if err != nil || strings.Contains(out, secret) {
		t.Errorf("%s became %s (%v)", url, out, err)
	}
}
