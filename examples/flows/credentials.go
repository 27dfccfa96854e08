package flows

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"tapedeck/examples/canary"
)

// Credentials are all that the clients are given. What is no secret, such as the
// id of an account, is the same in each.
type Credentials struct {
	ClientSecret  string // of the OAuth client "ledger-app"
	RefreshToken  string
	LoginPassword string // of ada, at the shop
	AlicePassword string // for Basic
	BobPassword   string
	AliceToken    string // for Bearer
	BobToken      string
	StripeKey     string
	AWSKeyID      string
	AWSSecretKey  string
	TwilioToken   string
	TelegramToken string
	SlackHook     string // a URL
}

// The names of those who call: no secrets, and the same in each run.
const (
	OAuthClient   = "ledger-app"
	TwilioAccount = "AC5d6ef0b1c2a34e5f8091a2b3c4d5e6f7"
	telegramBot   = "110201543"
)

// NewCredentials makes up random ones.
func NewCredentials() Credentials {
	return Credentials{
		ClientSecret:  rand.Text(),
		RefreshToken:  rand.Text(),
		LoginPassword: rand.Text(),
		AlicePassword: rand.Text(),
		BobPassword:   rand.Text(),
		AliceToken:    rand.Text(),
		BobToken:      rand.Text(),
		StripeKey:     "sk_test_51" + rand.Text(),
		AWSKeyID:      "AKIA" + rand.Text()[:16],
		AWSSecretKey:  awsSecret(),
		TwilioToken:   randomHex(16),
		TelegramToken: telegramBot + ":AA" + rand.Text() + "-" + rand.Text()[:6],
		SlackHook:     "https://" + Slack + "/services/T012AB3CD/B045EF6GH/" + rand.Text()[:24],
	}
}

// Dummies are what a CI machine has in place of real credentials: words, and
// where a program checks the shape of a value, words in that shape.
func Dummies() Credentials {
	return Credentials{
		ClientSecret:  "dummy-client-secret",
		RefreshToken:  "dummy-refresh-token",
		LoginPassword: "dummy",
		AlicePassword: "dummy-alice",
		BobPassword:   "dummy-bob",
		AliceToken:    "alice",
		BobToken:      "bob",
		StripeKey:     "sk_test_dummy",
		AWSKeyID:      "dummy",
		AWSSecretKey:  "dummy",
		TwilioToken:   "dummy",
		TelegramToken: telegramBot + ":dummy-dummy-dummy-dummy-dummy-dummy",
		SlackHook:     "https://" + Slack + "/services/T012AB3CD/B045EF6GH/dummydummydummydummydumm",
	}
}

// awsSecret has the alphabet of real ones: "/" and "+" are escaped in URLs.
func awsSecret() string {
	b := make([]byte, 27)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(append([]byte("\xfb\xef\xff"), b...))
}

// Environ gives the credentials to a client.
func (c Credentials) Environ() []string {
	return []string{
		"OAUTH_CLIENT_ID=" + OAuthClient,
		"OAUTH_CLIENT_SECRET=" + c.ClientSecret,
		"OAUTH_REFRESH_TOKEN=" + c.RefreshToken,
		"LOGIN_PASSWORD=" + c.LoginPassword,
		"ALICE_PASSWORD=" + c.AlicePassword,
		"BOB_PASSWORD=" + c.BobPassword,
		"ALICE_TOKEN=" + c.AliceToken,
		"BOB_TOKEN=" + c.BobToken,
		"STRIPE_API_KEY=" + c.StripeKey,
		"AWS_ACCESS_KEY_ID=" + c.AWSKeyID,
		"AWS_SECRET_ACCESS_KEY=" + c.AWSSecretKey,
		"TWILIO_ACCOUNT_SID=" + TwilioAccount,
		"TWILIO_AUTH_TOKEN=" + c.TwilioToken,
		"TELEGRAM_BOT_TOKEN=" + c.TelegramToken,
		"SLACK_WEBHOOK_URL=" + c.SlackHook,
	}
}

// secrets are the parts of the credentials that nothing may show.
func (c Credentials) secrets() []canary.Secret {
	_, telegram, _ := strings.Cut(c.TelegramToken, ":")
	return []canary.Secret{
		{Name: "the OAuth client's secret", Value: c.ClientSecret},
		{Name: "the refresh token", Value: c.RefreshToken},
		{Name: "the login password", Value: c.LoginPassword},
		{Name: "Alice's password", Value: c.AlicePassword},
		{Name: "Bob's password", Value: c.BobPassword},
		{Name: "Alice's token", Value: c.AliceToken},
		{Name: "Bob's token", Value: c.BobToken},
		{Name: "Stripe's key", Value: strings.TrimPrefix(c.StripeKey, "sk_test_")},
		{Name: "the id of the AWS key", Value: strings.TrimPrefix(c.AWSKeyID, "AKIA")},
		{Name: "the AWS key", Value: c.AWSSecretKey},
		{Name: "Twilio's token", Value: c.TwilioToken},
		{Name: "Telegram's token", Value: telegram},
		{Name: "the Slack hook", Value: c.SlackHook[strings.LastIndexByte(c.SlackHook, '/')+1:]},
	}
}
