package deck

import "testing"

func TestDecide(t *testing.T) {
	for _, tc := range []struct {
		mode           Mode
		found, missing action
	}{
		{ReplayOnly, play, miss},
		{NewEpisodes, play, record},
		{RecordOnly, record, record},
		{Passthrough, forward, forward},
	} {
		if got := decide(tc.mode, true); got != tc.found {
			t.Errorf("%s, found: %d", tc.mode, got)
		}
		if got := decide(tc.mode, false); got != tc.missing {
			t.Errorf("%s, not found: %d", tc.mode, got)
		}
	}
}

func TestParseMode(t *testing.T) {
	for _, m := range Modes() {
		if got, err := ParseMode(string(m)); err != nil || got != m {
			t.Errorf("%s: %s, %v", m, got, err)
		}
	}
	if _, err := ParseMode("record"); err == nil {
		t.Error("an unknown mode was taken")
	}
}

func TestOrdinal(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 21: "21st", 112: "112th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
