package redact

import (
	"regexp"
	"strings"
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
	{regexp.MustCompile(`^pk_[A-Za-z0-9_]+$`), "a publishable key is made to be seen"},
	{regexp.MustCompile(`^(?:tok|btok|src|pm|card|ba|cus|acct|tr|tml)_[A-Za-z0-9_]+$`), "an object id or a published test token (tok_visa, pm_card_…): blanking ids breaks replay"},
	{regexp.MustCompile(`^(?:(?i)true|false|null|none|nil|undefined)$`), "a flag, not a secret"},
	{regexp.MustCompile(`^[*•xX.…]{3,}[A-Za-z0-9]{0,4}$`), "already masked by the API"},
	{regexp.MustCompile(`^(?:000123456789|0001111111(?:13|16)|000222222227|000333333335|000444444440|000555555559|000888888885|000999999991)$`), "a published test account, https://docs.stripe.com/payments/ach-direct-debit"},
	{regexp.MustCompile(`^(?:AKIAIOSFODNN7EXAMPLE|AKIAI44QH8DHBEXAMPLE|wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY)$`), "the example key of the AWS documentation"},
}

// isPublished reports whether a whole value is known to be no secret.
func isPublished(value string) bool {
	if len(value) > 300 {
		return false
	}
	for i := range published {
		if published[i].value.MatchString(value) {
			return true
		}
	}
	if digits, ok := cardDigits(value); ok {
		return pooled[digits] || publishedCard(digits)
	}
	return false
}
