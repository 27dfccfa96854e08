package matchers

import (
	"regexp"

	"tapedeck/cassettes/redact"
)

// blank takes the placeholders out of a value. A secret that is a whole value
// loses the beginning that its issuer gives it too: the key used when recording
// was sk_test_REDACTED-0000000001, and a test without one sends any word in its place.
func blank(value string, found []redact.Placeholder) string {
	if len(found) == 0 {
		return value
	}
	if len(found) == 1 && found[0].End == len(value) && issuerPrefix.MatchString(value[:found[0].Start]) {
		value = value[found[0].Start:]
	}
	return redact.Blank(value)
}

// issuerPrefix are the beginnings of secrets that say who issued them and name
// nothing else, unlike the object id in pi_3Nab_secret_REDACTED000000000001.
var issuerPrefix = regexp.MustCompile(`^(?:(?:sk|rk|uk|ek)_(?:test|live)_|sk_org_(?:(?:test|live)_)?|whsec_|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|AIza|ya29\.|` +
	`npm_|pypi-|sk-ant-|sk-(?:proj|svcacct|admin)-|sk-|hf_|xox[abeoprs]-|xapp-|SG\.|shp(?:at|ca|pa|ss|ua)_)$`)
