// Package diff says what changed between two recordings, as data.
//
// Interactions are paired by id and key, then by the nearest key, and each pair is
// compared by what it means: JSON member by member, arrays of objects by the
// element that is the same thing, forms by name, streams event by event. Every
// change has a grade. What is equal in many places is one group. Renderers
// (package render) print a Diff, Apply makes the new recording of the old one
// and a Diff, and a recorder takes back what is only volatile before it saves.
//
//	d, err := diff.Compare([]diff.Pair{{Old: &before, New: &after}}, diff.Options{Matcher: m})
//	for _, g := range d.Groups {
//		fmt.Println(g.Grade, g.Title)
//	}
package diff

import (
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/matchers"
)

// A Cassette is one side of a comparison. Everything in it is clean.
type Cassette struct {
	Name string // as reports print it: the path that the user knows
	List []clean.Interaction
	// Unfinished is what the file says of the recording as a whole.
	Unfinished string
	// Replaced are words of its requests that were sent as others: when recorded requests
	// are sent again, what they name of the recording is not there any more.
	Replaced map[string]bool
}

// A Pair is the same cassette before and after. Old is nil for a file that is
// new, New for one that is gone.
type Pair struct{ Old, New *Cassette }

// Options are what a comparison depends on beside the recordings.
type Options struct {
	// Matcher reads keys. It must not be nil.
	Matcher *matchers.Matcher
	// Rules are changes of the configuration, as CompareRules gives them.
	Rules []RuleChange
	// Known reports hosts (scheme://host[:port]) that cassettes call which did not change,
	// so that they are not among the pairs. Nil knows none.
	Known func(host string) bool
}

// A Grade says how much a change matters to a program that uses the API.
type Grade string

const (
	// Breaking: a member is gone, a type or the class of a status changed.
	Breaking Grade = "breaking"
	// Additive: there is something that was not there before.
	Additive Grade = "additive"
	// Changed: another value, where it is not known to be volatile.
	Changed Grade = "value"
	// Volatile: another generated id, time, token or cursor, or one value that is
	// replaced by another throughout the cassette.
	Volatile Grade = "volatile"
)

// Grades lists them, the gravest first.
var Grades = []Grade{Breaking, Additive, Changed, Volatile}

// A Section is a chapter of a report; reports print them in this order.
type Section string

const (
	Sent      Section = "sent"      // what our code sends
	Hosts     Section = "hosts"     // hosts that were not called before
	Rules     Section = "rules"     // rules by which more requests count as the same, or less is redacted
	Answered  Section = "answered"  // what the API answers
	Recording Section = "recording" // what tapedeck knows of a recording: its day, its order, how bodies are written
)

// Sections lists them in the order of reports.
var Sections = []Section{Sent, Hosts, Rules, Answered, Recording}

// A Diff is what changed between two sets of cassettes. Its JSON form is
// documented in docs/diff.schema.json and holds all that Apply needs.
type Diff struct {
	// Version is that of the JSON form, 1.
	Version int `json:"version"`
	// Files are the cassettes that differ, sorted by name.
	Files []File `json:"files"`
	// NewHosts are scheme, host and port of requests whose host no old cassette called.
	NewHosts []NewHost    `json:"new_hosts,omitempty"`
	Rules    []RuleChange `json:"rules,omitempty"`
	// Groups hold every change once, in the order of reports: by section, grade, route, place.
	Groups []Group `json:"groups"`
	Counts Counts  `json:"counts"`
	// Same counts the cassettes that were compared and hold the same.
	Same int `json:"same"`
}

// Counts are how many changes there are of each grade.
type Counts struct {
	Breaking int `json:"breaking"`
	Additive int `json:"additive"`
	Value    int `json:"value"`
	Volatile int `json:"volatile"`
}

// A File is one cassette that differs.
type File struct {
	Old string `json:"old,omitempty"` // its name before; "" when it is new
	New string `json:"new,omitempty"` // its name now; "" when it is gone
	// Changes are those of the file as a whole: place "unfinished".
	Changes []Change `json:"changes,omitempty"`
	// Interactions are those that differ: in the order of the new file, removed
	// ones behind what they followed.
	Interactions []Interaction `json:"interactions,omitempty"`
	// Order lists the ids of the new file where they do not stand in the order of the
	// old one with the new ones put in behind what they follow; otherwise nil.
	Order []int `json:"order,omitempty"`
	// Unchanged counts interactions that are the same in both.
	Unchanged int    `json:"unchanged"`
	Counts    Counts `json:"counts"`
}

// A Fate is what became of an interaction.
type Fate string

const (
	IsNew     Fate = "added"
	IsGone    Fate = "removed"
	IsChanged Fate = "changed"
)

// An Interaction is one that differs.
type Interaction struct {
	Fate Fate `json:"fate"`
	// ID is its id in the new file, in the old one when it is gone.
	ID int `json:"id"`
	// Was is its id in the old file, when that is another.
	Was *int `json:"was,omitempty"`
	// After is the id, in the new file, of the interaction that it stands behind;
	// nil at the top. Only for new ones.
	After *int `json:"after,omitempty"`
	// Method, URL and Status are those of the new file, of the old one when it is gone.
	Method string `json:"method"`
	URL    string `json:"url"`
	Status int    `json:"status"`
	// Route is what such requests have in common: "POST api.stripe.com/v1/customers/{id}".
	Route   string   `json:"route"`
	Changes []Change `json:"changes,omitempty"`
	// Recorded is the whole interaction when it is new or gone.
	Recorded *Recorded `json:"recorded,omitempty"`

	// OldSide and NewSide hold both sides for renderers that show what stands around a
	// change; nil in a Diff that was read from JSON, and where there is no such side.
	OldSide, NewSide *clean.Interaction `json:"-"`
}

// A Part is the part of an interaction that a place is in.
type Part string

const (
	Request  Part = "request"
	Response Part = "response"
	// Meta is what tapedeck knows beside the traffic: places recorded, pinned, retry, cut.
	Meta Part = "meta"
)

// A Kind is what happened at a place.
type Kind string

const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Other   Kind = "changed"
	Retyped Kind = "retyped"   // another JSON type
	Moved   Kind = "moved"     // the same element at another index
	Rewrote Kind = "rewritten" // the same content in other bytes: order of members, white space
)

// A Change is one difference between the two sides of an interaction.
type Change struct {
	Part Part `json:"part"`
	// Place is in the grammar of facts: method, scheme, host, path[1] (a segment),
	// query.limit, header.x-y (header.x-y[1] where it has several values), trailer.x,
	// status, status_text, proto, chunked, informational[0].status, body,
	// body.items[0].price, body.events[3].data.text; url, header or body for what is
	// only written differently.
	// It is that of the new side, of the old one for what is removed.
	Place leaves.Place `json:"place"`
	// Was is the place on the old side, when that is another.
	Was leaves.Place `json:"was,omitempty"`
	// Element names the array element that the place is in, where elements were
	// paired by what they are: `id "cus_1"`.
	Element string `json:"element,omitempty"`
	Kind    Kind   `json:"kind"`
	Grade   Grade  `json:"grade"`
	// Why says in a few words what the grade comes from: "a time", "a generated id",
	// "replaced throughout", "4xx instead of 2xx".
	Why string `json:"why,omitempty"`
	Old *Value `json:"old,omitempty"`
	New *Value `json:"new,omitempty"`
	// At is the position among the new parent's members, fields or elements where
	// something was added; Apply needs it.
	At *int `json:"at,omitempty"`
	// Edits are the words of a changed text.
	Edits []Edit `json:"edits,omitempty"`
}

// A Value is one side of a change.
type Value struct {
	// Type is string, number, bool, null, object or array for JSON, and
	// text or binary for all else.
	Type string `json:"type"`
	// Text is the string itself for string and text, JSON for all other JSON values,
	// digits as they were written.
	Text string `json:"text,omitempty"`
	// Raw is the value as it was written, where that is not how it would be written
	// without it: a JSON string with other escapes, a form value with its own.
	Raw string `json:"raw,omitempty"`
	// Size, SHA256 (hex) and Bytes describe a binary. Bytes are absent where the content
	// stands in a body file, which SHA256 names.
	Size   int64  `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Bytes  []byte `json:"bytes,omitempty"`
}

// An Edit is a run of words of a changed text: of both sides (Op "="), the old one
// ("-") or the new one ("+").
type Edit struct {
	Op   string `json:"op"`
	Text string `json:"text"`
}

// A Ref says where in Diff.Files a change stands. Change is -1 for an interaction that
// is new or gone, Interaction is -1 for a change of the file as a whole.
type Ref struct {
	File        int `json:"file"`
	Interaction int `json:"interaction"`
	Change      int `json:"change"`
}

// A Group is changes that are equal in all that a reader looks at: section, grade,
// kind, part, route and place, with any index for an index.
type Group struct {
	Section Section `json:"section"`
	Grade   Grade   `json:"grade"`
	Kind    Kind    `json:"kind"`
	Part    Part    `json:"part,omitempty"`
	Route   string  `json:"route,omitempty"`
	Place   string  `json:"place,omitempty"`
	// Title says it in one line: "new member `fee` in POST /v1/refunds answers".
	Title string `json:"title"`
	// Old and New are set when they are equal in all of the group.
	Old *Value `json:"old,omitempty"`
	New *Value `json:"new,omitempty"`
	// Refs are where it happened, in order; empty for hosts and rules.
	Refs []Ref `json:"refs,omitempty"`
	// Cassettes and Interactions count where it happened.
	Cassettes    int `json:"cassettes"`
	Interactions int `json:"interactions"`
}

// A NewHost is one that was not called before.
type NewHost struct {
	Host string `json:"host"` // scheme://host[:port]
	// Cassettes name where it is called from now on.
	Cassettes []string `json:"cassettes"`
}

// A RuleChange is an entry of tapedeck.yaml that came, went or changed.
type RuleChange struct {
	File string `json:"file"`
	// What says which entry: `rules: on POST api.acme.dev/orders`.
	What string `json:"what"`
	Kind Kind   `json:"kind"`
	// Looser reports that more requests count as the same than before, or that less is
	// redacted, recorded or checked.
	Looser bool   `json:"looser"`
	Old    string `json:"old,omitempty"` // YAML
	New    string `json:"new,omitempty"`
}

// Recorded is a whole interaction, as JSON.
type Recorded struct {
	ID       int     `json:"id"`
	Recorded string  `json:"recorded,omitempty"`
	Pinned   bool    `json:"pinned,omitempty"`
	Retry    bool    `json:"retry,omitempty"`
	Cut      string  `json:"cut,omitempty"`
	Request  Message `json:"request"`
	Response Message `json:"response"`
	// Informational are the 1xx answers before the final one.
	Informational []Message `json:"informational,omitempty"`
}

// A Message is a request or a response.
type Message struct {
	Method     string              `json:"method,omitempty"`
	URL        string              `json:"url,omitempty"`
	Status     int                 `json:"status,omitempty"`
	StatusText string              `json:"status_text,omitempty"`
	Proto      string              `json:"proto,omitempty"`
	Header     map[string][]string `json:"header,omitempty"`
	Trailer    map[string][]string `json:"trailer,omitempty"`
	Chunked    bool                `json:"chunked,omitempty"`
	Body       *Value              `json:"body,omitempty"`
	// Exact holds the bytes of what is not UTF-8, and so cannot be said in JSON, by its
	// name: url, header.X-Y[0].
	Exact map[string][]byte `json:"exact,omitempty"`
}
