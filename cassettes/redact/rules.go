package redact

// A reading says how the value under a name holds its secret.
type reading uint8

const (
	readWhole       reading = iota // the value is the secret
	readCredentials                // "Bearer SECRET": the scheme stays
	readCookies                    // "a=SECRET; b=SECRET": the names stay
	readSetCookie                  // "a=SECRET; Path=/": the name and the attributes stay
	readURL                        // a URL, perhaps relative
	readLinks                      // <URL>; rel=…, <URL>; rel=…
	readCode                       // an authorization code, when the request is an OAuth exchange
	readCard                       // a card number, when it looks like one
	readPersonal                   // personal data, of the kind that the rule names
)

// builtInSource is Rule.Source of the rules in this package.
const builtInSource = "built in"

// nameRules say that a value is secret by the name it stands under. Names
// are folded: lower case, without "_", "-" and ".". Everything here is listed by
// "tapedeck rules" with its reason.
var nameRules = []struct {
	id, names, in string
	reading       reading
	reason        string
}{
	{"header-authorization", "authorization proxyauthorization authentication *authorization", "header", readCredentials, "RFC 9110, 11.6.2: the client's credentials; their scheme stays"},
	{"header-cookie", "cookie", "request-header", readCookies, "cookies hold sessions; their names stay"},
	{"header-set-cookie", "setcookie setcookie2", "response-header", readSetCookie, "cookies hold sessions; name and attributes stay"},
	{"header-authentication-info", "authenticationinfo proxyauthenticationinfo", "response-header", readWhole, "RFC 9110, 11.6.3: the next nonce and a digest of the password"},
	{"header-location", "location contentlocation referer", "header", readURL, "URLs carry codes and tokens through redirects"},
	{"header-link", "link", "header", readLinks, "URLs carry codes and tokens"},
	{"header-api-key", "xapikey apikey xgoogapikey ddapikey ddapplicationkey ocpapimsubscriptionkey xauthkey xaccesskey xsecretkey *apikey", "header", readWhole, "an API key"},
	{"header-token", "xauthtoken xaccesstoken xamzsecuritytoken xshopifyaccesstoken xvaulttoken privatetoken xcsrftoken *token", "header", readWhole, "a token"},
	{"header-secret", "*secret *password *passwd *credential *credentials", "header", readWhole, "the name says that it is secret"},
	{"header-signature", "stripesignature xhubsignature xhubsignature256 xhubsignature384 xhubsignature512 paypalauthassertion *signature", "header", readWhole, "made from a shared secret, and accepted in its place"},

	{"name-password", "password passwd pwd pass passphrase *password *passphrase passwordconfirmation", "field", readWhole, "a password"},
	{"name-authorization", "authorization proxyauthorization", "field", readCredentials, "an Authorization header that is sent on as data"},
	{"name-cookie", "cookie setcookie", "body", readSetCookie, "a Cookie header that is sent on as data; names and attributes stay"},
	{"name-pin", "pin otp onetimepassword totp mfacode otpcode totpcode smscode onetimecode verificationcode passcode usercode", "field", readWhole, "a short code that proves who somebody is"},
	{"name-client-secret", "clientsecret secret *secret signingkey encryptionkey masterkey sharedkey sharedaccesskey accountkey", "field", readWhole, "the name says that it is secret"},
	{"name-api-key", "apikey xapikey *apikey secretkey *secretkey authkey accesskey subscriptionkey", "field", readWhole, "an API key"},
	{"name-token", "token accesstoken *accesstoken refreshtoken *refreshtoken idtoken idtokenhint authtoken *authtoken bearertoken sessiontoken *sessiontoken csrf *csrftoken csrfmiddlewaretoken xsrf *xsrftoken authenticitytoken requestverificationtoken securitytoken oauthtoken oauthtokensecret oauthverifier devicecode subjecttoken actortoken magictoken resettoken jsessionid phpsessid apitoken *apitoken privatetoken bottoken usertoken deploytoken logintoken personaltoken bearer credential credentials authorizationcode", "field", readWhole, "RFC 6749 and 8693: whoever has it, may"},
	{"name-code", "code", "field", readCode, "RFC 6749, 4.1: an authorization code; in OAuth exchanges only, elsewhere a code is a word"},
	{"name-code-verifier", "codeverifier", "field", readWhole, "RFC 7636: proves who asked for the code"},
	{"name-assertion", "clientassertion assertion jwt samlresponse", "field", readWhole, "RFC 7521 and SAML: signed statements about a user or client"},
	{"name-signature", "sig signature signaturevalue oauthsignature xamzsignature xgoogsignature hmac", "field", readWhole, "made from a shared secret, and accepted in its place"},
	{"name-aws-credential", "xamzcredential xamzsecuritytoken xgoogcredential secretaccesskey awssecretaccesskey accesskeysecret", "field", readWhole, "the keys of AWS and its likes"},
	{"name-card-number", "number cardnumber creditcardnumber ccnumber pan primaryaccountnumber cardno", "field", readCard, "a payment card, when the value is one; published test numbers stay"},
	{"name-card-check", "cvc cvv cvv2 cvc2 cardcvc cardcvv cardcode securitycode cardsecuritycode", "field", readWhole, "PCI DSS 3.3: never stored, not even encrypted"},
	{"name-account-number", "accountnumber bankaccountnumber", "field", readWhole, "a bank account; published test accounts stay"},
	{"name-private-key", "privatekey *privatekey", "field", readWhole, "a private key"},
	{"name-connection-string", "connectionstring *connectionstring dsn databaseurl", "field", readWhole, "holds a user's password"},
	{"userinfo-password", "password", "userinfo", readWhole, "RFC 3986, 3.2.1: the password in a URL"},
}

// notSecret are names that end like a secret's and are none: cursors and counts.
// Blanking a cursor would make two pages of a list the same request.
var notSecret = map[string]string{
	"xpagetoken": "a cursor", "xnextpagetoken": "a cursor", "xpaginationtoken": "a cursor", "pagetoken": "a cursor", "nextpagetoken": "a cursor", "previouspagetoken": "a cursor", "prevpagetoken": "a cursor",
	"nexttoken": "a cursor", "xnexttoken": "a cursor", "continuationtoken": "a cursor", "xcontinuationtoken": "a cursor",
	"xmscontinuationtoken": "a cursor", "xmscontinuation": "a cursor", "nextcontinuationtoken": "a cursor",
	"synctoken": "a cursor", "nextsynctoken": "a cursor", "paginationtoken": "a cursor", "resumetoken": "a cursor",
	"starttoken": "a cursor", "markertoken": "a cursor", "cursortoken": "a cursor", "scrolltoken": "a cursor", "changetoken": "a cursor",
	"xgoogresumetoken": "a cursor", "xmssessiontoken": "Cosmos DB's consistency cursor", "resetpassword": "a link or a flag",
	"forgotpassword": "a link or a flag", "haspassword": "a flag", "issecret": "a flag", "accesscontrolallowcredentials": "a flag of CORS",
	"xclientrequesttoken": "an id of the request", "clientrequesttoken": "an id of the request", "clienttoken": "AWS's idempotency key",
	"idempotencytoken": "an id of the request", "requesttoken": "an id of the request",
}

// A shape says how a placeholder is written for a value rule.
type shape uint8

const (
	shapePlain   shape = iota
	shapeJoined        // without the hyphen
	shapeUnnamed       // without the name of a variable
	shapeJWT
	shapeCard
	shapePEM
)

// valueRules say that a value is secret by its shape, wherever it stands.
// The first group is the secret, and what stands before and after it is kept.
var valueRules = []struct {
	id      string
	value   string
	anchors string // what a match starts with, or holds (value-client-secret)
	inside  bool   // may start inside a word
	shape   shape
	reason  string
}{
	{"value-stripe-key", `(?:sk|rk|uk|ek)_(?:test|live)_([A-Za-z0-9]{10,})`, "sk_test_ sk_live_ rk_test_ rk_live_ uk_test_ uk_live_ ek_test_ ek_live_", false, shapePlain, "Stripe: secret, restricted, user and ephemeral keys"},
	{"value-stripe-org-key", `sk_org_(?:(?:test|live)_)?([A-Za-z0-9]{10,})`, "sk_org_", false, shapePlain, "Stripe: an organisation's key"},
	{"value-webhook-secret", `whsec_([A-Za-z0-9+/=]{10,})`, "whsec_", true, shapeJoined, "Stripe and Svix: signs webhooks; Svix's libraries read what follows whsec_ as base64"},
	{"value-client-secret", `[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*?_secret_((?:[A-Za-z0-9]|%[0-9A-Fa-f]{2})*(?:[0-9][A-Za-z]|[A-Za-z][0-9]|[a-z][A-Z])(?:[A-Za-z0-9]|%[0-9A-Fa-f]{2}){6,}|[A-Za-z0-9]{20,})`, "_secret_", true, shapeJoined, "Stripe: client secrets of payment intents, sessions and the rest; mobile SDKs split them at _secret_"},
	{"value-aws-key-id", `(?:AKIA|ASIA)([A-Z0-9]{16})\b`, "AKIA ASIA", false, shapePlain, "AWS: an access key's id, half of a pair"},
	{"value-github-token", `gh[pousr]_([A-Za-z0-9_]{20,})`, "ghp_ gho_ ghu_ ghs_ ghr_", false, shapePlain, "GitHub: personal, OAuth, app and refresh tokens"},
	{"value-github-pat", `github_pat_([A-Za-z0-9_]{20,})`, "github_pat_", false, shapePlain, "GitHub: a fine-grained token"},
	{"value-gitlab-token", `glpat-([A-Za-z0-9_.-]{20,})`, "glpat-", false, shapeUnnamed, "GitLab: a personal token"},
	{"value-google-key", `AIza([A-Za-z0-9_-]{35})`, "AIza", false, shapePlain, "Google: an API key"},
	{"value-google-token", `ya29\.([A-Za-z0-9_.-]{20,})`, "ya29.", false, shapePlain, "Google: an access token"},
	{"value-npm-token", `npm_([A-Za-z0-9]{30,})`, "npm_", false, shapePlain, "npm: an access token"},
	{"value-pypi-token", `pypi-([A-Za-z0-9_-]{30,})`, "pypi-", false, shapePlain, "PyPI: an upload token"},
	{"value-anthropic-key", `sk-ant-((?:[A-Za-z0-9_]+-)?[A-Za-z0-9_-]{16,})`, "sk-ant-", false, shapePlain, "Anthropic: an API key"},
	{"value-openai-key", `sk-(?:proj|svcacct|admin)-([A-Za-z0-9_-]{16,})`, "sk-proj- sk-svcacct- sk-admin-", false, shapePlain, "OpenAI: a project, service or admin key"},
	{"value-openai-legacy-key", `sk-([A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})`, "sk-", false, shapePlain, "OpenAI: a user key"},
	{"value-huggingface-token", `hf_([A-Za-z0-9]{30,})`, "hf_", false, shapePlain, "Hugging Face: an access token"},
	{"value-slack-token", `xox[abeoprs](?:\.xox[bp])?-([A-Za-z0-9-]{10,})`, "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.", false, shapePlain, "Slack: bot, user and refresh tokens"},
	{"value-slack-app-token", `xapp-([A-Za-z0-9-]{20,})`, "xapp-", false, shapePlain, "Slack: an app token"},
	{"value-slack-hook", `/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/([A-Za-z0-9]{16,})`, "/services/T", true, shapePlain, "Slack: whoever knows the URL may post"},
	{"value-telegram-bot", `/bot[0-9]{6,}(?::|%3A)([A-Za-z0-9_-]{30,})`, "/bot", true, shapePlain, "Telegram: the bot's token stands in the path"},
	{"value-sendgrid-key", `SG\.([A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})`, "SG.", false, shapePlain, "SendGrid: an API key"},
	{"value-shopify-token", `shp(?:at|ca|pa|ss|ua)_([A-Fa-f0-9]{24,})`, "shpat_ shpca_ shppa_ shpss_ shpua_", false, shapePlain, "Shopify: access tokens and the shared secret"},
	{"value-private-key", `(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr])*(.+?)(?:\s|\\[nr])*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`, "-----BEGIN", true, shapePEM, "a PEM private key; certificates are public and stay"},
	{"value-jwt", `e[yw][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*`, "eyJ eyA ewo ew0 ewk", false, shapeJWT, "RFC 7519: a signed token; it stays three decodable parts"},
	{"value-jwe", `ey[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){4}`, "eyJ eyA", false, shapePlain, "RFC 7516: an encrypted token"},
	{"value-card-number", `[0-9](?:[ -]?[0-9]){13,18}`, "", false, shapeCard, "a payment card: a real issuer's number whose last digit fits; published test numbers stay"},
}
