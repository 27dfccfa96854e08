package redact

import "strings"

// A brand is one kind of payment card, by the first digits and lengths that its
// numbers really have. Without this a tenth of all long numbers would be cards.
type brand struct {
	name    string
	from    int // the first digits, as a range of numbers of equal length
	to      int
	lengths []int
}

var brands = []brand{
	{"visa", 4, 4, []int{16}},
	{"mastercard", 51, 55, []int{16}},
	{"mastercard", 2221, 2720, []int{16}},
	{"amex", 34, 34, []int{15}},
	{"amex", 37, 37, []int{15}},
	{"discover", 6011, 6011, []int{16}},
	{"discover", 644, 659, []int{16}},
	{"jcb", 3528, 3589, []int{16}},
	{"diners", 300, 305, []int{14}},
	{"diners", 36, 36, []int{14}},
	{"diners", 38, 39, []int{14}},
	{"unionpay", 62, 62, []int{16, 19}},
}

// cardBrand names the brand of a number, or "".
func cardBrand(digits string) string {
	for _, b := range brands {
		width := 1
		for n := b.from; n >= 10; n /= 10 {
			width++
		}
		if len(digits) < width {
			continue
		}
		first := 0
		for i := range width {
			first = first*10 + int(digits[i]-'0')
		}
		if first < b.from || first > b.to {
			continue
		}
		for _, n := range b.lengths {
			if len(digits) == n {
				return b.name
			}
		}
	}
	return ""
}

// luhn checks a card number's last digit (ISO/IEC 7812-1, annex B).
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// cardPool holds the published test numbers that stand for real ones, by
// brand, in the order in which they are given out. They are Adyen's, whose
// test numbers are many and little used elsewhere:
// https://docs.adyen.com/development-resources/test-cards-and-credentials/test-card-numbers
var cardPool = map[string][]string{
	"visa": {
		"4988438843884305", "4166676667666746", "4646464646464644", "4000620000000007",
		"4293189100000008", "4988080000000000", "4001590000000001", "4000180000000002",
		"4000020000000000", "4000160000000004", "4002690000000008", "4400000000000008",
		"4484600000000004", "4607000000000009", "4977949494949497", "4000640000000005",
		"4003550000000003", "4000760000000001", "4017340000000003", "4005519000000006",
		"4131840000000003", "4035501000000008", "4151500000000008", "4571000000000001",
	},
	"mastercard": {
		"2222400070000005", "5555341244441115", "5577000055770004", "2222410740360010",
		"2222410700000002", "2222400010000008", "2223000048410010", "2222400060000007",
		"2223520443560010", "2222400030000004", "5100060000000002", "2222400050000009",
		"5103221911199245", "5100290029002909", "5136333333333335",
		"5585558555855583",
	},
	"amex":     {"370000000000002", "370000000100018"},
	"discover": {"6011601160116611", "6445644564456445"},
	"jcb":      {"3569990010095841"},
	"diners":   {"36006666333344", "36070500001020"},
}

// pooled says which numbers are placeholders.
var pooled = func() map[string]bool {
	set := make(map[string]bool)
	for _, numbers := range cardPool {
		for _, n := range numbers {
			set[n] = true
		}
	}
	return set
}()

// A digitRun is a number of 12 to 19 digits, perhaps written in groups.
type digitRun struct {
	start, end int
	digits     string
}

// digitRuns calls accept for every run of 12 to 19 digits that is not part of a
// longer word. Groups may be parted by one space or hyphen, the same everywhere;
// since an expiry year may follow a number in the same way, every end of a
// group is tried until accept takes one.
func digitRuns(s string, accept func(digitRun) bool) {
	last := 0
	// The first group of a number has at least four digits: one of every four
	// characters is looked at.
	for at := minGroup - 1; at < len(s); {
		if !isDigit(s[at]) {
			at += minGroup
			continue
		}
		i := at
		for i > last && isDigit(s[i-1]) {
			i--
		}
		end := digitRunAt(s, i, accept)
		if end == 0 { // the next group may start a number
			for end = at; end < len(s) && isDigit(s[end]); end++ {
			}
		}
		last, at = end, end+minGroup-1
	}
}

const (
	minGroup = 4  // digits in the first group of a number, at least
	minCard  = 12 // digits in a number, at least
)

// digitRunAt offers the runs that start at i, where a digit stands and none
// before it, and returns the end of the one accepted, or 0.
func digitRunAt(s string, i int, accept func(digitRun) bool) int {
	// Decimals of a number and ends of ids are no numbers of their own.
	if !boundary(s, i) || i > 0 && (s[i-1] == '.' || s[i-1] == '_') {
		return 0
	}
	var digits [19]byte
	n, separator := 0, byte(0)
	for j := i; ; {
		for ; j < len(s) && isDigit(s[j]); j++ {
			if n == len(digits) {
				return 0
			}
			digits[n] = s[j]
			n++
		}
		if j < len(s) && (isNameByte(s[j]) || decimals(s[j:])) {
			return 0
		}
		if n >= minCard && accept(digitRun{start: i, end: j, digits: string(digits[:n])}) {
			return j
		}
		// Groups have at least four digits, the last one at least two.
		if n < minGroup || j+2 >= len(s) || s[j] != ' ' && s[j] != '-' || separator != 0 && separator != s[j] ||
			!isDigit(s[j+1]) || !isDigit(s[j+2]) {
			return 0
		}
		separator = s[j]
		j++
	}
}

// decimals reports whether a number goes on with a decimal point.
func decimals(rest string) bool { return len(rest) > 1 && rest[0] == '.' && isDigit(rest[1]) }

// cardPlaceholders finds the card numbers in s that are placeholders.
func cardPlaceholders(s string) []Placeholder {
	if len(s) < 14 {
		return nil
	}
	var out []Placeholder
	digitRuns(s, func(run digitRun) bool {
		if pooled[run.digits] {
			out = append(out, Placeholder{Start: run.start, End: run.end, ID: run.digits,
				idStart: run.start, idEnd: run.end, card: true})
		}
		return pooled[run.digits]
	})
	return out
}

// secretCard reports whether digits are a card number that must be replaced.
func secretCard(digits string) bool {
	return cardBrand(digits) != "" && luhn(digits) && !pooled[digits] && !publishedCard(digits)
}

// cardDigits returns the digits of a value that is written as a card number is.
func cardDigits(value string) (string, bool) {
	var b strings.Builder
	for i := range len(value) {
		switch c := value[i]; {
		case isDigit(c):
			b.WriteByte(c)
		case c != ' ' && c != '-':
			return "", false
		}
	}
	return b.String(), b.Len() >= 12 && b.Len() <= 19
}

// likeCard writes digits in the groups of an earlier number, if they fit.
func likeCard(written, digits string) string {
	n := 0
	for i := range len(written) {
		if isDigit(written[i]) {
			n++
		}
	}
	if n != len(digits) {
		return digits
	}
	b := []byte(written)
	for i := range b {
		if isDigit(b[i]) {
			b[i], digits = digits[0], digits[1:]
		}
	}
	return string(b)
}
