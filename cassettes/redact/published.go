package redact

import (
	"regexp"
	"strings"

	"tapedeck/cassettes/leaves"
)

// publishedCards are test numbers that are no secret: they stay readable and in
// the key, so that a declined card never plays an approved answer. Stripe's
// other numbers all start with 400000, which no bank issues.
//
// https://docs.stripe.com/testing, https://developer.paypal.com/braintree/docs/guides/credit-cards/testing-go-live
var publishedCards = map[string]bool{
	"4242424242424242": true, "4000056655665556": true, "5555555555554444": true, "2223003122003222": true,
	"5200828282828210": true, "5105105105105100": true, "378282246310005": true, "371449635398431": true,
	"6011111111111117": true, "6011000990139424": true, "6011981111111113": true, "3056930009020004": true,
	"36227206271667": true, "6555900000604105": true, "3566002020360505": true, "3530111333300000": true,
	"6200000000000005": true, "6200000000000047": true, "6205500000000000004": true, "30569309025904": true,
	"38520000023237": true, "4111111111111111": true, "4012888888881881": true, "4005519200000004": true,
	"4009348888881881": true, "4012000033330026": true, "4012000077777777": true, "4217651111111119": true,
	"4500600000000061": true, "2223000048400011": true, "6011000991300009": true, "5454545454545454": true,
	"4444333322221111": true, "4917610000000000": true, "4444222233331111": true, "5555444433331111": true,
	"4111111145551142": true, "5424000000000015": true, "5500000000000004": true, "5101180000000007": true,
}

func publishedCard(digits string) bool {
	return publishedCards[digits] || strings.HasPrefix(digits, "400000")
}

// published are values that are no secret under whatever name they stand.
var published = []struct {
	value  *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`^pk_(?:test|live)_[A-Za-z0-9_]+$`), "Stripe's publishable keys are made to be seen; other vendors' pk_ are private"},
	{regexp.MustCompile(`^(?:(?i)true|false|null|none|nil|undefined)$`), "a flag, not a secret"},
	{regexp.MustCompile(`^[*•xX.…]{3,}[A-Za-z0-9]{0,4}$`), "already masked by the API"},
	{regexp.MustCompile(`^(?:000123456789|0001111111(?:13|16)|000222222227|000333333335|000444444440|000555555559|000888888885|000999999991)$`), "a published test account, https://docs.stripe.com/payments/ach-direct-debit"},
	{regexp.MustCompile(`^(?:AKIAIOSFODNN7EXAMPLE|AKIAI44QH8DHBEXAMPLE|wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY)$`), "the example key of the AWS documentation"},
}

var publishedStarts = func() (starts []firstBytes) {
	for i := range published {
		starts = append(starts, startsOf(published[i].value))
	}
	return starts
}()

// isPublished reports whether a whole value is known to be no secret.
func isPublished(value string) bool {
	if len(value) > 300 {
		return false
	}
	for i := range published {
		if publishedStarts[i].may(value) && published[i].value.MatchString(value) {
			return true
		}
	}
	if digits, ok := cardDigits(value); ok {
		return pooled[digits] || publishedCard(digits)
	}
	return false
}

// objectNames are the names, folded, under which the id of an object may stand
// although a rule calls what stands there secret: blanking ids breaks replay. They
// count in queries and bodies, never in headers.
var objectNames = map[string]bool{
	"token": true, "source": true, "sources": true, "id": true, "card": true, "customer": true, "account": true,
	"paymentmethod": true, "defaultsource": true, "defaultpaymentmethod": true, "externalaccount": true,
	"bankaccount": true, "destination": true, "stripetoken": true,
}

// mayRefer reports whether what the rule finds at a place may be an object's id.
func (r *rule) mayRefer(place leaves.Place) bool {
	return objectNames[fold(r.Name)] && !strings.HasPrefix(string(place), "header") && place != "userinfo"
}

// isReference reports whether a value is the id of an object of Stripe's
// (tok_1Nab…) or a token that it publishes for tests (tok_visa, pm_card_visa,
// btok_us_verified). Other vendors' tokens that start alike are random otherwise.
func isReference(value string) bool {
	prefix, rest, ok := strings.Cut(value, "_")
	if !ok || rest == "" || len(value) > 100 || !referencePrefixes[prefix] {
		return false
	}
	return objectID.MatchString(rest) || areWords(rest)
}

var referencePrefixes = map[string]bool{"tok": true, "btok": true, "src": true, "pm": true, "card": true, "ba": true,
	"cus": true, "acct": true, "tr": true, "tml": true}

// objectID is an id after its prefix: 1 is the generation in which Stripe made it.
var objectID = regexp.MustCompile(`^1[A-Za-z0-9]+$`)

// areWords reports whether all of a text is words in snake or camel case, but for
// two short pieces ("us_verified", "threeDSecure2Required", "cvcCheckFail").
func areWords(s string) bool {
	short := 0
	for _, piece := range pieceOfName.FindAllString(s, -1) {
		switch {
		case len(piece) >= 4 && english(strings.ToLower(piece)):
		case len(piece) <= 4:
			short++
		default:
			return false
		}
	}
	return short <= 2 && nameOfWords.MatchString(s)
}

var (
	nameOfWords = regexp.MustCompile(`^[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*$`)
	pieceOfName = regexp.MustCompile(`[A-Z]{2,}|[A-Z]?[a-z]+|[A-Z]|[0-9]+`)
)
