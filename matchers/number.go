package matchers

import (
	"strconv"
	"strings"
)

const (
	// maxExponent bounds, in digits, the exponents that are computed with.
	// Longer ones are compared as they are written.
	maxExponent = 15
	// maxPlain bounds how many zeros a number is written out with.
	maxPlain = 25
)

// normalNumber writes a JSON number so that two are equal as text exactly when
// they are equal as decimals: 10.50 is 10.5, 1e2 is 100, -0 is 0. It works on
// the digits, never on floating point, so 2^53+1 and 1e23 stay what they are,
// and it never writes out a huge exponent.
func normalNumber(token string) string {
	rest, negative := strings.CutPrefix(token, "-")
	mantissa, exponent := rest, ""
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa, exponent = rest[:i], rest[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	sign := ""
	if negative {
		sign = "-"
	}
	// The value is digits × 10^shift × 10^exponent.
	shift := -len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	shift += len(digits) - len(trimmed)
	digits = trimmed

	exponent = strings.TrimPrefix(exponent, "+")
	down := strings.HasPrefix(exponent, "-")
	exponent = strings.TrimLeft(strings.TrimPrefix(exponent, "-"), "0")
	if len(exponent) > maxExponent {
		if down {
			exponent = "-" + exponent
		}
		return sign + digits + "e" + strconv.Itoa(shift) + "e" + exponent
	}
	e, _ := strconv.Atoi("0" + exponent)
	if down {
		e = -e
	}
	e += shift
	switch {
	case e >= 0 && e <= maxPlain:
		return sign + digits + strings.Repeat("0", e)
	case e < 0 && -e < len(digits):
		return sign + digits[:len(digits)+e] + "." + digits[len(digits)+e:]
	case e < 0 && -e-len(digits) <= maxPlain:
		return sign + "0." + strings.Repeat("0", -e-len(digits)) + digits
	}
	return sign + digits + "e" + strconv.Itoa(e)
}

// NormalNumber is normalNumber for those who compare numbers as keys do.
func NormalNumber(token string) string { return normalNumber(token) }
