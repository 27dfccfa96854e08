package clean_test

import (
	"testing"

	"tapedeck/cassettes/clean"
)

// What stands beside the traffic in a file is printed and saved as it is, so it
// must not carry what a hand wrote there.
func TestLoadTakesNothingUncleanBesideTheTraffic(t *testing.T) {
	whole := func() clean.Stored {
		return clean.Stored{Method: "GET", URL: "https://api.stripe.com/v1/x", Proto: "HTTP/1.1", ResponseProto: "HTTP/2.0", Status: 200}
	}
	t.Run("day and cut", func(t *testing.T) {
		for _, one := range []struct{ recorded, cut, wantRecorded, wantCut string }{
			{"2026-11-21", "client", "2026-11-21", "client"},
			{"", "", "", ""},
			{secret, secret, "", ""},
			{"2026-11-21 " + secret, "client " + secret, "", ""},
			{"2026-13-41", "Client", "", ""},
		} {
			s := whole()
			s.Recorded, s.Cut = one.recorded, one.cut
			in, err := newCleaner(t).Load(s)
			if err != nil {
				t.Fatal(err)
			}
			if in.Recorded != one.wantRecorded || in.Cut != one.wantCut {
				t.Errorf("%q, %q: got %q, %q", one.recorded, one.cut, in.Recorded, in.Cut)
			}
		}
	})
	t.Run("method and protocol", func(t *testing.T) {
		for name, change := range map[string]func(*clean.Stored){
			"method":              func(s *clean.Stored) { s.Method = secret },
			"protocol":            func(s *clean.Stored) { s.Proto = secret },
			"protocol of answer":  func(s *clean.Stored) { s.ResponseProto = secret },
			"learned in the same": func(s *clean.Stored) { s.URL += "?api_key=cN7QX4ZBRM5KUD2LWTPJ"; s.Method = "cN7QX4ZBRM5KUD2LWTPJ" },
		} {
			s := whole()
			change(&s)
			if _, err := newCleaner(t).Load(s); err == nil {
				t.Errorf("%s: a secret there is loaded", name)
			}
		}
		if _, err := newCleaner(t).Load(whole()); err != nil {
			t.Error(err)
		}
	})
}
