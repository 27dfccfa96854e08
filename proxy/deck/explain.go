package deck

import (
	"encoding/hex"
	"fmt"
	"net/http"

	"tapedeck/matchers"
)

// An Explanation says what would answer a request that is the first of its
// session, and why, without playing anything. Every text in it is clean.
type Explanation struct {
	Request string `json:"request"`
	// Key is the beginning of the hash of the facts: equal keys are equal requests.
	Key   string          `json:"key"`
	Facts []ExplainedFact `json:"facts"`
	// Warnings say what of the request could not be read as what it claims to be.
	Warnings []string `json:"warnings,omitempty"`
	// Same are the ids of all interactions with this key, in the order of play.
	Same []int `json:"same"`
	// Plays is the id of the interaction that would answer; nil for a miss.
	Plays *int `json:"plays,omitempty"`
	// Answer names that interaction: "POST https://api.acme.dev/orders → 201".
	Answer string `json:"answer,omitempty"`
	// Unproven says on what guess the play would rest.
	Unproven string `json:"unproven,omitempty"`
	Miss     *Miss  `json:"miss,omitempty"`
}

// An ExplainedFact is one fact of the request as misses and rules name it.
type ExplainedFact struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
	text  string
}

// String writes the fact as a miss prints it.
func (f ExplainedFact) String() string { return f.text }

// ShortKey writes the beginning of a key, enough to tell the requests of one
// cassette apart.
func ShortKey(k matchers.Key) string { return hex.EncodeToString(k[:4]) }

// Explain says what would answer a request, and why. The error says which part of
// the request cannot be read; it never holds traffic.
func (d *Deck) Explain(req *http.Request) (Explanation, error) {
	body, err := d.take(req)
	if err != nil {
		return Explanation{}, err
	}
	cr, err := d.cleaner.Request(req, body)
	if err != nil {
		return Explanation{}, err
	}
	reading := d.opt.Matcher.Read(cr, nil)
	e := Explanation{Request: describe(cr), Key: ShortKey(reading.Key), Warnings: reading.Warnings, Same: []int{}}
	for _, f := range reading.Facts {
		e.Facts = append(e.Facts, ExplainedFact{string(f.Name), f.Type, f.Value, f.String()})
	}
	for _, position := range d.index.Lookup(reading.Key) {
		in, _ := d.index.At(position)
		e.Same = append(e.Same, in.ID)
	}
	p := d.pick(req, newSession(), reading)
	if !p.found {
		miss := d.explain(req, reading, p)
		e.Miss = &miss
		return e, nil
	}
	in, _ := d.index.At(p.position)
	answer, err := in.Response()
	if err != nil {
		return Explanation{}, err
	}
	e.Plays, e.Unproven = &in.ID, p.unproven
	e.Answer = fmt.Sprintf("%s → %d", describe(in.Request()), answer.Status())
	return e, nil
}
