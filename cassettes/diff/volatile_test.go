package diff

import (
	"math/rand/v2"
	"testing"
)

func TestRandom(t *testing.T) {
	for _, s := range []string{
		"9s6XKzkNRiz8i3", "3MtwBwLkdIwHu7ix28a3tqPa", "NffrFeUfNV2Hib", "1NOK9tJTZ4efrOvv", "1Nwhuq6BJ0EfBcsA",
		"507f1f77bcf86cd799439011", "9e107d9d372bb6826bd81d3542a419d6", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"01ARZ3NDEKTSV4RRFFQ69G5FAV", "0ujsswThIGTUYm2K8FjOOfXtY1K", "9m4e2mr0ui3e8a215n4g", "k3j9x2m1qp", "a1b2c3d4",
	} {
		if !random(s) {
			t.Errorf("%s is not random", s)
		}
	}
	for _, s := range []string{
		"", "succeeded", "requires_action", "gold2024", "tshirt42red", "iPhone14ProMax", "price1000usd", "2024feb01", "20dec2024", "sha256",
		"utf8mb4general", "x86", "v20240101", "4242424242424242", "1760000000", "abc12345", "processing", "EUR", "COMPLETED", "customer",
		"checkoutsession2", "InsufficientFundsError", "INVALIDARGUMENT", "api2024release", "20241022", "linux64", "turbo2024preview", "McDonaldsUKLtd", "eBayPlusUSA", "CheckoutSession", "XMLHttpRequest", "iOSAppStoreID",
	} {
		if random(s) {
			t.Errorf("%s is random", s)
		}
	}
}

// Almost every id that a generator makes is known as one, in each of the common alphabets.
func TestRandomOfGenerators(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, g := range []struct {
		alphabet string
		length   int
		most     int // misses in a thousand
	}{
		{base62, 14, 75}, {base62, 24, 10}, {"0123456789abcdef", 24, 5}, {"0123456789abcdef", 32, 1}, {"0123456789abcdefghijklmnopqrstuvwxyz", 16, 45},
		{"0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26, 10},
	} {
		missed, prefixed := 0, 0
		for range 1000 {
			b := make([]byte, g.length)
			for i := range b {
				b[i] = g.alphabet[r.IntN(len(g.alphabet))]
			}
			if !random(string(b)) {
				missed++
			}
			if !generated(string(b), true) {
				prefixed++
			}
		}
		if prefixed > 40 {
			t.Errorf("of a thousand of %d letters of %s behind a prefix, %d are not known as random", g.length, g.alphabet, prefixed)
		}
		if missed > g.most {
			t.Errorf("of a thousand of %d letters of %s, %d are not known as random", g.length, g.alphabet, missed)
		}
	}
}
