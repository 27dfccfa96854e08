package cassettes

import (
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"tapedeck/cassettes/clean"
)

// decode reads a cassette file: ours, go-vcr's, or one edited by hand. object
// is how errors name it. Every error is a *FormatError. Bodies that stand in
// files of their own are named in the entries and not read.
//
// Keys that are not known are ignored, as go-vcr does, except under tapedeck:,
// where they come from a later version and are kept for when the file is saved.
func decode(object string, file []byte) (contents, error) {
	if len(file) > largestFile {
		return contents{}, tooLarge(object)
	}
	if err := checkText(object, file); err != nil {
		return contents{}, explain(object, file, err)
	}
	c, ok := decodeInParts(object, file)
	if !ok {
		var err error
		if c, err = decodeInOne(object, file); err != nil {
			return contents{}, explain(object, file, err)
		}
	}
	if err := checkEnd(object, file, c.list); err != nil {
		return contents{}, err
	}
	return finish(object, c), nil
}

func decodeInOne(object string, file []byte) (contents, error) {
	root, err := parse(object, file)
	if err != nil {
		return contents{}, err
	}
	d := &decoder{object: object}
	c, items, err := d.top(root)
	if err != nil {
		return contents{}, err
	}
	c.list = make([]entry, 0, len(items))
	for i, item := range items {
		e, err := d.interaction(i, item)
		if err != nil {
			return contents{}, err
		}
		c.list = append(c.list, e)
	}
	c.notes, c.others, c.remarks = d.notes, d.others, remarks(root)
	return c, nil
}

func tooLarge(object string) error {
	return &FormatError{Object: object, Fault: fmt.Sprintf("the file is larger than %d MiB", largestFile>>20), Cure: "record into several cassettes"}
}

// finish gives an id to every entry that has none of its own: files of other
// tools, and two branches that were merged.
func finish(object string, c contents) contents {
	taken := make(map[version]bool, len(c.list))
	next := 0
	for _, e := range c.list {
		next = max(next, e.ID+1)
	}
	for i := range c.list {
		e := &c.list[i]
		if e.ID < 0 || versionOf(e.Meta).isTaken(taken) {
			if e.ID >= 0 {
				if c.twice == nil {
					c.twice = standsTwice(object, c.list, *e, next)
				}
				c.notes = append(c.notes, fmt.Sprintf("line %d: id %d stands twice; the second interaction is now %d", e.line, e.ID, next))
			}
			e.ID = next
			next++
		}
		taken[versionOf(e.Meta)] = true
	}
	return c
}

// standsTwice says where the id of e stands a second time, and which one is free. Playing
// goes by the order, and so gives the second another id; whoever edits the file has to say.
func standsTwice(object string, list []entry, e entry, free int) *FormatError {
	first := 0
	for _, other := range list {
		if other.ID == e.ID {
			first = other.line
			break
		}
	}
	return &FormatError{Object: object, Line: e.line, Interaction: strconv.Itoa(e.ID),
		Fault: fmt.Sprintf("its id stands in line %d already", first),
		Cure:  fmt.Sprintf("give one of the two the id %d, which is free", free)}
}

// A decoder walks the YAML nodes of one file, or of one part of it.
type decoder struct {
	object string
	first  int // lines that stand before this part
	notes  []string
	others map[string]bool // as in contents
	// within names the interaction being read, for errors; "" outside of one.
	within string
	spent  int // how much aliases have unfolded to
	weight map[*yaml.Node]int
}

// mostUnfolded bounds what aliases may add to a file, in bytes and nodes: a
// small file must not unfold to gigabytes.
const mostUnfolded = 16 << 20

func (d *decoder) fail(n *yaml.Node, fault, cure string) *FormatError {
	return &FormatError{Object: d.object, Line: d.line(n), Interaction: d.within, Fault: fault, Cure: cure}
}

func (d *decoder) line(n *yaml.Node) int {
	if n == nil || n.Line == 0 {
		return 0
	}
	return d.first + n.Line
}

// follow returns what an alias stands for.
func (d *decoder) follow(n *yaml.Node) (*yaml.Node, error) {
	if n.Kind != yaml.AliasNode {
		return n, nil
	}
	if d.weight == nil {
		d.weight = make(map[*yaml.Node]int)
	}
	w, ok := d.weight[n.Alias]
	if !ok {
		w = weigh(n.Alias)
		d.weight[n.Alias] = w
	}
	if d.spent += w; d.spent > mostUnfolded {
		return nil, d.fail(n, "its aliases unfold to too much", "write the values out instead of repeating them by *name")
	}
	return n.Alias, nil
}

func weigh(n *yaml.Node) int {
	w := 1 + len(n.Value)
	for _, c := range n.Content {
		w += weigh(c)
	}
	return w
}

// fields calls each for every key of a mapping. A null is an empty one.
func (d *decoder) fields(n *yaml.Node, where string, each func(key string, k, v *yaml.Node) error) error {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return d.fail(n, where+" must be a mapping", "write its parts as \"name: value\" below it")
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, err := d.follow(n.Content[i])
		if err != nil {
			return err
		}
		v, err := d.follow(n.Content[i+1])
		if err != nil {
			return err
		}
		if k.Tag == "!!merge" {
			return d.fail(n.Content[i], where+" uses a merge key (<<)", "write the values out")
		}
		key, err := d.text(k, "a key of "+where)
		if err != nil {
			return err
		}
		if seen[key] {
			return d.fail(n.Content[i], where+" has the same key twice", "remove one of the two")
		}
		seen[key] = true
		if err := each(key, n.Content[i], v); err != nil {
			return err
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// text reads any scalar as text, as go-vcr's string fields do. A null is "".
func (d *decoder) text(n *yaml.Node, where string) (string, error) {
	if isNull(n) {
		return "", nil
	}
	if n.Kind != yaml.ScalarNode {
		return "", d.fail(n, where+" must be text", "put it in quotes")
	}
	if n.Tag != "!!binary" {
		return n.Value, nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, n.Value))
	if err != nil {
		return "", d.fail(n, where+" is marked !!binary and is not base64", "restore the file, or "+moveAway)
	}
	return string(raw), nil
}

func (d *decoder) number(n *yaml.Node, where string, low, high int64) (int64, error) {
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil {
		return 0, d.fail(n, where+" must be a number", "write it in digits, without quotes")
	}
	if v < low || v > high {
		return 0, d.fail(n, fmt.Sprintf("%s must be between %d and %d", where, low, high), "correct the file, or "+moveAway)
	}
	return v, nil
}

func (d *decoder) truth(n *yaml.Node, where string) (bool, error) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		return false, d.fail(n, where+" must be true or false", "write one of the two, without quotes")
	}
	return strings.EqualFold(n.Value, "true"), nil
}

func (d *decoder) texts(n *yaml.Node, where string) ([]string, error) {
	if isNull(n) {
		return []string{}, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, d.fail(n, where+" must be a list of values", "write it as [value]")
	}
	list := make([]string, 0, len(n.Content))
	for _, item := range n.Content {
		item, err := d.follow(item)
		if err != nil {
			return nil, err
		}
		v, err := d.text(item, "a value of "+where)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// header reads a map of lists. Names are made canonical: go-vcr writes them as
// the program had them.
func (d *decoder) header(n *yaml.Node, where string) (http.Header, error) {
	h := make(http.Header)
	err := d.fields(n, where, func(key string, _, v *yaml.Node) error {
		values, err := d.texts(v, where+"."+safeName(key))
		h[key] = values
		return err
	})
	return canonical(h), err
}

// safeName names a header or form key in an error: whole when it is an ordinary
// token, since a key may be traffic. A long word with digits may be a secret.
func safeName(key string) string {
	if len(key) > 64 || strings.ContainsFunc(key, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return "(a name)"
	}
	for word := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '-' || r == '_' }) {
		if len(word) > 12 && strings.ContainsAny(word, "0123456789") || len(word) > 32 {
			return "(a name)"
		}
	}
	return key
}

// top reads everything but the interactions, and returns their nodes.
func (d *decoder) top(root *yaml.Node) (contents, []*yaml.Node, error) {
	var c contents
	var items []*yaml.Node
	version := false
	if root.Kind != yaml.MappingNode {
		return c, nil, d.fail(root, "this is not a cassette", "a cassette begins with \"version: 2\"; was another file meant?")
	}
	err := d.fields(root, "the cassette", func(key string, k, v *yaml.Node) error {
		switch key {
		case "version":
			n, err := d.number(v, "version", math.MinInt32, math.MaxInt32)
			if err != nil {
				return err
			}
			version = true
			return d.version(v, n)
		case "interactions":
			if isNull(v) {
				return nil
			}
			if v.Kind != yaml.SequenceNode {
				return d.fail(v, "interactions must be a list", "begin each interaction with \"- id:\"")
			}
			items = v.Content
		case "tapedeck":
			return d.fields(v, "tapedeck", func(key string, k, v *yaml.Node) (err error) {
				switch key {
				case "unfinished":
					c.Unfinished, err = d.text(v, "tapedeck.unfinished")
				default:
					err = d.keep(&c.extra, k, v)
				}
				return err
			})
		default:
			d.other(key)
		}
		return nil
	})
	if err == nil && !version {
		err = d.fail(root, "version is missing", "a cassette begins with \"version: 2\"; was another file meant?")
	}
	return c, items, err
}

func (d *decoder) version(n *yaml.Node, version int64) error {
	switch {
	case version > formatVersion:
		return d.fail(n, fmt.Sprintf("it has format version %d, written by a later program", version), "update tapedeck, or "+moveAway)
	case version < formatVersion:
		return d.fail(n, fmt.Sprintf("it has format version %d; this is not go-vcr's version %d", version, formatVersion),
			moveAway)
	}
	return nil
}

// other notes a key that is not kept.
func (d *decoder) other(key string) {
	if d.others == nil {
		d.others = make(map[string]bool)
	}
	d.others[key] = true
}

// keep holds on to a key that this version does not know, as it will be written.
func (d *decoder) keep(extra *[]string, k, v *yaml.Node) error {
	text := appendText(nil, k.Value, true)
	text, ok := appendKept(append(text, ": "...), v, 0)
	if !ok || k.Kind != yaml.ScalarNode {
		return d.fail(k, "a key under tapedeck that this version does not know cannot be kept", "update tapedeck, or remove the key")
	}
	*extra = append(*extra, string(text))
	return nil
}

// deepest bounds the nesting of keys that are only kept.
const deepest = 32

// plainValue is a null, a number, a truth value or a time.
var plainValue = regexp.MustCompile(`^[\w.+:-]+$`)

// appendKept writes a node on one line. ok is false for aliases and tags, which
// cannot be kept without their meaning.
func appendKept(dst []byte, n *yaml.Node, depth int) (_ []byte, ok bool) {
	if depth > deepest {
		return dst, false
	}
	switch n.Kind {
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!str":
			return appendText(dst, n.Value, true), true
		case "!!null":
			return append(dst, "null"...), true
		case "!!int", "!!float", "!!bool", "!!timestamp":
			return append(dst, n.Value...), plainValue.MatchString(n.Value)
		}
	case yaml.SequenceNode:
		dst = append(dst, '[')
		for i, item := range n.Content {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if dst, ok = appendKept(dst, item, depth+1); !ok {
				return dst, false
			}
		}
		return append(dst, ']'), n.Tag == "!!seq"
	case yaml.MappingNode:
		dst = append(dst, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if n.Content[i].Kind != yaml.ScalarNode {
				return dst, false
			}
			if dst, ok = appendKept(dst, n.Content[i], depth+1); !ok {
				return dst, false
			}
			if dst, ok = appendKept(append(dst, ": "...), n.Content[i+1], depth+1); !ok {
				return dst, false
			}
		}
		return append(dst, '}'), n.Tag == "!!map"
	}
	return dst, false
}

// interaction reads the i-th one.
func (d *decoder) interaction(i int, n *yaml.Node) (entry, error) {
	d.within = strconv.Itoa(i)
	defer func() { d.within = "" }()
	n, err := d.follow(n)
	if err != nil {
		return entry{}, err
	}
	e := entry{Stored: clean.Stored{Meta: clean.Meta{ID: -1}}, line: d.line(n)}
	if n.Kind != yaml.MappingNode {
		return e, d.fail(n, "it must be a mapping", "begin each interaction with \"- id:\"")
	}
	var request, response, own *yaml.Node
	err = d.fields(n, "the interaction", func(key string, k, v *yaml.Node) error {
		switch key {
		case "id":
			id, err := d.number(v, "id", 0, 1<<31)
			if err != nil {
				return err
			}
			e.ID = int(id)
			d.within = strconv.Itoa(e.ID)
		case "request":
			request = v
		case "response":
			response = v
		case "tapedeck":
			own = v
		default:
			d.other(key)
		}
		return nil
	})
	if err != nil {
		return e, err
	}
	if request == nil {
		return e, d.fail(n, "request is missing", "restore the file, or "+moveAway)
	}
	if response == nil {
		return e, d.fail(n, "response is missing", "restore the file, or "+moveAway)
	}
	var how styles
	if own != nil {
		if err := d.own(own, &e, &how); err != nil {
			return e, err
		}
		e.ours = e.Recorded != "" // a hand that makes an answer up does not give the day
	}
	if err := d.request(request, &e, how.request); err != nil {
		return e, err
	}
	if err := d.response(response, &e, how.response); err != nil {
		return e, err
	}
	return e, nil
}

type styles struct{ request, response recipe }

// own reads an interaction's tapedeck: key.
func (d *decoder) own(n *yaml.Node, e *entry, how *styles) error {
	return d.fields(n, "tapedeck", func(key string, k, v *yaml.Node) (err error) {
		switch key {
		case "recorded":
			e.Recorded, err = d.text(v, "tapedeck.recorded")
		case "cut":
			e.Cut, err = d.text(v, "tapedeck.cut")
		case "pinned":
			e.Pinned, err = d.truth(v, "tapedeck.pinned")
		case "retry":
			e.Retry, err = d.truth(v, "tapedeck.retry")
		case "conflict":
			if e.Conflict, err = d.text(v, "tapedeck.conflict"); err == nil && e.Conflict != Ours && e.Conflict != Theirs {
				err = d.fail(v, "tapedeck.conflict must be ours or theirs", "write one of the two, or remove the key")
			}
		case "style":
			err = d.styles(v, how)
		case "body_files":
			err = d.bodyFiles(v, e)
		case "informational":
			e.Informational, err = d.informational(v)
		case "direction":
			// Reserved: an inbound request must not answer an outbound one.
			err = d.fail(k, "tapedeck.direction is written by a later version", "update tapedeck, or remove the interaction")
		default:
			err = d.keep(&e.extra, k, v)
		}
		return err
	})
}

func (d *decoder) styles(n *yaml.Node, how *styles) error {
	return d.fields(n, "tapedeck.style", func(key string, _, v *yaml.Node) error {
		text, err := d.text(v, "tapedeck.style."+safeName(key))
		if err != nil {
			return err
		}
		if !recipe(text).known() {
			return d.fail(v, "tapedeck.style names a style that this version does not know",
				"use compact, spaced, indent 4 or tab (and \"newline\" after it), or update tapedeck")
		}
		switch key {
		case "request":
			how.request = recipe(text)
		case "response":
			how.response = recipe(text)
		}
		return nil
	})
}

func (d *decoder) bodyFiles(n *yaml.Node, e *entry) error {
	return d.fields(n, "tapedeck.body_files", func(key string, _, v *yaml.Node) error {
		name, err := d.text(v, "tapedeck.body_files."+safeName(key))
		if err != nil {
			return err
		}
		if !isBodyName(name) {
			return d.fail(v, "tapedeck.body_files does not name a body file", "write "+bodyPrefix+" and the 64 hex digits of the body's SHA-256; or restore the file, or "+moveAway)
		}
		switch key {
		case "request":
			e.requestFile = name
		case "response":
			e.responseFile = name
		}
		return nil
	})
}

func (d *decoder) informational(n *yaml.Node) ([]clean.Informational, error) {
	const where = "tapedeck.informational"
	if isNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, d.fail(n, where+" must be a list", "write it as [{code: 103, headers: {}}]")
	}
	var list []clean.Informational
	for _, item := range n.Content {
		item, err := d.follow(item)
		if err != nil {
			return nil, err
		}
		info := clean.Informational{Header: http.Header{}}
		if err := d.fields(item, where, func(key string, _, v *yaml.Node) (err error) {
			switch key {
			case "code":
				var code int64
				code, err = d.number(v, where+".code", 100, 199)
				info.Status = int(code)
			case "headers":
				info.Header, err = d.header(v, where+".headers")
			}
			return err
		}); err != nil {
			return nil, err
		}
		if info.Status == 0 {
			return nil, d.fail(item, where+".code is missing", "write the 1xx status code, such as code: 103")
		}
		list = append(list, info)
	}
	return list, nil
}

// method is a token (RFC 9110, section 5.6.2), or nothing, which go-vcr takes for GET.
var method = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]*$")

func (d *decoder) request(n *yaml.Node, e *entry, how recipe) error {
	var form *yaml.Node
	err := d.fields(n, "request", func(key string, k, v *yaml.Node) (err error) {
		switch key {
		case "method":
			if e.Method, err = d.text(v, "request.method"); err == nil && !method.MatchString(e.Method) {
				err = d.fail(v, "request.method is no method", "write one word, such as GET")
			}
		case "url":
			e.URL, err = d.text(v, "request.url")
		case "proto":
			e.Proto, err = d.text(v, "request.proto")
		case "headers":
			e.RequestHeader, err = d.header(v, "request.headers")
		case "trailer":
			e.RequestTrailer, err = d.header(v, "request.trailer")
		case "form":
			form = v
		case "body":
			e.RequestBody, err = d.body(v, "request.body", how)
		default:
			d.other("request." + key)
		}
		return err
	})
	if err != nil {
		return err
	}
	if e.URL == "" {
		return d.fail(n, "request.url is missing", "write it as https://host/path")
	}
	settle(&e.Stored)
	e.RequestBody = decodeContent(e.RequestHeader, e.RequestBody)
	if form != nil && e.requestFile == "" {
		return d.form(form, e)
	}
	return nil
}

// form notes when the form: map and the body say different things, which is
// what happens when a person edits the readable one of the two.
func (d *decoder) form(n *yaml.Node, e *entry) error {
	names, want, ok := form(e.RequestHeader, e.RequestBody)
	if !ok {
		return nil
	}
	got, err := d.header(n, "request.form")
	if err != nil {
		return err
	}
	same := len(got) == len(canonical(http.Header(want)))
	for _, name := range names {
		same = same && slices.Equal(got[http.CanonicalHeaderKey(name)], canonical(http.Header(want))[http.CanonicalHeaderKey(name)])
	}
	if !same {
		d.notes = append(d.notes, fmt.Sprintf("line %d: interaction %s: request.form differs from request.body; the body counts", d.line(n), d.within))
	}
	return nil
}

func (d *decoder) response(n *yaml.Node, e *entry, how recipe) error {
	var status string
	length := int64(0)
	e.timed = n.Style&yaml.FlowStyle != 0 // its end is the brace
	err := d.fields(n, "response", func(key string, k, v *yaml.Node) (err error) {
		switch key {
		case "code":
			var code int64
			code, err = d.number(v, "response.code", 100, 999)
			e.Status = int(code)
		case "status":
			status, err = d.text(v, "response.status")
		case "proto":
			e.versioned = true
			e.ResponseProto, err = d.text(v, "response.proto")
		case "content_length":
			e.stated = true
			length, err = d.number(v, "response.content_length", -1, math.MaxInt64)
		case "headers":
			e.ResponseHeader, err = d.header(v, "response.headers")
		case "trailer":
			e.ResponseTrailer, err = d.header(v, "response.trailer")
		case "body":
			e.ResponseBody, err = d.body(v, "response.body", how)
		case "proto_major", "proto_minor": // made of proto
		case "duration": // always the same
			e.timed = true
		default:
			d.other("response." + key)
		}
		return err
	})
	if err != nil {
		return err
	}
	if e.Status == 0 {
		return d.fail(n, "response.code is missing", "write the status code, such as code: 200")
	}
	e.StatusText = status
	if code, text, _ := strings.Cut(status, " "); code != "" && strings.Trim(code, "0123456789") == "" {
		if e.StatusText = text; code != strconv.Itoa(e.Status) {
			// A person changed one of the two. What is played has the code.
			e.StatusText = http.StatusText(e.Status)
			d.notes = append(d.notes, fmt.Sprintf("line %d: interaction %s: response.status differs from response.code; the code counts", d.line(n), d.within))
		}
	}
	e.Chunked = length < 0 && mayHaveBody(e.Method, e.Status)
	e.announced = length
	e.ResponseBody = decodeContent(e.ResponseHeader, e.ResponseBody)
	settle(&e.Stored)
	return nil
}

func (d *decoder) body(n *yaml.Node, where string, how recipe) ([]byte, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, d.fail(n, where+" must be text", "put it in a block after \"body: |-\"")
	}
	text, err := d.text(n, where)
	if err != nil || text == "" {
		return nil, err
	}
	body, ok := how.apply([]byte(text))
	if !ok {
		d.notes = append(d.notes, fmt.Sprintf("line %d: interaction %s: %s is not valid JSON, so it plays as it stands", d.line(n), d.within, where))
	}
	return body, nil
}
