package deck_test

import "testing"

// A time that an API did not take from its clock is an answer like any other.
func TestTimesThatAreNotOfNowAreWritten(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		carried       bool
	}{
		"made a day later":        {`"created":1795338000`, `"created":1795341600`, true},
		"ends as far ahead":       {`"expires_at":"2026-12-22T10:00:00Z"`, `"expires_at":"2026-12-24T11:10:00Z"`, true},
		"has expired":             {`"expires_at":"2026-11-29T10:00:00Z"`, `"expires_at":"2026-11-15T10:00:00Z"`, false},
		"ends a year later":       {`"trial_end":"2026-12-22T10:00:00Z"`, `"trial_end":"2027-12-22T10:00:00Z"`, false},
		"another day of birth":    {`"birth_date":"1985-01-02"`, `"birth_date":"1988-01-02"`, false},
		"milliseconds of a clock": {`"updated":1795338000123`, `"updated":1795341600321`, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.recordFlow(flow{{"GET", "/t", "", "{" + c.first + "}"}})
			before := b.file()
			b.recordFlow(flow{{"GET", "/t", "", "{" + c.second + "}"}})
			if carried := b.file() == before; carried != c.carried {
				t.Errorf("carried over: %v\n%s", carried, b.file())
			}
		})
	}
}
