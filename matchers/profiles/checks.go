package profiles

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/leaves"
)

// Checks of single values. Their errors read on from the value's path: "must
// be …; write …". They never quote the value, which may be a secret that was
// put in the wrong place.

// ParseDays reads a number of days, "90d".
func ParseDays(s string) (Days, error) {
	digits, ok := strings.CutSuffix(s, "d")
	n, err := strconv.ParseUint(digits, 10, 16)
	if !ok || err != nil || n == 0 || !regexp.MustCompile(daysPattern).MatchString(s) {
		return 0, errors.New(`must be a number of days; write it as 90d`)
	}
	return Days(n), nil
}

const daysPattern = `^[1-9][0-9]{0,3}d$`

func checkDays(s string) error { _, err := ParseDays(s); return err }

func checkHost(s string) error { _, err := ParseHost(s); return err }

func checkSession(s string) error { _, err := ParseName(s); return err }

// onPattern is what an "on:" looks like at least, for editors too; scope.ParseOn,
// which owns its grammar, has the last word.
const onPattern = `^(\*|[A-Z][A-Z-]*) [^ /?#@]+(/[^ ?#]*)?$`

var on = regexp.MustCompile(onPattern)

func checkOn(s string) error {
	if strings.Contains(s, "://") {
		return errors.New("must be METHOD host/path without a scheme; write it as POST api.acme.dev/v1/orders")
	}
	if strings.ContainsAny(s, "?#") {
		return errors.New("must be METHOD host/path without a query; write it as POST api.acme.dev/v1/orders")
	}
	if !on.MatchString(s) {
		return errors.New("must be METHOD host/path; write it as POST api.acme.dev/v1/orders, or * api.acme.dev/** for all")
	}
	return nil
}

// secretPathPattern is an "on:" with a segment written {secret}.
const secretPathPattern = `^(\*|[A-Z][A-Z-]*) [^ /?#@]+/([^ ?#]*/)?\{secret\}(/[^ ?#]*)?$`

var secretPath = regexp.MustCompile(secretPathPattern)

func checkSecretPath(s string) error {
	if err := checkOn(s); err != nil {
		return err
	}
	if !secretPath.MatchString(s) {
		return errors.New("has no segment {secret}; write it as POST hooks.acme.dev/h/{secret}/**")
	}
	return nil
}

// maxRegexp is the longest regular expression that is compiled, in bytes.
const maxRegexp = 4096

func checkRegexp(s string) error {
	if len(s) > maxRegexp {
		return errors.New("is longer than 4096 bytes; split it into several rules")
	}
	re, err := regexp.Compile(s)
	if err != nil {
		// The error's text would quote the expression.
		var fault *syntax.Error
		if errors.As(err, &fault) {
			return errors.New("is not a regular expression: " + string(fault.Code) + "; the syntax is RE2 (https://github.com/google/re2/wiki/Syntax)")
		}
		return errors.New("is not a regular expression; the syntax is RE2 (https://github.com/google/re2/wiki/Syntax)")
	}
	if re.MatchString("") {
		return errors.New("matches the empty text, and so everything; make it match at least one character")
	}
	return nil
}

const idPattern = `^[a-z0-9]+(-[a-z0-9]+)*$`

var id = regexp.MustCompile(idPattern)

func checkID(s string) error {
	if !id.MatchString(s) {
		return errors.New("must be lower-case words joined by hyphens; write it as acme-key")
	}
	return nil
}

// headerPattern is RFC 9110's token, which has "*" among its characters.
const headerPattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

var header = regexp.MustCompile(headerPattern)

func checkHeader(s string) error {
	if !header.MatchString(s) {
		return errors.New("must be the name of a header; write it as X-Trace, or X-Trace-* for several")
	}
	return nil
}

// namePattern: a "*" may only lead, as redact.Rule has it.
const namePattern = `^\*?[^*]+$`

var name = regexp.MustCompile(namePattern)

func checkName(s string) error {
	if !name.MatchString(s) {
		return errors.New(`must be a name, with "*" only in front; write it as x-acme-key or *token`)
	}
	return nil
}

func checkText(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty")
	}
	return nil
}

// The facts, by their first word, that each kind of rule can name. They are
// those that matchers.New takes; a test compares.
var (
	anyFact   = []string{"auth", "body", "header", "host", "method", "path", "query", "scheme"}
	textFact  = []string{"body", "header", "host", "path", "query"}
	leafFact  = []string{"body", "header", "query"}
	arrayFact = []string{"body", "query"}
)

func factPattern(roots []string) string {
	return `^(` + strings.Join(roots, "|") + `)([.\[].*)?$`
}

func checkFact(roots []string) func(string) error {
	return func(s string) error {
		root, _, _ := strings.Cut(s, ".")
		root, _, _ = strings.Cut(root, "[")
		if slices.Contains(roots, root) {
			if _, err := leaves.ParsePattern(s); err != nil {
				_, fault, _ := strings.Cut(err.Error(), strconv.Quote(s)+", ")
				return errors.New("is not a fact's name: " + fault)
			}
			return nil
		}
		fault := "must begin with " + either(roots)
		if known, ok := Nearest(root, roots); ok {
			return errors.New(fault + "; did you mean " + strconv.Quote(known) + "?")
		}
		return errors.New(fault + "; write it as misses print it, such as body.metadata.run_id")
	}
}

const plainHeaderPattern = "^[!#$%&'+.^_`|~0-9A-Za-z-]+$"

func checkPlainHeader(s string) error {
	if !header.MatchString(s) || strings.Contains(s, "*") {
		return errors.New("must be the whole name of a header; write it as Stripe-Context")
	}
	return nil
}
