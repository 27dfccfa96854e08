package diff

import (
	"testing"

	"tapedeck/cassettes/clean"
)

// Secrets may be numbered anew, one to one. Another user's secret is another value.
func TestSecrets(t *testing.T) {
	flow := func(tokens ...string) []clean.Stored {
		var list []exchange
		for range tokens {
			list = append(list, exchange{"GET", "/me", "", `{}`})
		}
		out := exchanges(list...)
		for i, token := range tokens {
			out[i].RequestHeader.Set("Authorization", "Bearer REDACTED-"+token)
			out[i].URL += "/" + string(rune('a'+i))
		}
		return out
	}
	for _, test := range []struct {
		name       string
		old, fresh []clean.Stored
		want       Counts
	}{
		{"numbered anew", flow("0001", "0002", "0001"), flow("0007", "0008", "0007"), Counts{Volatile: 3}},
		{"numbered the other way round", flow("0001", "0002"), flow("0002", "0001"), Counts{Volatile: 2}},
		{"one has become two", flow("0001", "0001"), flow("0001", "0002"), Counts{Value: 1}},
		{"one has become two new ones", flow("0001", "0001"), flow("0007", "0008"), Counts{Value: 1, Volatile: 1}},
		{"two have become one", flow("0001", "0002"), flow("0001", "0001"), Counts{Value: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := compared(t, test.old, test.fresh); d.Counts != test.want {
				t.Errorf("counts %+v, want %+v", d.Counts, test.want)
			}
		})
	}
}
