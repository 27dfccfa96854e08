package matchers

// A Rule changes what makes two requests the same, for the requests that On
// selects. It is one entry of "rules:" in tapedeck.yaml or in a profile. Names
// of facts are patterns in the grammar of leaves.Pattern.
type Rule struct {
	// On is "METHOD host/path": METHOD may be "*", {name} stands for one path
	// segment, a trailing /** for any rest, and * inside a segment or host
	// label for any run of characters.
	On string `yaml:"on"`
	// Ignore takes facts out of the key. They are counted in the summary.
	Ignore []string `yaml:"ignore,omitempty"`
	// As replaces a fact's value by its shape: uuid, time or integer. A value
	// of another shape stays as it is, and so is a miss.
	As map[string]string `yaml:"as,omitempty"`
	// Rewrite normalises parts of a fact's value.
	Rewrite []Rewrite `yaml:"rewrite,omitempty"`
	// Unordered names arrays whose order does not count.
	Unordered []string `yaml:"unordered,omitempty"`
	// Headers names request headers that enter the key, and so are stored.
	Headers []string `yaml:"headers,omitempty"`
	// Safe says that the request only reads, such as a search by POST.
	Safe bool `yaml:"safe,omitempty"`
	// Repeat says what answers one request more than was recorded: "" is a
	// miss for unsafe requests, "last" the last answer, "cycle" the first again.
	Repeat string `yaml:"repeat,omitempty"`
	// Affects names safe requests whose answer this unsafe one changes.
	Affects []string `yaml:"affects,omitempty"`
	// Echo is "off" when client-made values must not come back in answers.
	Echo string `yaml:"echo,omitempty"`
	// Source is the file and line the rule was read from, for reports.
	Source string `yaml:"-"`
}

// Rewrite replaces what Find matches in the value of Fact by With.
type Rewrite struct {
	Fact string `yaml:"fact"`
	Find string `yaml:"find"` // regular expression (RE2)
	With string `yaml:"with"`
}
