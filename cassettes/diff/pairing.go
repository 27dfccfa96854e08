package diff

import (
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/matchers"
)

// A Pairing says which interaction of a new recording is which of an old one, and
// under which names the new one knows what the old one named otherwise.
//
//	p, err := diff.Pairs(previous, fresh, matcher)
//	if len(p.Clashes) == 0 {
//		// for the URL, each header value and each leaf of a body of fresh[i]:
//		old := p.Take(i, diff.Response, "body.customer", value)
//	}
type Pairing struct {
	// Old holds, by position in the new list, the position in the old list of the
	// interaction that it is, and -1 for one that the old recording does not have. Once
	// the new names are read as old ones, the two have the same key.
	Old []int
	// Near holds the same for those whose request is another than before: the old
	// interaction that it most likely was, or -1. No position stands in both.
	Near []int
	// Names are the generated ids, cursors and request ids that were replaced, and times
	// and marks that a later request sends: new → old, one to one. They name the same
	// thing wherever they stand, also in interactions that the old recording does not
	// have. Of an id with a prefix, such as cus_9s6XKzkNRiz8i3, only the part
	// behind it stands here; Take knows.
	Names map[string]string
	// Clashes are the places where a value of one recording stands for several of the
	// other, so that Names is not all there is to say. None when it is one to one.
	Clashes []Clash
	// Places are the values that are replaced where they stand and nowhere else, by
	// position in the new list.
	Places [][]Replaced

	names *renaming
}

// A Clash is one place where the ids of two recordings do not correspond one to one.
type Clash struct {
	New   int // the position in the new list
	Route string
	Part  Part
	Place leaves.Place
}

// What says what kind of value was replaced.
type What string

const (
	aNameHere   What = "id"
	aTimeHere   What = "time"   // written, or Unix seconds and finer under the name of a time
	aNumberHere What = "number" // an id that is a plain number
	aMarkHere   What = "mark"   // an ETag, a digest, a nonce
)

// ATime is the What of a time.
const ATime = aTimeHere

// A Replaced is the whole text at one place of a new interaction, and what stands there
// in the old recording.
type Replaced struct {
	Part Part
	// Place is url, header.x-y or that of a leaf of the body (body.events[0].data.id in a
	// stream of events); all values of a header share one, and New tells them apart.
	Place    leaves.Place
	What     What
	New, Old string
}

// Pairs finds out which interaction of fresh, in the order recorded, is which of old:
// those with equal keys, once the values that answers have brought so far are read
// as those that they stand for. Of several with the same key, those are paired that
// are used alike by what follows and whose answers agree, else the nth with the nth.
// The ids of fresh are not looked at. The error says which interaction cannot be read.
func Pairs(old, fresh []clean.Interaction, m *matchers.Matcher) (*Pairing, error) {
	a, err := readRecording(old, m)
	if err != nil {
		return nil, err
	}
	b, err := readRecording(fresh, m)
	if err != nil {
		return nil, err
	}
	p := newPairer(a, b)
	p.walk()
	return p.pairing(), nil
}

// Take returns what stands in the old recording for a text of new interaction i: a leaf
// of a body, a header's value, the whole URL. Text that holds nothing that was
// replaced comes back as it is.
func (p *Pairing) Take(i int, part Part, place leaves.Place, text string) string {
	for _, r := range p.Places[i] {
		if r.Part == part && r.Place == place && r.New == text {
			return r.Old
		}
	}
	return p.names.text(text)
}
