package profiles

import "tapedeck/cassettes/redact"

// kind is the form that a value has in YAML.
type kind uint8

const (
	object kind = iota // a mapping whose keys are listed
	table              // a mapping whose keys the user chooses
	list
	text
	truth
)

// A shape says what may stand in one place of a file. It is the single source
// of the parser, of its suggestions and of the JSON Schema.
type shape struct {
	kind kind
	doc  string // what the value does, for the pop-up in an editor

	keys   []key    // object: what may stand in it
	oneOf  []string // object: exactly one of these keys is there
	effect bool     // object: "on" alone does nothing

	names *shape // table: its keys
	item  *shape // table, list: its values

	choices []string           // text: the words that may stand here
	pattern string             // text: what check accepts at least, for editors
	check   func(string) error // text: see checks.go
	example string             // text
}

// A key is one key of an object.
type key struct {
	name     string
	shape    *shape
	required bool
}

func words(doc string, choices ...string) *shape {
	return &shape{kind: text, doc: doc, choices: choices}
}

func listOf(doc string, item *shape) *shape { return &shape{kind: list, doc: doc, item: item} }

func plain(doc, example string) *shape {
	return &shape{kind: text, doc: doc, check: checkText, pattern: `\S`, example: example}
}

func yes(doc string) *shape { return &shape{kind: truth, doc: doc} }

func host(doc, example string) *shape {
	return &shape{kind: text, doc: doc, check: checkHost, pattern: `^[^\s/?#@]+$`, example: example}
}

func onRequests(doc string) *shape {
	return &shape{kind: text, doc: doc, check: checkOn, pattern: onPattern, example: "POST api.acme.dev/v1/orders"}
}

func fact(roots []string, doc, example string) *shape {
	return &shape{kind: text, doc: doc, check: checkFact(roots), pattern: factPattern(roots), example: example}
}

func headerName(doc, example string) *shape {
	return &shape{kind: text, doc: doc, check: checkHeader, pattern: headerPattern, example: example}
}

func expression(doc, example string) *shape {
	return &shape{kind: text, doc: doc, check: checkRegexp, pattern: `.`, example: example}
}

func ruleID(doc, example string) *shape {
	return &shape{kind: text, doc: doc, check: checkID, pattern: idPattern, example: example}
}

func days(doc string) *shape {
	return &shape{kind: text, doc: doc, check: checkDays, pattern: daysPattern, example: "90d"}
}

var hostList = host("A host, with an optional port. * stands for any run of characters but a dot, a leading **. for one or more labels, * alone for every host.", "*.svc.local")

const repeatDoc = "What answers one request more than was recorded: last plays the last answer again, cycle starts again with the first. Without it, such a request is a miss."

const carryDoc = "What a new recording does with ids, cursors, request ids and times that differ from the previous one only since the API invents them anew: on (the default) writes the previous ones, so that recording again changes no line for them alone, off writes the new ones."

const sequenceDoc = "Which recorded answer a request gets: gates (the default) plays a safe request the answer that belongs to what the session has changed so far, fifo plays every answer in recorded order."

// file is the schema of tapedeck.yaml and of profiles.
var file = &shape{kind: object, doc: "Configuration of tapedeck, or what is known of one API (a profile).", keys: []key{
	{name: "cassettes", shape: plain("The folder that cassettes are read from and written to, relative to this file. Default: cassettes, in the working folder.", "testdata/cassettes")},
	{name: "hosts", shape: &shape{kind: object, doc: "What is done with some hosts. In a profile, record lists the hosts that it is about.", keys: []key{
		{name: "record", shape: listOf("Hosts that are recorded although they would be left alone, such as loopback addresses.", hostList)},
		{name: "passthrough", shape: listOf("Hosts that are tunnelled to the network and never recorded, in every mode. The summary lists them.", hostList)},
		{name: "ignore", shape: listOf("Hosts that are forwarded without being recorded, and refused in replay. They are counted apart and are no miss.", hostList)},
	}}},
	{name: "profiles", shape: &shape{kind: table, doc: "Profiles of your own: a host, and the file that says what is known of its API, relative to this file.",
		names: hostList, item: plain("A file of the same schema, relative to this file.", "./search.profile.yaml")}},
	{name: "rules", shape: listOf("What makes two requests the same, beyond what is built in. Later rules add to earlier ones.", rule)},
	{name: "redact", shape: &shape{kind: object, doc: "What is secret, beyond what is built in.", keys: []key{
		{name: "pii", shape: yes("Also replace personal data: email addresses, names, phone numbers, postal addresses, birth dates, identification numbers and IP addresses.")},
		{name: "add", shape: listOf("Rules that say what else is secret.", redaction)},
		{name: "remove", shape: listOf("Rules that are switched off, by id. tapedeck rules lists them.", ruleID("The id of a built-in rule or of one that a profile brings.", "name-pin"))},
		{name: "keep", shape: listOf("Places that a rule leaves alone, each with the reason why that is safe. The rule unknown stands for the list of suspects.", exemption)},
		{name: "unknown", shape: words("What happens to values that look random under names that no rule knows: list reports them, refuse does not save the recording.", "list", "refuse")},
	}}},
	{name: "keep", shape: &shape{kind: object, doc: "Headers that are stored although they would be left out. Secrets in them are redacted all the same.", keys: []key{
		{name: "request", shape: listOf("Request headers to store. They do not enter the comparison; a rule's headers do.", headerName("A header's name; * stands for any run of characters.", "X-Trace-*"))},
		{name: "response", shape: listOf("Response headers to store although they are noise, such as Date.", headerName("A header's name; * stands for any run of characters.", "X-RateLimit-*"))},
	}}},
	{name: "sessions", shape: &shape{kind: table, doc: "Settings for the sessions whose names a pattern matches. Where several match, the later one wins, setting by setting.",
		names: &shape{kind: text, doc: "A pattern of session names: * inside a segment, ** for any segments.", check: checkSession, pattern: `.`, example: "checkout/**"},
		item: &shape{kind: object, doc: "Settings of these sessions.", keys: []key{
			{name: "strict", shape: yes("As strict at the top, for these sessions.")},
			{name: "repeat", shape: words(repeatDoc, "last", "cycle")},
			{name: "sequence", shape: words(sequenceDoc, "gates", "fifo")},
			{name: "carry", shape: words(carryDoc, "on", "off")},
			{name: "max_age", shape: days("As max_age at the top, for these sessions.")},
		}}}},
	{name: "max_age", shape: days("Warn about recordings older than this many days.")},
	{name: "repeat", shape: words(repeatDoc, "last", "cycle")},
	{name: "sequence", shape: words(sequenceDoc, "gates", "fifo")},
	{name: "carry", shape: words(carryDoc, "on", "off")},
	{name: "strict", shape: yes("Make a replay that is a guess a miss, and fail the run when a recording was never used.")},
}}

var rule = &shape{kind: object, doc: "A change to what makes two requests the same, for the requests that on selects.", effect: true, keys: []key{
	{name: "on", required: true, shape: onRequests("The requests that this is about: METHOD host/path. The method may be *, {name} stands for one path segment, a trailing /** for any rest, and * for any run of characters inside a segment or a label of the host.")},
	{name: "ignore", shape: listOf("Facts that are left out of the comparison. The summary counts them.", fact(anyFact, "A fact's name as misses print it. [*] stands for any index, .* for any member; an object's name selects all that is in it.", "body.metadata.run_id"))},
	{name: "as", shape: &shape{kind: table, doc: "Facts of which only the shape counts: any value of that shape is equal to any other, and a value of another shape is a miss.",
		names: fact(leafFact, "A fact's name as misses print it.", "body.client_reference_id"), item: words("The shape.", "uuid", "time", "integer")}},
	{name: "rewrite", shape: listOf("Parts of facts that are replaced before the comparison.", &shape{kind: object, doc: "One replacement.", keys: []key{
		{name: "fact", required: true, shape: fact(textFact, "A fact's name as misses print it.", "body.input")},
		{name: "find", required: true, shape: expression("A regular expression (RE2).", `\d{4}-\d\d-\d\d`)},
		{name: "with", required: true, shape: &shape{kind: text, doc: "What stands in its place; it may be empty, and $1 is the first group.", example: "DATE"}},
	}})},
	{name: "unordered", shape: listOf("Arrays whose order does not count.", fact(arrayFact, "The array's name as misses print it, without an index.", "body.fields"))},
	{name: "headers", shape: listOf("Request headers that enter the comparison, and so are stored.", &shape{kind: text, doc: "A header's name.", check: checkPlainHeader, pattern: plainHeaderPattern, example: "Stripe-Context"})},
	{name: "safe", shape: yes("The request only reads, although its method says otherwise, such as a search by POST.")},
	{name: "repeat", shape: words(repeatDoc, "last", "cycle")},
	{name: "affects", shape: listOf("Safe requests whose answer this one changes.", onRequests("METHOD host/path, as in on."))},
	{name: "echo", shape: words("off: do not put values that the client made up into the recorded answers.", "on", "off")},
}}

var redaction = &shape{kind: object, doc: "A rule that says what is secret: by the name it stands under, by its shape, as a segment of a path, or as a part of a host.", oneOf: []string{"name", "value", "path", "host"}, keys: []key{
	{name: "id", required: true, shape: ruleID("The rule's name in reports, in remove and in keep.", "acme-key")},
	{name: "reason", shape: plain("Why this is secret, for those who read the list of rules.", "gives access to the account")},
	{name: "name", shape: &shape{kind: text, doc: "The name of a header, a query or form parameter, or a JSON member whose value is secret. Case and _ - . do not count; a leading * stands for any beginning.", check: checkName, pattern: namePattern, example: "x-acme-key"}},
	{name: "value", shape: expression("A regular expression (RE2) for the secret itself, wherever it stands. With a group, only the first group is secret.", `acp_\w{30}`)},
	{name: "path", shape: &shape{kind: text, doc: "METHOD host/path in which each segment written {secret} is secret; other segments as in on.", check: checkSecretPath, pattern: secretPathPattern, example: "POST hooks.acme.dev/h/{secret}/**"}},
	{name: "host", shape: expression("A regular expression (RE2) for a whole host, without its port, that holds a secret. With a group, only the first group is secret. It becomes a placeholder that is a valid host name.", `([a-z0-9]{12})\.hooks\.acme\.dev`)},
	{name: "in", shape: listOf("Where a name or value rule looks. Default: everywhere.", words("A part of a request or a response.", "request-header", "response-header", "query", "body", "path", "userinfo"))},
	{name: "on", shape: onRequests("The requests (and their responses) in which the rule looks: METHOD host/path. Default: all.")},
	{name: "at", shape: fact(leafFact, "The place that a name rule is limited to: a fact's name, or the same for the response.", "body.name")},
	{name: "pii", shape: words("The value is personal data of this kind; the rule is in force when pii is on, and its placeholder keeps the kind's format.", redact.PIIKinds()...)},
}}

var exemption = &shape{kind: object, doc: "One place that a redaction rule leaves alone.", keys: []key{
	{name: "rule", required: true, shape: ruleID("The rule's id.", "name-token")},
	{name: "on", required: true, shape: onRequests("The requests (and their responses) with the place: METHOD host/path.")},
	{name: "at", required: true, shape: fact(anyFact, "The place: a fact's name, or the same for the response.", "body.token")},
	{name: "reason", required: true, shape: plain("Why the value is not secret; tapedeck audit lists it.", "a count")},
}}
